"""What makes a method stale: its own source, and what that imports from its package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest

from denobench import config, methods
from denobench.engine.planning.plan import make_plan
from denobench.engine.planning.sources import _sources, source_digest
from denobench.registry import Offer, load_plugins

FILES = {
    "stranger/__init__.py": "",
    "stranger/methods/__init__.py": "",
    "stranger/methods/box.py": (
        "from denobench import denoiser\nfrom ..filters.mean import mean\n\n"
        "@denoiser('box')\ndef box(noisy, sigma):\n    return mean(noisy)\n"
    ),
    "stranger/filters/__init__.py": "",
    "stranger/filters/mean.py": (
        "def mean(noisy):\n    from stranger import sizes\n    return noisy * sizes.ONE\n"
    ),
    "stranger/sizes.py": "ONE = 1\n",
    "stranger/unrelated.py": "TWO = 2\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of an installed package with a method that imports from it."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "stranger"
    for name in [name for name in sys.modules if name.partition(".")[0] == "stranger"]:
        del sys.modules[name]


STRANGE = """
import numpy
from denobench.datasets import Dataset, Item, data_set
from denobench.metrics import metric
from denobench.noise import noise_model

@metric("strange", title="Strange")
def strange(clean, denoised, mask):
    return 1

@noise_model("odd", title="Odd")
def odd(image, level, fields):
    return image

class Flat(Item):
    def read(self, size):
        return numpy.full((size, size), 0.5)

@data_set("flat")
def flat(folder, progress):
    numbers = map(str, range(9))
    return Dataset("flat", tuple(Flat(id=n, label="", cluster=n, digest=n) for n in numbers))
"""


def _offers(path: Path) -> list[Offer]:
    with load_plugins([path]):
        return list(methods.REGISTRY.offers().values())


@pytest.mark.parametrize(
    ("file", "stale"),
    [
        ("methods/box.py", True),
        ("filters/mean.py", True),
        ("sizes.py", True),
        ("unrelated.py", False),
    ],
)
def test_source_is_all_that_a_method_imports_from_its_package(
    package: Path, file: str, stale: bool
) -> None:
    """A change anywhere in what the method imports is a change of its source; others are not."""
    box = importlib.import_module("stranger.methods.box").box
    before = source_digest(box)
    (package / file).write_text((package / file).read_text() + "# edited\n")
    assert (source_digest(box) != before) == stale


def test_network_s_source_is_its_own_package() -> None:
    """The CDAE's source is its package and what networks share, and not the whole toolkit."""
    folders = {path.parent.name for path in _sources(methods.load("cdae"))}
    assert folders == {"autoencoder", "inference", "networks"}


def test_plugin_s_source_is_also_what_it_imports_from_beside_it(tmp_path: Path) -> None:
    """A helper beside a plugin file makes its methods stale, denobench's own checkout does not."""
    files = {
        "helper_of_box.py": "import helper_of_helper",
        "helper_of_helper.py": "ONE = 1",
        "denobench/__init__.py": "",
        "unrelated.py": "",
        "box.py": "import helper_of_box, denobench\nfrom denobench import denoiser\n\n"
        "@denoiser('box')\ndef box(noisy, sigma):\n    return noisy.copy()\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (box,) = (offer.found for offer in _offers(tmp_path / "box.py"))
    names = {path.name for path in _sources(box)}
    assert names == {"box.py", "helper_of_box.py", "helper_of_helper.py"}


def test_stranger_s_metric_noise_and_data_make_their_cells_stale(tmp_path: Path) -> None:
    """Their sources enter the keys of the cells that they concern; denobench's own do not."""

    def keys(**settings: object) -> set[str]:
        small = {
            "limit": 2,
            "methods": ["identity"],
            "size": 32,
            "plugins": [tmp_path / "strange.py"],
        }
        loaded = config.parse(small | settings, "test")
        return {cell.key for cell in make_plan(loaded).cells({})}

    own = {"metrics": ["psnr"], "noise": ["gaussian:0.1"]}
    found = []
    for version in (STRANGE, STRANGE + "# edited\n"):
        (tmp_path / "strange.py").write_text(version)
        found.append([keys(**own), keys(**own | {"metrics": ["strange"]}),
                      keys(**own | {"noise": ["odd:0.1"]}),
                      keys(**own | {"dataset": "flat", "split": "none"})])  # fmt: skip
    (plain, scored, noisy, read), (plain_again, scored_again, noisy_again, read_again) = found
    assert plain == plain_again
    assert not scored & scored_again
    assert not noisy & noisy_again
    assert not read & read_again


def test_other_weights_make_their_method_s_cells_stale(image_folder: Path, tmp_path: Path) -> None:
    """Weights of another digest change the keys of their method's cells, and no others."""
    loaded = config.parse(
        {"data": image_folder, "size": 32, "split": "paper", "noise": ["gaussian:0.1"],
         "methods": ["tv", "cdae"]},
        "test",
    )  # fmt: skip
    plan = make_plan(loaded)
    first, second = (
        {cell.key: cell.method for cell in plan.cells({("cdae", loaded.noises[0]): where})}
        for where in ((tmp_path, "one"), (tmp_path, "two"))
    )
    assert {first[key] for key in first.keys() - second.keys()} == {"cdae"}
    assert {first[key] for key in first.keys() & second.keys()} == {"tv"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "from denobench.autoencoder import CDAE\nclass Mine(CDAE):\n    info = Info('m', 'M')",
            {"mine.py", "method.py", "weights.py"},
        ),
        (
            "from baselines import nonlocal_means\nfrom denobench import denoiser\n"
            "@denoiser('mine')\ndef mine(noisy, sigma):\n    return nonlocal_means.nlm(noisy, 1)",
            {"mine.py", "nonlocal_means.py"},
        ),
    ],
)
def test_source_of_what_builds_on_our_methods_is_also_theirs(
    tmp_path: Path, text: str, expected: set[str]
) -> None:
    """A plugin that derives from the CDAE or calls a baseline changes when these change."""
    (tmp_path / "mine.py").write_text(f"from denobench.methods import Info\n{text}\n")
    (mine,) = (offer.found for offer in _offers(tmp_path / "mine.py"))
    assert {path.name for path in _sources(mine)} >= expected


def test_other_version_of_a_decoder_makes_its_format_stale(
    monkeypatch: pytest.MonkeyPatch, image_folder: Path, tmp_path: Path
) -> None:
    """What decodes NIfTI is in the keys of volumes' cells, and not in those of pictures."""
    from denobench.engine.planning import sources

    volume = np.random.default_rng(0).random((24, 24, 3)).astype(np.float32)
    (tmp_path / "data").mkdir()
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "data" / "head.nii.gz")

    def keys(data: Path) -> set[str]:
        settings = {"data": data, "limit": 1, "methods": ["identity"], "size": 24, "split": "none"}
        return {cell.key for cell in make_plan(config.parse(settings, "test")).cells({})}

    before, version = (keys(tmp_path / "data"), keys(image_folder)), sources.installed_version
    changed = lambda name: version(name) + "+" * (name == "nibabel")  # noqa: E731
    monkeypatch.setattr(sources, "installed_version", changed)
    assert not before[0] & keys(tmp_path / "data")
    assert before[1] == keys(image_folder)


def test_other_version_of_a_library_makes_all_cells_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads, corrupts and scores is in every key; what a method declares, in its own."""
    from denobench.engine.planning import sources

    def keys() -> dict[str, set[str]]:
        loaded = config.parse({"limit": 2, "methods": ["identity", "wavelet"], "size": 32}, "test")
        found: dict[str, set[str]] = {}
        for cell in make_plan(loaded).cells({}):
            found.setdefault(cell.method, set()).add(cell.key)
        return found

    before, version = keys(), sources.installed_version
    for package in ("numpy", "pillow", "opencv-python-headless", "scikit-image", "scipy"):
        changed = lambda name, new=package: "9" if name == new else version(name)  # noqa: E731
        monkeypatch.setattr(sources, "installed_version", changed)
        after = keys()
        assert not any(before[name] & after[name] for name in before)
