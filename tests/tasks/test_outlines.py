"""Outlines: overlap and distances as other packages have them, lesions counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from denobench.tasks import outlines

Y, X = np.mgrid[:96, :96]


def blob(seed: int) -> np.ndarray:
    """Return an irregular region."""
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(35, 60, (2, 4))
    sizes = rng.integers(5, 14, 4)
    places = zip(rows, columns, sizes, strict=True)
    return np.any([np.hypot(Y - r, X - c) < size for r, c, size in places], axis=0)


def edge(mask: np.ndarray) -> np.ndarray:
    """Return the pixels with a neighbour outside, found by looking at each."""
    padded = np.pad(mask, 1)
    around = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.argwhere(mask & ~around)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 2.0)])
def test_hausdorff_distance_is_that_of_all_pairs(seed: int, spacing: tuple[float, float]) -> None:
    """The 95th percentiles equal those of the distances of all pairs of border pixels."""
    one, two = blob(seed), blob(seed + 50)
    pairs = cdist(edge(one) * spacing, edge(two) * spacing)
    expected = max(np.percentile(pairs.min(axis=axis), 95) for axis in (0, 1))
    assert outlines.hausdorff95(one, two, spacing) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(4))
def test_dice_is_simple_itks(seed: int) -> None:
    """The overlap equals SimpleITK's, and its greatest distance bounds the percentile."""
    itk = pytest.importorskip("SimpleITK")
    one, two = blob(seed), blob(seed + 50)
    images = [itk.GetImageFromArray(each.astype(np.uint8)) for each in (one, two)]
    measures = itk.LabelOverlapMeasuresImageFilter()
    measures.Execute(*images)
    assert outlines.dice(one, two) == pytest.approx(measures.GetDiceCoefficient())
    distance = itk.HausdorffDistanceImageFilter()
    distance.Execute(*(itk.LabelContour(image) for image in images))
    assert outlines.hausdorff95(one, two) <= distance.GetHausdorffDistance() + 1e-6


def test_closed_forms() -> None:
    """A shifted square and a larger circle have the distances that one can write down."""
    square = (abs(Y - 40) <= 10) & (abs(X - 40) <= 10)
    assert outlines.hausdorff95(square, np.roll(square, 3, axis=1)) == 3
    assert outlines.dice(square, np.roll(square, 3, axis=1)) == pytest.approx(18 / 21)
    small, large = (np.hypot(Y - 48, X - 48) <= radius for radius in (10, 20))
    assert outlines.hausdorff95(small, large) == pytest.approx(10, abs=0.5)
    empty = np.zeros_like(square)
    assert np.isnan(outlines.hausdorff95(empty, square))
    assert outlines.dice(empty, square) == 0
    assert np.isnan(outlines.dice(empty, empty))


def test_lesions_are_counted() -> None:
    """One is found, a small one missed, one invented; the unit decides which are small."""
    truth = (np.hypot(Y - 30, X - 30) < 12) | (np.hypot(Y - 70, X - 70) < 3)
    answer = (np.hypot(Y - 30, X - 34) < 12) | (np.hypot(Y - 20, X - 80) < 5)
    assert outlines.lesions(answer, truth) == {
        "lesions": 2, "missed": 1, "small": 1, "small_missed": 1, "invented": 1,
    }  # fmt: skip
    assert outlines.lesions(answer, truth, (0.5, 0.5))["small"] == 2
    assert outlines.lesions(answer, truth, (8.0, 8.0))["small"] == 0


def test_two_outlines_of_one_lesion_are_not_invented() -> None:
    """Two regions that touch the same lesion are both of it."""
    truth = (abs(Y - 48) < 4) & (abs(X - 48) < 20)
    answer = truth & (abs(X - 48) > 5)
    assert outlines.lesions(answer, truth)["invented"] == 0
    assert outlines.lesions(answer, truth)["missed"] == 0


def test_summary_averages_clusters_and_keeps_lesions_apart() -> None:
    """Dice is the mean of the clusters' means; images without a lesion only invent."""
    dice = [0.9, 0.7, 0.4, np.nan]
    rows = pd.DataFrame(
        {"model": "m", "regime": "clean", "noise": "gaussian", "level": 0.1, "method": "noisy",
         "image": range(4), "cluster": ["a", "a", "b", "c"], "dice": dice,
         "hd95": [2.0, 4.0, np.nan, np.nan], "unit": "mm", "lesions": [1, 1, 2, 0],
         "missed": [0, 0, 1, 0], "small": [0, 0, 1, 0], "small_missed": [0, 0, 1, 0],
         "invented": [0, 0, 0, 2]}
    )  # fmt: skip
    better = rows.assign(method="clean", dice=[1.0, 1.0, 1.0, np.nan])
    found = outlines.summarise(pd.concat([rows, better]), seed=0).set_index("method")
    noisy = found.loc["noisy"]
    assert noisy["dice"] == pytest.approx(0.6)
    assert noisy["hd95"] == pytest.approx(3)
    assert (noisy["missed"], noisy["small_missed"], noisy["invented"]) == (0.25, 1, 0.5)
    assert noisy["clean_difference"] == pytest.approx(-0.4)
    assert noisy["clusters"] == 2
