"""Finding things by name, also when two have one name."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from denobench import methods, metrics, noise, registry
from denobench.datasets import REGISTRY as DATA_SETS
from denobench.errors import DenobenchError
from denobench.registry import Registry, hidings, load_plugins

METHOD = """
from denobench import denoiser

@denoiser("{name}")
def {function}(noisy, sigma):
    return noisy.copy()
"""

ALL = """
from denobench import data_set, denoiser, metric, noise_model
from denobench.metrics import psnr

@denoiser("mine")
def mine(noisy, sigma):
    return noisy.copy()

@metric("strange", title="Strange")
def strange(clean, denoised, mask):
    return 1.0

@noise_model("odd", title="Odd")
def odd(image, level, fields):
    return image

@data_set("flat")
def flat(folder, *, progress=None):
    raise NotImplementedError
"""


def test_entry_points_are_named_without_importing() -> None:
    """Installed methods are listed by name."""
    names = Registry("denobench.methods", "method").names()
    assert {"identity", "tv", "bm3d", "cdae"} <= set(names)


def test_unknown_name_gets_a_suggestion() -> None:
    """A misspelt name is answered with the closest one and the whole list."""
    with pytest.raises(DenobenchError, match="Did you mean 'nlm'") as caught:
        Registry("denobench.methods", "method").load("nlmm")
    assert "bilateral" in str(caught.value)


def test_plugin_file_offers_what_is_defined_in_it_and_to_its_plan_alone(tmp_path: Path) -> None:
    """Methods, metrics, noise models and data sets are found within the plan, and not after it."""
    (tmp_path / "all.py").write_text(ALL)
    kinds = (methods.REGISTRY, metrics.REGISTRY, noise.REGISTRY, DATA_SETS)
    with load_plugins([tmp_path / "all.py"]):
        found = [list(kind.offers()) for kind in kinds]
        assert all(kind.load(names[0]) for kind, names in zip(kinds, found, strict=True))
        assert methods.origin("mine").plugin == tmp_path / "all.py"
    assert found == [["mine"], ["strange"], ["odd"], ["flat"]]
    assert not any(name in kind.names() for kind, (name,) in zip(kinds, found, strict=True))


def test_plugin_s_name_hides_the_installed_one_and_is_told(tmp_path: Path) -> None:
    """What a plugin file defines is found first; what it hides is in its origin and a sentence."""
    (tmp_path / "mine.py").write_text(METHOD.format(name="tv", function="mine"))
    plugins = load_plugins([tmp_path / "mine.py"])
    with plugins:
        assert methods.load("tv").__name__ == "mine"
        assert methods.origin("tv").hides == "denobench 0.1.0"
        assert not methods.origin("vst(tv)").own
    (said,) = hidings(plugins)
    assert "'tv'" in said
    assert "mine.py" in said
    assert "hides the one of denobench 0.1.0" in said
    assert methods.origin("tv").own


def test_two_plugins_of_one_name_are_an_error_that_names_both(tmp_path: Path) -> None:
    """Also within one file; a file that is given twice is one file."""
    for file in ("a.py", "b.py"):
        (tmp_path / file).write_text(METHOD.format(name="mine", function="mine"))
    with pytest.raises(DenobenchError, match=r"called 'mine': mine in .*a\.py and mine in .*b\.py"):
        load_plugins([tmp_path / "a.py", tmp_path / "b.py"])
    assert len(load_plugins([tmp_path / "a.py", tmp_path / "a.py"]).files) == 1
    twice = [METHOD.format(name="mine", function=function) for function in ("one", "two")]
    (tmp_path / "c.py").write_text("".join(twice))
    with pytest.raises(DenobenchError, match=r"one in .*c\.py and two in .*c\.py"):
        load_plugins([tmp_path / "c.py"])


def test_two_metrics_of_one_name_are_an_error_too(tmp_path: Path) -> None:
    """Names of every kind are held apart."""
    for file in ("a.py", "b.py"):
        (tmp_path / file).write_text(ALL.replace('"mine"', f'"{file}"'))
    with pytest.raises(DenobenchError, match=r"Two (metric|noise model|data set)s are called"):
        load_plugins([tmp_path / "a.py", tmp_path / "b.py"])


def test_two_installed_packages_of_one_name_are_an_error_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The name is listed once, and what is asked for it names both packages' places."""
    points = [EntryPoint("mine", value, "some.group") for value in ("first:f", "second:s")]
    monkeypatch.setattr(registry, "_installed", lambda _: EntryPoints(points))
    kind = Registry("some.group", "method")
    assert kind.names() == ["mine"]
    with pytest.raises(DenobenchError, match=r"first:f\) and .*second:s\)"):
        kind.load("mine")


def test_file_that_offers_nothing_is_refused(tmp_path: Path) -> None:
    """A plugin file that defines nothing, or only imports, says how to define something."""
    (tmp_path / "empty.py").write_text("from baselines.local import median")
    with pytest.raises(DenobenchError, match="@denoiser"):
        load_plugins([tmp_path / "empty.py"])
