"""Intervals over clusters, the unit of all statistics."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy import stats

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
            rng=np.random.default_rng(seed),
        ).confidence_interval
    return float(found.low), float(found.high)
