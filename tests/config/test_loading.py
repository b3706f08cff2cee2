"""Configs: what is read, and one precise error per mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from denobench import config
from denobench.errors import DenobenchError


@pytest.mark.parametrize("name", ["quick", "paper", "full", "natural", "networks"])
def test_shipped_configs_are_valid(name: str) -> None:
    """Every config that comes with the package can be read."""
    loaded = config.load(name)
    assert loaded.name == name
    bm3d = "fast-bm3d" if name == "networks" else "bm3d"
    assert {"identity", bm3d} <= {*loaded.methods}


def test_paper_has_the_papers_settings() -> None:
    """The paper's config trains 200 epochs on the brain-tumour set at 224 x 224."""
    paper = config.load("paper")
    assert (paper.dataset, paper.size) == ("brain-tumor", 224)
    assert paper.methods["cdae"].parameters["epochs"] == 200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sise: 128", "Did you mean 'size'"),
        ("timing: {repeat: 3}", "Did you mean 'repeats'"),
        ("size: 3", "size: must be native or between 16 and 4096"),
        ("noise: [gaussian]", "MODEL:LEVEL"),
        ("noise: []", "at least one"),
        ("realisations: 0", "realisations"),
        ("methods: {tv: {track: orakel}}", "methods.tv.track"),
        ("[1, 2]", "key: value"),
        ("size: [", "not valid YAML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    """Each mistake gives an error that names the file, the key and what would be right."""
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(DenobenchError, match=r"mine\.yaml|MODEL") as caught:
        config.load(path)
    assert message in str(caught.value)


def test_unknown_config_gets_a_suggestion() -> None:
    """A misspelt config's name is answered with the closest."""
    with pytest.raises(DenobenchError, match="Did you mean 'quick'"):
        config.load("qick")


def test_missing_file_is_named() -> None:
    """A config file that is not there is named."""
    with pytest.raises(DenobenchError, match=r"gone\.yaml"):
        config.load("gone.yaml")


def test_paths_in_a_file_start_at_its_folder(tmp_path: Path) -> None:
    """Relative paths are the config's own, absolute ones and those of a setting are kept."""
    file = tmp_path / "mine.yaml"
    file.write_text("data: images\nplugins: [mine.py, /elsewhere/other.py]\n")
    loaded = config.load(file)
    assert loaded.data == tmp_path / "images"
    assert loaded.plugins == (tmp_path / "mine.py", Path("/elsewhere/other.py"))
    assert config.load(file, {"data": "here"}).data == Path("here")


def test_settings_replace_what_stands_in_the_file() -> None:
    """Dotted keys reach into methods, and values are read as YAML."""
    settings = config.parse_settings(["size=64", "methods.tv.weight=0.9", "noise=[rician:0.1]"])
    loaded = config.load("quick", settings)
    assert loaded.size == 64
    assert loaded.methods["tv"].parameters == {"weight": 0.9}
    assert loaded.noise == ("rician:0.1",)


def test_a_number_of_pictures_takes_further_settings() -> None:
    """``gallery: 1`` is short for its images, so that the page's advice, share, works beside it."""
    for written in ({"gallery": 1, "gallery.share": True}, {"gallery.images": 1}):
        assert config.load("quick", written).gallery.images == 1
    assert config.load("quick", {"gallery": 1, "gallery.share": True}).gallery.share


def test_methods_may_be_a_list() -> None:
    """A list of names is as good as a mapping without settings."""
    loaded = config.parse({"methods": ["tv", "nlm"]}, "test")
    assert list(loaded.methods) == ["tv", "nlm"]


@pytest.mark.parametrize("text", ["size", "=3"])
def test_malformed_setting_is_refused(text: str) -> None:
    """What is not key=value is refused with an example."""
    with pytest.raises(DenobenchError, match="size=128"):
        config.parse_settings([text])
