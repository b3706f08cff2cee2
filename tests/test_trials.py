"""Trials of tuning: their score, the best of them, and what lies at an edge."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denobench import trials


def cells(scores: list[list[float]], **changes: object) -> pd.DataFrame:
    """Return the cells of trials, each scored on images 0, 1, ...; images 0 and 1 are akin."""
    return pd.DataFrame(
        [
            {
                "method": "tv", "fold": 0, "noise": "gaussian", "levels": "0.1", "level": 0.1,
                "trial": trial, "settings": json.dumps({"weight": trial / 10}),
                "image": f"i{image}", "cluster": f"c{max(image, 1)}", "status": "ok",
                "psnr_foreground": value, **changes,
            }
            for trial, values in enumerate(scores)
            for image, value in enumerate(values)
        ]
    )  # fmt: skip


def test_score_is_the_mean_of_clusters() -> None:
    """Two images of one slice count as one."""
    assert trials.score(cells([[20.0, 30.0, 35.0]])) == pytest.approx((25 + 35) / 2)


def test_levels_count_alike() -> None:
    """A value for several levels is judged by the mean of all of them."""
    both = pd.concat([cells([[20.0, 20.0]]), cells([[30.0, 30.0]], level=0.2)])
    assert trials.score(both) == pytest.approx(25)


def test_a_trial_that_failed_anywhere_has_no_score() -> None:
    """One image without an answer is enough."""
    found = cells([[20.0, 30.0, 35.0]])
    found.loc[1, "status"] = "failed"
    assert trials.score(found) == -math.inf
    assert trials.score(cells([[math.nan] * 3])) == -math.inf


@given(st.lists(st.floats(10, 40), min_size=1, max_size=8))
def test_the_best_is_chosen_the_first_of_equals(scores: list[float]) -> None:
    """One trial of a scope is chosen: no other has more, and no earlier one as much."""
    found = trials.summarise(cells([[value] * 3 for value in scores]))
    (chosen,) = found.index[found["chosen"]]
    assert found["score"][chosen] == found["score"].max()
    assert (found["score"][:chosen] < found["score"][chosen]).all()


def test_where_all_fail_the_defaults_stay() -> None:
    """The first trial is the defaults'."""
    found = trials.summarise(cells([[20.0] * 3] * 4, status="failed"))
    assert list(found["chosen"]) == [True, False, False, False]


def test_scopes_are_apart() -> None:
    """Every method, fold, noise and level chooses for itself."""
    parts = [cells([[20.0], [30.0]]), cells([[30.0], [20.0]], fold=1)]
    found = trials.summarise(pd.concat(parts))
    assert list(found.loc[found["chosen"], "trial"]) == [1, 0]


def test_images_without_a_name_give_no_score() -> None:
    """A damaged table is no reason to stop: the trial has no score."""
    found = cells([[20.0, 30.0], [30.0, 20.0]])
    found.loc[found["trial"] == 1, "cluster"] = None
    assert list(trials.summarise(found)["score"]) == [pytest.approx(25), -math.inf]


def test_scores_of_many_trials_are_those_of_each() -> None:
    """All trials at once give what each gives alone, to the bit."""
    tried = [[20.1 + trial / 3, 30.7, 35.3 - trial / 7] for trial in range(5)]
    many = pd.concat([cells(tried), cells(tried[::-1], level=0.2), cells(tried, fold=1)])
    found = trials.summarise(many)
    alone = [
        trials.score(part)
        for _, scope in many.groupby("fold")
        for _, part in scope.groupby("trial")
    ]
    assert list(found["score"]) == alone


def test_edges_are_of_numbers_alone() -> None:
    """The least and the greatest number tried are edges; a name has none, nor has a lone value."""
    tried = [{"a": a, "name": name, "one": 1} for a, name in ((1, "x"), (2, "y"), (3, "z"))]
    assert trials.at_edge(tried, tried[0]) == ["a"]
    assert trials.at_edge(tried, tried[1]) == []
    assert trials.at_edge(tried, tried[2]) == ["a"]
