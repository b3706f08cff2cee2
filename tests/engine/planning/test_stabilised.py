"""Rician noise in a run: who also meets it stabilised, and what makes their cells stale."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from denobench import config, methods
from denobench.engine.coordinator import Outcome
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import make_plan
from denobench.engine.planning.sources import source_digest
from denobench.errors import DenobenchError

Compare = Callable[..., Outcome]


def cells(**settings: object) -> list[Cell]:
    """Return the cells of a plan on one simulated slice."""
    small = {"size": 32, "limit": 1, "noise": ["rician:0.1", "gaussian:0.1"], **settings}
    return make_plan(config.parse(small, "test")).cells({})


def test_gaussian_methods_also_meet_rician_noise_stabilised() -> None:
    """Each method for Gaussian noise gains its stabilised form, on Rician noise alone."""
    chosen = {"identity": {}, "median": {}, "tv-soft": {"method": "tv", "weight": 0.5}}
    met = {(cell.method, cell.noise.model) for cell in cells(methods=chosen)}
    alone = {(name, model) for name in chosen for model in ("rician", "gaussian")}
    assert met == alone | {("vst(tv-soft)", "rician")}
    added = next(cell for cell in cells(methods=chosen) if cell.method == "vst(tv-soft)")
    assert added.registered == "vst(tv)"
    assert added.parameters == '{"weight": 0.5}'
    met = {(cell.method, cell.noise.model) for cell in cells(methods=chosen, stabilise=False)}
    assert met == alone


def test_named_stabilised_method_is_planned_once() -> None:
    """One that the config names itself is not added a second time, and keeps its settings."""
    chosen = {"tv": {}, "vst(tv)": {"weight": 0.9, "track": "estimated"}}
    found = [cell for cell in cells(methods=chosen) if cell.method == "vst(tv)"]
    assert [(cell.parameters, cell.track) for cell in found] == [('{"weight": 0.9}', "estimated")]


def test_method_for_another_noise_is_refused() -> None:
    """A stabilised method without Rician noise to run on is an error, not an empty row."""
    with pytest.raises(DenobenchError, match=r"rician:0\.09"):
        cells(methods=["vst(tv)"], noise=["gaussian:0.1"])


def test_source_is_the_inner_methods_and_the_transforms() -> None:
    """The key of a stabilised method holds another source than the inner method's own."""
    digests = {name: source_digest(methods.load(name)) for name in ("tv", "vst(tv)", "vst(nlm)")}
    assert len(set(digests.values())) == 3
    assert source_digest(methods.load("vst(tv)")) == digests["vst(tv)"]


def test_workers_and_timing_know_stabilised_methods(compare: Compare) -> None:
    """In worker processes and in the timing pass ``vst(tv)`` is a method as any other."""
    outcome = compare(
        noise=["gaussian:0.1", "rician:0.1"], methods=["tv"], size=64, limit=2,
        timing={"repeats": 1},
    )  # fmt: skip
    frame = outcome.folder.frame()
    assert set(frame["status"]) == {"ok"}
    assert len(frame) == 6
    timing = outcome.folder.table("timing").set_index("method")
    assert list(timing["status"]) == ["ok", "ok"]
    assert timing.loc["vst(tv)", "noise"] == "rician:0.1"
    again = compare(
        noise=["gaussian:0.1", "rician:0.1"], methods=["tv"], size=64, limit=2,
        timing={"repeats": 1},
    )  # fmt: skip
    assert again.computed == 0
