"""Intervals, paired tests and ranks over clusters, the unit of all statistics."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy  # its statistics, which take half a second, are imported when they are used

from denobench.seeds import numbered

CONFIDENCE = 0.95
RESAMPLES = 1999
_BATCH = 1000  # resamples at once, on which the numbers depend
_ELEMENTS = 20_000_000  # that a bootstrap holds in memory at once


def cluster_means(scores: pd.DataFrame) -> pd.DataFrame:
    """Average realisations, then the images of a cluster.

    Parameters
    ----------
    scores
        One row per realisation of an image, with index levels ``cluster`` and ``image`` (and any
        others); one column per method.

    Returns
    -------
    pandas.DataFrame
        One row per cluster, the same columns.
    """
    return scores.groupby(level=["cluster", "image"]).mean().groupby(level="cluster").mean()


def bootstrap_intervals(values: np.ndarray, *, seed: int) -> np.ndarray:
    """Return the bias-corrected and accelerated (BCa) bootstrap intervals of means.

    Parameters
    ----------
    values
        One row per mean with a value per cluster, (K, N).
    seed
        Of the resampling, the same for every row; equal seeds give equal intervals.

    Returns
    -------
    numpy.ndarray
        (K, 2): lower and upper end at a confidence of 95 %; NaN where there is no interval: fewer
        than two values, or one that is not finite.

    References
    ----------
    B. Efron, "Better bootstrap confidence intervals", Journal of the American Statistical
    Association 82(397), 1987.
    """
    values = np.asarray(values, np.float64)
    found = np.full((len(values), 2), np.nan)
    if not values.size or values.shape[1] < 2:
        return found
    finite = np.isfinite(values).all(axis=1)
    same = finite & (values == values[:, :1]).all(axis=1)
    found[same] = values[same, :1]
    rest = np.flatnonzero(finite & ~same)
    together = max(1, _ELEMENTS // (_BATCH * values.shape[1]))
    for start in range(0, len(rest), together):
        rows = rest[start : start + together]
        found[rows] = _bca(values[rows], seed)
    return found


def _bca(values: np.ndarray, seed: int) -> np.ndarray:
    with warnings.catch_warnings():
        # Nearly constant values may leave BCa undefined; the caller then sees NaN.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = scipy.stats.bootstrap(
            (values,),
            np.mean,
            axis=-1,
            confidence_level=CONFIDENCE,
            n_resamples=RESAMPLES,
            method="BCa",
            batch=_BATCH,
            rng=numbered(seed),
        ).confidence_interval
    return np.column_stack([interval.low, interval.high])


@dataclass(frozen=True)
class Paired:
    """One method held against another on the same clusters.

    Attributes
    ----------
    difference
        Mean of the differences.
    low, high
        Its 95 % bootstrap interval.
    p
        Of the two-sided Wilcoxon signed-rank test, for one test alone.
    effect
        Matched-pairs rank-biserial correlation, from -1 (lower in every cluster) to 1.
    clusters
        Number of differences.
    """

    difference: float
    low: float
    high: float
    p: float
    effect: float
    clusters: int


def compare(values: np.ndarray, reference: np.ndarray, *, seed: int) -> list[Paired]:
    """Hold methods' scores against a reference's.

    Parameters
    ----------
    values
        One row per method with a finite value per cluster, (K, N).
    reference
        The reference's, (N,), in the same order.
    seed
        Of the bootstrap.

    Raises
    ------
    ValueError
        If there are no values, or one is not finite.

    References
    ----------
    F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1(6), 1945.
    D. S. Kerby, "The simple difference formula: an approach to teaching nonparametric
    correlation", Comprehensive Psychology 3, 2014.
    """
    differences = np.asarray(values, np.float64) - np.asarray(reference, np.float64)
    if not differences.size or not np.isfinite(differences).all():
        raise ValueError("a comparison needs finite values")
    bounds = bootstrap_intervals(differences, seed=seed)
    return [_paired(each, *ends) for each, ends in zip(differences, bounds, strict=True)]


def _paired(differences: np.ndarray, low: float, high: float) -> Paired:
    ranks = scipy.stats.rankdata(np.abs(differences[differences != 0]))
    signs = np.sign(differences[differences != 0])
    return Paired(
        difference=float(differences.mean()),
        low=float(low),
        high=float(high),
        p=float(scipy.stats.wilcoxon(differences).pvalue) if ranks.size else 1.0,
        effect=float(np.sum(signs * ranks) / ranks.sum()) if ranks.size else 0.0,
        clusters=differences.size,
    )


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust the p values of one family so that the family's type I error is the level.

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6(2), 1979.
    """
    p_values = np.asarray(p_values, np.float64)
    order = np.argsort(p_values)
    remaining = np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * remaining), 1)
    return adjusted


def smallest_p(clusters: int, comparisons: int) -> float:
    """Return the least p that `holm` can leave of a family of signed-rank tests, at most 1.

    A two-sided signed-rank test of N differences without ties has a p of at least 2 / 2^N, which
    is what it gives where all of them have one sign.

    Examples
    --------
    >>> smallest_p(8, 33)
    0.2578125
    """
    return min(1.0, comparisons * 2.0 ** (1 - clusters))


@dataclass(frozen=True)
class Ranking:
    """Methods ranked in every cluster.

    Attributes
    ----------
    means
        Mean rank of every method; 1 is the best.
    p
        Of Friedman's test that all methods rank alike.
    critical_difference
        Mean ranks further apart than this differ, by Nemenyi's test at 5 %.
    p_values
        Nemenyi's, method by method.
    clusters
        Number of clusters.
    """

    means: pd.Series
    p: float
    critical_difference: float
    p_values: pd.DataFrame
    clusters: int


def rank(means: pd.DataFrame, *, higher_is_better: bool) -> Ranking:
    """Rank three or more methods over clusters.

    Parameters
    ----------
    means
        One row per cluster, one column per method, as `cluster_means` returns it.
    higher_is_better
        Whether rank 1 is the highest value.

    References
    ----------
    J. Demsar, "Statistical comparisons of classifiers over multiple data sets", Journal of Machine
    Learning Research 7, 2006.
    """
    from scikit_posthocs import posthoc_nemenyi_friedman  # takes a second to import

    clusters, methods = means.shape
    ranks = means.rank(axis=1, ascending=not higher_is_better)
    spread = np.sqrt(methods * (methods + 1) / (6 * clusters))
    quantile = scipy.stats.studentized_range.ppf(CONFIDENCE, methods, np.inf) / np.sqrt(2)
    return Ranking(
        means=ranks.mean().sort_values(kind="stable"),
        p=float(scipy.stats.friedmanchisquare(*means.to_numpy().T).pvalue),
        critical_difference=float(quantile * spread),
        p_values=posthoc_nemenyi_friedman(means.to_numpy())
        .set_axis(means.columns)
        .set_axis(means.columns, axis=1),
        clusters=clusters,
    )
