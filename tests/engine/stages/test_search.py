"""Searching parameters: every trial counts, optima are found, edges are widened and named."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denobench.engine.stages.search import Search, Settings
from denobench.trials import at_edge

Score = Callable[[Settings], float]


def carry_out(search: Search, score: Score) -> list[Settings]:
    """Answer a search to its end and return what it tried."""
    tried = []
    while asked := search.ask():
        for settings in asked:
            tried.append(settings)
            search.tell(settings, score(settings))
    return tried


def parabola(**centres: float) -> Score:
    """Return a score that is highest, 0, at the centres."""
    return lambda settings: -sum((settings[name] - c) ** 2 for name, c in centres.items())


GRID = {"weight": (0.5, 0.6, 0.7, 0.8)}


@given(st.integers(1, 30), st.floats(0.01, 5), st.floats(0.01, 5))
def test_no_more_trials_than_allowed(trials: int, one: float, two: float) -> None:
    """However the optimum lies, no trial is done twice, and none beyond the number allowed."""
    search = Search({"a": 1.0, "b": 2.0}, {"a": (0.5, 1.0), "b": (1.0, 2.0, 4.0)}, trials)
    tried = carry_out(search, parabola(a=one, b=two))
    texts = {tuple(settings.items()) for settings in tried}
    assert len(tried) == len(texts) <= trials
    assert tried[0] == {"a": 1.0, "b": 2.0}


def test_methods_with_different_grids_get_the_same_number() -> None:
    """Two values or six, one parameter or two: numbers are refined until the trials are used."""
    for grid in ({"a": (1.0, 2.0)}, {"a": (1.0, 1.2, 1.4, 1.6, 1.8, 2.0)}):
        assert len(carry_out(Search({"a": 1.0}, grid, 9), parabola(a=1.53))) == 9


@given(st.floats(0.52, 0.78))
def test_an_optimum_inside_is_found_closely(centre: float) -> None:
    """Ten trials find an optimum among four values to a twentieth of their range."""
    search = Search({"weight": 0.7}, GRID, 10)
    carry_out(search, parabola(weight=centre))
    assert search.best["weight"] == pytest.approx(centre, abs=0.3 / 20)


@pytest.mark.parametrize(("centre", "found"), [(1.02, 1.0), (0.31, 0.3)])
def test_an_optimum_outside_widens_the_grid(centre: float, found: float) -> None:
    """Values beyond either end are tried until the optimum is inside."""
    search = Search({"weight": 0.7}, GRID, 12)
    tried = carry_out(search, parabola(weight=centre))
    assert search.best["weight"] == pytest.approx(found, abs=0.03)
    assert at_edge(tried, search.best) == []


def test_an_optimum_that_stays_at_the_edge_is_named() -> None:
    """When the trials are used up while the grid is still widened, that is said."""
    search = Search({"weight": 0.7}, GRID, 6)
    tried = carry_out(search, lambda settings: settings["weight"])
    assert [settings["weight"] for settings in tried] == [0.7, 0.5, 0.6, 0.8, 0.9, 1.1]
    assert search.best == {"weight": 1.1}
    assert at_edge(tried, search.best) == ["weight"]


def test_positive_values_stay_positive() -> None:
    """Widening downwards halves where a step would leave the positive numbers."""
    tried = carry_out(Search({"a": 1.0}, {"a": (1.0, 2.0)}, 5), lambda s: -s["a"])
    assert [settings["a"] for settings in tried] == [1.0, 2.0, 0.5, 0.25, 0.125]


def test_whole_numbers_keep_their_step() -> None:
    """Odd window sizes stay odd, below and beyond the grid and between its values."""
    tried = carry_out(Search({"size": 3}, {"size": (3, 5, 9)}, 9), parabola(size=12))
    assert all(isinstance(settings["size"], int) for settings in tried)
    assert {settings["size"] % 2 for settings in tried} == {1}
    assert {11, 13} & {settings["size"] for settings in tried}


def test_names_are_tried_but_neither_widened_nor_refined() -> None:
    """A parameter of names ends with its names."""
    search = Search({"wavelet": "db1"}, {"wavelet": ("db1", "db2", "sym4")}, 10)
    scores: dict[Any, float] = {"db1": 1, "db2": 3, "sym4": 2}
    tried = carry_out(search, lambda settings: scores[settings["wavelet"]])
    assert len(tried) == 3
    assert search.best == {"wavelet": "db2"}
    assert at_edge(tried, search.best) == []


def test_second_parameter_starts_from_the_best_of_the_first() -> None:
    """Along the second parameter the first is at its best."""
    search = Search({"a": 1.0, "b": 1.0}, {"a": (1.0, 2.0, 3.0), "b": (1.0, 2.0, 3.0)}, 12)
    carry_out(search, parabola(a=2.0, b=2.0))
    assert search.best == {"a": 2.0, "b": 2.0}


def test_failed_trials_are_not_chosen() -> None:
    """A setting that fails has no score; where all fail the start stays."""
    search = Search({"weight": 0.7}, GRID, 8)
    carry_out(search, lambda s: -math.inf if s["weight"] > 0.65 else s["weight"])
    assert search.best["weight"] <= 0.65
    search = Search({"weight": 0.7}, GRID, 8)
    carry_out(search, lambda _: -math.inf)
    assert search.best == {"weight": 0.7}


def test_equal_scores_keep_the_default() -> None:
    """What changes nothing leaves the default."""
    search = Search({"weight": 0.7}, GRID, 8)
    carry_out(search, lambda _: 1.0)
    assert search.best == {"weight": 0.7}
