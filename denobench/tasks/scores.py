"""Scores of a classification, their intervals and paired tests, with clusters as the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

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


def calibration_error(
    labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None, bins: int = 10
) -> np.ndarray:
    """Return how far scores are from the share of yes among images of like score, on average.

    Parameters
    ----------
    labels, scores, weights
        As of `auc`.
    bins
        Of equal width.

    Returns
    -------
    numpy.ndarray
        (K,), or (1,) without weights.

    References
    ----------
    C. Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    weights = np.ones((1, len(labels))) if weights is None else weights
    groups = np.minimum((scores * bins).astype(int), bins - 1)
    inside = np.equal.outer(groups, np.arange(bins)) * (labels - scores)[:, None]
    return np.abs(weights @ inside).sum(axis=1) / weights.sum(axis=1)


def brier(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the mean squared error of probabilities, (K,), or (1,) without weights.

    References
    ----------
    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review 78(1), 1950.
    """
    weights = np.ones((1, len(labels))) if weights is None else weights
    return weights @ (scores - labels) ** 2 / weights.sum(axis=1)


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
    reach = (
        float(scipy.stats.norm.ppf(1 - (1 - CONFIDENCE) / 2) + scipy.stats.norm.ppf(POWER)) * error
    )
    if not error:
        return Difference(observed, observed, observed, 1.0 if not observed else 0.0, 0.0)
    p = 2 * float(scipy.stats.t.sf(abs(observed) / error, max(clusters - 1, 1)))
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
        ``auc``, ``brier`` and ``calibration``, each with ``NAME_low`` and ``NAME_high``;
        ``accuracy`` (balanced), ``images``, ``clusters``, and for each reference
        ``REFERENCE_difference``, ``_low``, ``_high``, ``_p`` and ``_detectable``.
    """
    found = []
    for names, part in rows.groupby(["model", "regime", "noise", "level"], sort=False):
        table = part.pivot(index="image", columns="method", values="score")
        about = part.drop_duplicates("image").set_index("image").loc[table.index]
        labels = about["label"].to_numpy(int)
        clusters = about["cluster"].nunique()
        weights = resamples(about["cluster"].to_numpy(), seed=seed)
        where = dict(zip(("model", "regime", "noise", "level"), names, strict=True))
        for method in part["method"].unique():
            scores = table[method].to_numpy(float)
            one = where | {"method": method, "accuracy": balanced_accuracy(labels, scores)}
            one |= {"images": len(labels), "clusters": clusters}
            for name, score in (("auc", auc), ("brier", brier), ("calibration", calibration_error)):
                low, high = interval(score(labels, scores, weights))
                value = float(score(labels, scores)[0])
                one |= {name: value, f"{name}_low": low, f"{name}_high": high}
            for reference in ("noisy", "clean"):
                if method != reference and reference in table:
                    other = table[reference].to_numpy(float)
                    held = compare(labels, scores, other, weights, clusters)
                    one |= {f"{reference}_{name}": value for name, value in vars(held).items()}
            found.append(one)
    return pd.DataFrame(found)


@dataclass(frozen=True)
class Claim:
    """What folds that ignore clusters would claim of clean images.

    Attributes
    ----------
    mixed, held
        The AUC in such folds, and its `Difference` to that in folds by cluster.
    leaked, images
        Images with another of their cluster among those trained on, of all.
    accuracy, other
        The share of right answers of these, and of the others; NaN where there are none.
    """

    mixed: float
    held: Difference
    leaked: int
    images: int
    accuracy: float
    other: float


def claim(rows: pd.DataFrame, *, seed: int) -> Claim | None:
    """Return what a model's rows of one level claim in folds at random; None without such rows."""
    clean = rows[rows["method"] == "clean"]
    mixed, held = (
        clean[clean["regime"] == regime].set_index("image") for regime in ("random", "clean")
    )
    if mixed.empty or held.empty:
        return None
    held = held.reindex(mixed.index)
    labels, clusters = mixed["label"].to_numpy(int), mixed["cluster"].to_numpy()
    one, two = (found["score"].to_numpy(float) for found in (mixed, held))
    weights = resamples(clusters, seed=seed)
    members = mixed.groupby("cluster")["fold"]
    same = mixed.groupby(["cluster", "fold"])["score"].transform("size")
    leaked = (members.transform("size") > same).to_numpy()
    right = (one > 0.5) == (labels == 1)
    return Claim(
        mixed=float(auc(labels, one)[0]),
        held=compare(labels, one, two, weights, mixed["cluster"].nunique()),
        leaked=int(leaked.sum()),
        images=len(labels),
        accuracy=float(right[leaked].mean()) if leaked.any() else float("nan"),
        other=float(right[~leaked].mean()) if not leaked.all() else float("nan"),
    )
