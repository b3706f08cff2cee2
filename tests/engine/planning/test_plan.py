"""A plan and the plugins that belong to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from denobench import methods
from denobench.config import Config, parse
from denobench.engine.planning.methods import with_plugin_methods
from denobench.engine.planning.plan import make_plan
from denobench.errors import DenobenchError

METHOD = """
from denobench import denoiser
from helper import factor

@denoiser("mine", tracks=("blind",))
def mine(noisy, sigma):
    return noisy * factor
"""


def _config(**settings: object) -> Config:
    small = {"limit": 2, "size": 32, "noise": ["gaussian:0.1"], "methods": ["identity"]}
    return parse(small | settings, "test")


def test_process_knows_the_plugins_of_the_plan_and_no_others(tmp_path: Path) -> None:
    """In one process an edited plugin is the edited one, and an earlier one is gone."""
    (tmp_path / "mine.py").write_text(METHOD)
    (tmp_path / "helper.py").write_text("factor = 0.5")
    asked = {"plugins": [tmp_path / "mine.py"], "methods": ["mine"]}
    first = make_plan(_config(**asked))
    (tmp_path / "helper.py").write_text("factor = 0.9")
    second = make_plan(_config(**asked))
    for plan, factor in ((first, 0.5), (second, 0.9)):
        with plan.plugins:
            assert methods.build("mine").denoise(1.0, None) == factor  # type: ignore[arg-type]
    assert not {c.key for c in first.cells({})} & {c.key for c in second.cells({})}
    with pytest.raises(DenobenchError, match="Unknown method 'mine'"):
        make_plan(_config(methods=["mine"]))


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({}, []),
        (["tv"], ["tv", "mine"]),
        (["mine"], ["mine"]),
        ({"half": {"method": "mine"}}, ["half"]),
    ],
)
def test_plugin_s_methods_join_those_that_a_config_names(
    tmp_path: Path, named: object, expected: list[str]
) -> None:
    """Each once, whether it is named or stands behind another name; all are compared if none is."""
    (tmp_path / "mine.py").write_text(METHOD)
    (tmp_path / "helper.py").write_text("factor = 0.5")
    config = with_plugin_methods(_config(plugins=[tmp_path / "mine.py"], methods=named))
    assert list(config.methods) == expected


def test_cell_is_small_when_it_is_sent() -> None:
    """A cell takes little to send, whatever the plan holds."""
    import pickle

    for cell in make_plan(_config(methods=["identity", "bm3d"])).cells({}):
        assert len(pickle.dumps(cell)) < 2000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"methods": ["cdae"], "size": "native"}, "size: native is not: give a size"),
        ({"methods": {"cdae": {"levels": 3}}}, r"levels: must be a list, such as \[0.05, 0.2\]"),
        ({"methods": {"cdae": {"levels": ["x"]}}}, "levels: each must be a number"),
        ({"methods": {"cdae": {"epochs": 0}}}, "epochs"),
        ({"methods": {"median": {"size": 4}}}, r"size: must be odd \(found 4\)"),
        ({"methods": {"vst(nlm)": {"h": 0}}, "noise": ["rician:0.1"]}, "h: must be above 0"),
    ],
)
def test_what_cannot_be_computed_is_refused(settings: dict[str, object], message: str) -> None:
    """A setting that no cell could be computed with ends the plan with the way out."""
    with pytest.raises(DenobenchError, match=message):
        make_plan(_config(**settings))
