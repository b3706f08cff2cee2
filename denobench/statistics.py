"""Intervals, paired tests and ranks over clusters, the unit of all statistics."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from denobench import seeds

CONFIDENCE = 0.95
RESAMPLES = 1999


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


def bootstrap_interval(values: np.ndarray, *, seed: int) -> tuple[float, float]:
    """Return the bias-corrected and accelerated (BCa) bootstrap interval of a mean.

    Parameters
    ----------
    values
        One value per cluster, (N,).
    seed
        Of the resampling; equal seeds give equal intervals.

    Returns
    -------
    tuple of float
        Lower and upper end at a confidence of 95 %; NaN where there is no interval: fewer than
        two values, or one that is not finite.

    References
    ----------
    B. Efron, "Better bootstrap confidence intervals", Journal of the American Statistical
    Association 82(397), 1987.
    """
    values = np.asarray(values, np.float64)
    if values.size < 2 or not np.isfinite(values).all():
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    with warnings.catch_warnings():
        # Nearly constant values may leave BCa undefined; the caller then sees NaN.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = stats.bootstrap(
            (values,),
            np.mean,
            confidence_level=CONFIDENCE,
            n_resamples=RESAMPLES,
            method="BCa",
            batch=1000,
            rng=seeds.numbered(seed),
        ).confidence_interval
    return float(found.low), float(found.high)


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


def compare(values: np.ndarray, reference: np.ndarray, *, seed: int) -> Paired:
    """Hold a method's scores against a reference's.

    Parameters
    ----------
    values, reference
        One finite value per cluster, (N,), in the same order.
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
    ranks = stats.rankdata(np.abs(differences[differences != 0]))
    signs = np.sign(differences[differences != 0])
    low, high = bootstrap_interval(differences, seed=seed)
    return Paired(
        difference=float(differences.mean()),
        low=low,
        high=high,
        p=float(stats.wilcoxon(differences).pvalue) if ranks.size else 1.0,
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
    quantile = stats.studentized_range.ppf(CONFIDENCE, methods, np.inf) / np.sqrt(2)
    return Ranking(
        means=ranks.mean().sort_values(kind="stable"),
        p=float(stats.friedmanchisquare(*means.to_numpy().T).pvalue),
        critical_difference=float(quantile * spread),
        p_values=posthoc_nemenyi_friedman(means.to_numpy())
        .set_axis(means.columns)
        .set_axis(means.columns, axis=1),
        clusters=clusters,
    )
