"""Scores of a classification, their intervals and paired tests, with clusters as the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from denobench.seeds import generator
from denobench.statistics import CONFIDENCE, RESAMPLES

POWER = 0.8


def auc(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the area under the ROC curve: the share of pairs in which the yes scores higher.

    Parameters
    ----------
    labels
        0 or 1, (N,).
    scores
        (N,); ties count half.
    weights
        How often each image counts, (K, N); once if left out.

    Returns
    -------
    numpy.ndarray
        (K,), or (1,) without weights; NaN where a label is missing.

    References
    ----------
    H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is
    stochastically larger than the other", Annals of Mathematical Statistics 18(1), 1947.
    """
    weights = np.ones((1, len(labels))) if weights is None else weights
    yes, no = labels == 1, labels == 0
    wins = np.sign(scores[yes][:, None] - scores[no][None]) / 2 + 0.5
    pairs = weights[:, yes].sum(axis=1) * weights[:, no].sum(axis=1)
    with np.errstate(invalid="ignore"):
        return ((weights[:, yes] @ wins) * weights[:, no]).sum(axis=1) / pairs


def balanced_accuracy(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the mean share of right answers of both labels; a score above 0.5 is a yes."""
    right = (scores > 0.5) == (labels == 1)
    return float(np.mean([right[labels == label].mean() for label in (0, 1)]))


def calibration_error(labels: np.ndarray, scores: np.ndarray, bins: int = 10) -> float:
    """Return how far scores are from the share of yes among images of like score, on average.

    References
    ----------
    C. Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    groups = np.minimum((scores * bins).astype(int), bins - 1)
    parts = (groups == group for group in range(bins))
    gaps = [
        part.mean() * abs(labels[part].mean() - scores[part].mean()) for part in parts if part.any()
    ]
    return float(np.sum(gaps))


def resamples(clusters: np.ndarray, *, seed: int) -> np.ndarray:
    """Return how often each image counts in each resample of whole clusters, (`RESAMPLES`, N)."""
    names, member = np.unique(clusters, return_inverse=True)
    rng = generator("tasks", seed)
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    return counts[:, member].astype(np.float64)


@dataclass(frozen=True)
class Difference:
    """An AUC held against another on the same images.

    Attributes
    ----------
    difference, low, high
        Of the AUC, with its 95 % interval.
    p
        Two-sided, for one test alone.
    detectable
        The difference that so many clusters would show at 5 % with a power of 80 %.
    """

    difference: float
    low: float
    high: float
    p: float
    detectable: float


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile interval of resampled values; those that are NaN are left out."""
    tail = (1 - CONFIDENCE) / 2
    found = values[np.isfinite(values)]
    if not found.size:
        return float("nan"), float("nan")
    low, high = np.quantile(found, (tail, 1 - tail))
    return float(low), float(high)


def compare(
    labels: np.ndarray,
    scores: np.ndarray,
    reference: np.ndarray,
    weights: np.ndarray,
    clusters: int,
) -> Difference:
    """Hold scores against a reference's by a paired bootstrap over clusters.

    The test is that of the studentised difference: the bootstrap's standard error, and a t
    distribution with as many degrees of freedom as there are clusters less one.

    Parameters
    ----------
    labels
        0 or 1, (N,).
    scores, reference
        Of the same images, (N,).
    weights
        From `resamples`.
    clusters
        How many clusters there are.

    References
    ----------
    B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 12 and 16.
    """
    observed = float((auc(labels, scores) - auc(labels, reference))[0])
    drawn = auc(labels, scores, weights) - auc(labels, reference, weights)
    drawn = drawn[np.isfinite(drawn)]
    error = float(drawn.std(ddof=1)) if len(drawn) > 1 else float("nan")
    reach = float(norm.ppf(1 - (1 - CONFIDENCE) / 2) + norm.ppf(POWER)) * error
    if not error:
        return Difference(observed, observed, observed, 1.0 if not observed else 0.0, 0.0)
    p = 2 * float(t.sf(abs(observed) / error, max(clusters - 1, 1)))
    return Difference(observed, *interval(drawn), p, reach)


def summarise(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return scores of every model, regime, level and method, with tests against both references.

    Parameters
    ----------
    rows
        The rows of one task: ``model``, ``regime``, ``noise``, ``level``, ``method``, ``image``,
        ``cluster``, ``label`` (0 or 1) and ``score``. The methods ``clean`` and ``noisy`` are the
        references.
    seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        ``auc`` with ``low`` and ``high``, ``accuracy`` (balanced), ``brier``, ``calibration``,
        ``images``, ``clusters``, and for each reference ``REFERENCE_difference``, ``_low``,
        ``_high``, ``_p`` and ``_detectable``.
    """
    found = []
    for (model, regime, noise, level), part in rows.groupby(
        ["model", "regime", "noise", "level"], sort=False
    ):
        table = part.pivot(index="image", columns="method", values="score")
        about = part.drop_duplicates("image").set_index("image").loc[table.index]
        labels = about["label"].to_numpy(int)
        clusters = about["cluster"].nunique()
        weights = resamples(about["cluster"].to_numpy(), seed=seed)
        for method in part["method"].unique():
            scores = table[method].to_numpy(float)
            low, high = interval(auc(labels, scores, weights))
            one = {
                "model": model, "regime": regime, "noise": noise, "level": level,
                "method": method, "auc": float(auc(labels, scores)[0]), "low": low, "high": high,
                "accuracy": balanced_accuracy(labels, scores),
                "brier": float(np.mean((scores - labels) ** 2)),
                "calibration": calibration_error(labels, scores),
                "images": len(labels), "clusters": clusters,
            }  # fmt: skip
            for reference in ("noisy", "clean"):
                if method != reference and reference in table:
                    other = table[reference].to_numpy(float)
                    held = compare(labels, scores, other, weights, clusters)
                    one |= {f"{reference}_{name}": value for name, value in vars(held).items()}
            found.append(one)
    return pd.DataFrame(found)
