"""Intervals against closed forms, and averages against plain loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from denobench.statistics import bootstrap_interval, cluster_means


def test_normal_data_give_students_interval() -> None:
    """On normal data the bootstrap interval has nearly the width and place of Student's."""
    ratios, shifts = [], []
    for seed in range(30):
        values = np.random.default_rng(seed).normal(30, 2, 60)
        low, high = bootstrap_interval(values, seed=0)
        error = stats.sem(values)
        left, right = stats.t.interval(0.95, 59, values.mean(), error)
        ratios.append((high - low) / (right - left))
        shifts.append(((high + low) - (right + left)) / 2 / error)
    # The bootstrap's variance lacks the factor n / (n - 1), and it has no heavier tails.
    assert np.mean(ratios) == pytest.approx(0.97, abs=0.03)
    assert np.abs(np.mean(shifts)) < 0.1


def test_interval_covers_the_true_mean_as_often_as_it_says() -> None:
    """Of 300 intervals on 40 normal values, about 95 % contain the true mean."""
    covered = 0
    for seed in range(300):
        low, high = bootstrap_interval(np.random.default_rng(seed).normal(size=40), seed=seed)
        covered += low <= 0 <= high
    # Four standard errors of a proportion of 0.94, the bootstrap's own at n = 40.
    assert covered / 300 == pytest.approx(0.94, abs=4 * np.sqrt(0.94 * 0.06 / 300))


def test_skewed_data_give_a_skewed_interval() -> None:
    """On exponential data the upper arm is the longer one, as it should be."""
    values = np.random.default_rng(0).exponential(size=50)
    low, high = bootstrap_interval(values, seed=0)
    assert high - values.mean() > 1.1 * (values.mean() - low)


@pytest.mark.parametrize("values", [[], [3.0], [1.0, np.inf, 2.0], [1.0, np.nan]])
def test_no_interval_where_none_can_be(values: list[float]) -> None:
    """One value, or one that is not finite, has no interval."""
    assert np.isnan(bootstrap_interval(np.array(values), seed=0)).all()


def test_equal_values_give_a_point() -> None:
    """Values without spread have an interval without width."""
    assert bootstrap_interval(np.full(5, 0.25), seed=0) == (0.25, 0.25)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000),
    number=st.integers(8, 40),
    scale=st.floats(0.1, 10),
    shift=st.floats(-10, 10),
)
def test_interval_moves_with_the_data(seed: int, number: int, scale: float, shift: float) -> None:
    """Another unit changes the interval as it changes the values, with the same seed."""
    values = np.random.default_rng(seed).normal(size=number)
    plain = np.array(bootstrap_interval(values, seed=1))
    moved = np.array(bootstrap_interval(scale * values + shift, seed=1))
    np.testing.assert_allclose(moved, scale * plain + shift, atol=0.01 * scale)


def test_realisations_count_once_and_clusters_alike() -> None:
    """Realisations are averaged, then images, so that a cluster of many weighs like one of one."""
    rows = [("a", "1", 0, 1.0), ("a", "1", 1, 3.0), ("a", "2", 0, 6.0), ("b", "3", 0, 10.0)]
    frame = pd.DataFrame(rows, columns=["cluster", "image", "realisation", "tv"])
    means = cluster_means(frame.set_index(["cluster", "image", "realisation"]))
    assert means["tv"].to_dict() == {"a": 4.0, "b": 10.0}
