"""Scores of tasks: right by another package, and tests that keep their level."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, roc_auc_score

from denobench.tasks import scores


def sample(seed: int, clusters: int = 40, gain: float = 0.0) -> tuple[np.ndarray, ...]:
    """Return labels, two methods' scores and clusters: one is better by ``gain`` deviations."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, clusters)
    cluster = np.repeat(np.arange(clusters), sizes)
    labels = np.repeat(rng.integers(0, 2, clusters), sizes)
    shared = np.repeat(rng.normal(size=clusters), sizes) + 0.8 * labels
    one, other = (shared + 0.7 * rng.normal(size=len(labels)) + g * labels for g in (gain, 0.0))
    return labels, one, other, cluster


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_scikit_learns(seed: int) -> None:
    """AUC, with ties and weights, balanced accuracy and the Brier score equal scikit-learn's."""
    labels, one, _, cluster = sample(seed)
    probabilities = np.round(1 / (1 + np.exp(-one)), 1)
    assert scores.auc(labels, probabilities)[0] == pytest.approx(
        roc_auc_score(labels, probabilities)
    )
    weights = scores.resamples(cluster, seed=seed)[:5]
    for weight, found in zip(weights, scores.auc(labels, one, weights), strict=True):
        assert found == pytest.approx(roc_auc_score(labels, one, sample_weight=weight))
    said = balanced_accuracy_score(labels, probabilities > 0.5)
    assert scores.balanced_accuracy(labels, probabilities) == pytest.approx(said)
    rows = pd.DataFrame(
        {"model": "m", "regime": "clean", "noise": "gaussian", "level": 0.1, "method": "noisy",
         "image": np.arange(len(labels)), "cluster": cluster, "label": labels,
         "score": probabilities}
    )  # fmt: skip
    found = scores.summarise(rows, seed=0).iloc[0]
    assert found["brier"] == pytest.approx(brier_score_loss(labels, probabilities))
    assert found["auc_low"] < found["auc"] < found["auc_high"]


def test_calibration_error_of_what_is_calibrated_is_none() -> None:
    """Scores that equal the share of yes have no error; others have their distance."""
    labels = np.repeat([0, 1], [30, 10])
    assert scores.calibration_error(labels, np.full(40, 0.25)) == pytest.approx([0])
    assert scores.calibration_error(labels, np.full(40, 0.75)) == pytest.approx([0.5])


def test_whole_clusters_are_drawn() -> None:
    """Images of a cluster count alike in every resample, and as many clusters as there are."""
    cluster = np.array([3, 3, 5, 7, 7, 7])
    weights = scores.resamples(cluster, seed=1)
    for name in np.unique(cluster):
        assert (np.ptp(weights[:, cluster == name], axis=1) == 0).all()
    first = [np.flatnonzero(cluster == name)[0] for name in np.unique(cluster)]
    assert (weights[:, first].sum(axis=1) == 3).all()


def test_level_is_kept_where_methods_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 comparisons of methods that are alike about one in twenty is called different."""
    monkeypatch.setattr(scores, "RESAMPLES", 400)
    p = []
    for seed in range(200):
        labels, one, other, cluster = sample(seed)
        weights = scores.resamples(cluster, seed=seed)
        p.append(scores.compare(labels, one, other, weights, 40).p)
    assert 0.01 <= np.mean(np.array(p) < 0.05) <= 0.09


def test_detectable_difference_is_detected_four_times_in_five(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A true difference of the size that is told is found with about the power that is told."""
    monkeypatch.setattr(scores, "RESAMPLES", 300)
    found, reach, difference = [], [], []
    for seed in range(60):
        labels, one, other, cluster = sample(seed, gain=0.7)
        held = scores.compare(labels, one, other, scores.resamples(cluster, seed=seed), 40)
        found.append(held.p < 0.05)
        reach.append(held.detectable)
        difference.append(held.difference)
    expected = np.mean(difference) / np.mean(reach)
    assert 0.8 < expected < 1.2
    assert np.mean(found) == pytest.approx(0.8, abs=0.15)


def test_equal_scores_differ_by_nothing() -> None:
    """A method held against itself has no difference and p 1."""
    labels, one, _, cluster = sample(0)
    held = scores.compare(labels, one, one, scores.resamples(cluster, seed=0), 40)
    assert (held.difference, held.p) == (0, 1)


def test_resampled_brier_and_calibration_are_those_of_the_images_drawn() -> None:
    """A weight of two is an image twice, a weight of none one less."""
    labels, one, _, cluster = sample(1)
    probabilities = 1 / (1 + np.exp(-one))
    weights = scores.resamples(cluster, seed=0)[:4]
    for weight, brier, calibration in zip(
        weights,
        scores.brier(labels, probabilities, weights),
        scores.calibration_error(labels, probabilities, weights),
        strict=True,
    ):
        drawn = np.repeat(np.arange(len(labels)), weight.astype(int))
        own = labels[drawn], probabilities[drawn]
        assert brier == pytest.approx(brier_score_loss(*own))
        assert calibration == pytest.approx(scores.calibration_error(*own)[0])


def test_claim_tells_what_near_duplicates_on_both_sides_give() -> None:
    """A model that knows its training images' clusters by heart gains in mixed folds alone."""
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(40), [1, 3] * 20)
    labels = (cluster // 2) % 2
    held = pd.DataFrame(
        {"regime": "clean", "method": "clean", "image": np.arange(80), "cluster": cluster,
         "label": labels, "fold": cluster % 5, "score": rng.uniform(size=80)}
    )  # fmt: skip
    fold = np.arange(80) % 5
    leaked = np.array(
        [((cluster == own) & (fold != number)).any()
         for own, number in zip(cluster, fold, strict=True)]
    )  # fmt: skip
    known = np.where(leaked, 0.8 * labels + 0.1, held["score"])
    mixed = held.assign(regime="random", fold=fold, score=known)
    found = scores.claim(pd.concat([held, mixed]), seed=0)
    assert found is not None
    assert (found.leaked, found.images) == (60, 80)
    assert found.mixed == pytest.approx(roc_auc_score(labels, known))
    assert found.held.difference == pytest.approx(
        roc_auc_score(labels, known) - roc_auc_score(labels, held["score"])
    )
    assert found.held.low > 0
    assert found.accuracy == 1
    assert found.other == pytest.approx(np.mean((known > 0.5)[~leaked] == labels[~leaked]))
    assert scores.claim(held, seed=0) is None
