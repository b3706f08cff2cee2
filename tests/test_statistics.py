"""Intervals, tests and ranks against closed forms, published examples and simulated data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from denobench.statistics import bootstrap_intervals, cluster_means, compare, holm, rank


def interval(values: np.ndarray, *, seed: int) -> tuple[float, float]:
    ((low, high),) = bootstrap_intervals(np.asarray(values)[None], seed=seed)
    return low, high


def test_normal_data_give_students_interval() -> None:
    """On normal data the bootstrap interval has nearly the width and place of Student's."""
    ratios, shifts = [], []
    for seed in range(30):
        values = np.random.default_rng(seed).normal(30, 2, 60)
        low, high = interval(values, seed=0)
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
        low, high = interval(np.random.default_rng(seed).normal(size=40), seed=seed)
        covered += low <= 0 <= high
    # Four standard errors of a proportion of 0.94, the bootstrap's own at n = 40.
    assert covered / 300 == pytest.approx(0.94, abs=4 * np.sqrt(0.94 * 0.06 / 300))


def test_skewed_data_give_a_skewed_interval() -> None:
    """On exponential data the upper arm is the longer one, as it should be."""
    values = np.random.default_rng(0).exponential(size=50)
    low, high = interval(values, seed=0)
    assert high - values.mean() > 1.1 * (values.mean() - low)


@pytest.mark.parametrize("values", [[], [3.0], [1.0, np.inf, 2.0], [1.0, np.nan]])
def test_no_interval_where_none_can_be(values: list[float]) -> None:
    """One value, or one that is not finite, has no interval."""
    assert np.isnan(interval(np.array(values), seed=0)).all()


def test_equal_values_give_a_point() -> None:
    """Values without spread have an interval without width."""
    assert interval(np.full(5, 0.25), seed=0) == (0.25, 0.25)


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
    plain = np.array(interval(values, seed=1))
    moved = np.array(interval(scale * values + shift, seed=1))
    np.testing.assert_allclose(moved, scale * plain + shift, atol=0.01 * scale)


def test_realisations_count_once_and_clusters_alike() -> None:
    """Realisations are averaged, then images, so that a cluster of many weighs like one of one."""
    rows = [("a", "1", 0, 1.0), ("a", "1", 1, 3.0), ("a", "2", 0, 6.0), ("b", "3", 0, 10.0)]
    frame = pd.DataFrame(rows, columns=["cluster", "image", "realisation", "tv"])
    means = cluster_means(frame.set_index(["cluster", "image", "realisation"]))
    assert means["tv"].to_dict() == {"a": 4.0, "b": 10.0}


def test_compare_agrees_with_counting() -> None:
    """Effect and p value are those of all sign patterns counted one by one."""
    differences = np.array([0.4, -0.1, 0.3, 0.9, 0.5, -0.2, 0.8])
    ranks = np.argsort(np.argsort(np.abs(differences))) + 1
    observed = ranks[differences > 0].sum()
    patterns = np.array(np.meshgrid(*[[0, 1]] * 7)).reshape(7, -1)
    sums = ranks @ patterns
    share = np.mean(np.abs(sums - 14) >= abs(observed - 14))  # 14 is the mean of the 128 sums
    (found,) = compare(1 + differences[None], np.ones(7), seed=0)
    assert found.p == pytest.approx(share)
    assert found.effect == pytest.approx((observed - (28 - observed)) / 28)
    assert found.difference == pytest.approx(differences.mean())
    assert found.low < found.difference < found.high


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(-10, 10).map(lambda value: round(value, 2)), min_size=2, max_size=12))
def test_comparing_the_other_way_round_turns_the_sign(values: list[float]) -> None:
    """Exchanging method and reference turns difference and effect, and keeps the p value."""
    first, second = np.array(values), np.zeros(len(values))
    ((ahead,), (behind,)) = (
        compare(first[None], second, seed=0),
        compare(second[None], first, seed=0),
    )
    assert ahead.difference == pytest.approx(-behind.difference)
    assert ahead.effect == pytest.approx(-behind.effect)
    assert ahead.p == pytest.approx(behind.p)
    assert -1 <= ahead.effect <= 1


def test_equal_methods_do_not_differ() -> None:
    """Without any difference there is no effect, and the p value is 1."""
    (found,) = compare(np.ones((1, 8)), np.ones(8), seed=0)
    assert (found.difference, found.effect, found.p) == (0, 0, 1)


def test_compare_needs_finite_values() -> None:
    """An infinite score is refused rather than averaged."""
    with pytest.raises(ValueError, match="finite"):
        compare(np.array([[1, np.inf]]), np.zeros(2), seed=0)


def test_holm_is_the_step_down_of_bonferroni() -> None:
    """Each adjusted value is the largest so far of p times the number of those not smaller."""
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert len(holm(np.array([]))) == 0


def test_families_of_equal_methods_err_as_often_as_they_may() -> None:
    """Where no method differs, at most 5 % of the families of 6 tests find one that does."""
    random, families = np.random.default_rng(0), 1500
    scores = random.normal(size=(families, 7, 40))
    differences = scores[:, 1:] - scores[:, :1]
    sums = np.sum(stats.rankdata(np.abs(differences), axis=2) * (differences > 0), axis=2)
    # The signed-rank sum's normal approximation, as a book has it.
    p_values = 2 * stats.norm.sf(np.abs(sums - 40 * 41 / 4) / np.sqrt(40 * 41 * 81 / 24))
    wrong = np.mean([holm(family).min() < 0.05 for family in p_values])
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / families)
    assert wrong > 0.02  # and not by never finding anything
    alone, *_ = compare(scores[0, 1:], scores[0, 0], seed=0)
    assert alone.p == pytest.approx(p_values[0, 0], abs=0.01)  # exact beside its approximation


def test_ranks_of_equal_methods_differ_as_often_as_they_may() -> None:
    """Where no method differs, Friedman and Nemenyi each err in about 5 % of 400 comparisons."""
    random, friedman, nemenyi = np.random.default_rng(1), 0, 0
    for _ in range(400):
        found = rank(pd.DataFrame(random.normal(size=(30, 4))), higher_is_better=True)
        friedman += found.p < 0.05
        nemenyi += np.ptp(found.means) > found.critical_difference
    assert friedman / 400 == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 400))
    assert nemenyi / 400 == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 400))


def test_critical_difference_is_the_published_one() -> None:
    """Demsar 2006, section 3.2.2: four classifiers on 14 data sets differ from 1.25 ranks on."""
    values = pd.DataFrame(np.random.default_rng(0).normal(size=(14, 4)), columns=[*"abcd"])
    found = rank(values, higher_is_better=True)
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)
    apart = np.abs(np.subtract.outer(found.means.to_numpy(), found.means.to_numpy()))
    p_values = found.p_values.loc[found.means.index, found.means.index].to_numpy()
    assert np.array_equal(p_values < 0.05, apart > found.critical_difference)


def test_the_best_method_has_rank_one() -> None:
    """A method that is best in every cluster has mean rank 1, whichever way is better."""
    values = pd.DataFrame({"low": [1.0, 2, 3], "middle": [2.0, 3, 4], "high": [3.0, 4, 5]})
    assert [*rank(values, higher_is_better=True).means.index] == ["high", "middle", "low"]
    assert [*rank(values, higher_is_better=False).means.index] == ["low", "middle", "high"]


def test_intervals_are_those_of_scipy_one_by_one() -> None:
    """Many rows at once have the very intervals of scipy's bootstrap of each by itself."""
    rows = np.random.default_rng(0).gamma(2.0, size=(7, 30))
    rows[3] = 1.0
    rows[5, 2] = np.inf
    found = bootstrap_intervals(rows, seed=4)
    for row in (0, 1, 2, 4, 6):
        expected = stats.bootstrap(
            (rows[row],), np.mean, n_resamples=1999, method="BCa", rng=np.random.default_rng(4)
        ).confidence_interval
        assert found[row] == pytest.approx([expected.low, expected.high], abs=1e-12)
    assert found[3].tolist() == [1, 1]
    assert np.isnan(found[5]).all()
    assert bootstrap_intervals(np.empty((0, 5)), seed=0).shape == (0, 2)
