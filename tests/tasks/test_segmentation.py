"""Outlining: pixels learn what is there, and distances are in the unit that is known."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from denobench.datasets import FileItem, Item
from denobench.errors import DenobenchError
from denobench.tasks import outlines
from denobench.tasks.pixels import PixelForest
from denobench.tasks.segmentation import tumour_segmentation


def images(count: int, seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return discs on dark ground, two of three with a bright spot, and where it is."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :96]
    shown, masks = [], []
    for number in range(count):
        row, column, size = *rng.integers(30, 66, 2), rng.integers(7, 12)
        mask = (np.hypot(y - row, x - column) < size) & (number % 3 > 0)
        image = 0.4 * (np.hypot(y - 48, x - 48) < 42) + 0.4 * mask
        shown.append((image + 0.03 * rng.normal(size=image.shape)).astype(np.float32))
        masks.append(mask)
    return np.stack(shown), masks


def test_pixels_are_learnt_and_told_again() -> None:
    """Spots of other images are outlined, images without one are left alone, twice alike."""
    train, masks = images(24, 0)
    test, truth = images(9, 1)
    answers = []
    importlib.import_module("sklearn.ensemble")  # whose threads can be limited when it is there
    with threadpool_limits(1):  # as in a worker: on a busy machine threads wait for each other
        for _ in range(2):
            model = PixelForest()
            model.fit(np.stack([*map(model.prepare, train)]), masks, seed=1)
            answers.append(model.score(np.stack([*map(model.prepare, test)])))
    np.testing.assert_array_equal(*answers)
    item = Known("i", "yes", "c", "d")
    rated = [
        tumour_segmentation.rate(answer, mask, item, 96)
        for answer, mask in zip(answers[0], truth, strict=True)
    ]
    assert np.nanmean([each["dice"] for each in rated]) > 0.8
    assert sum(each["missed"] + each["invented"] for each in rated) == 0
    assert {each["unit"] for each in rated} == {"pixels"}


@dataclass(frozen=True)
class Known(Item):
    """An image with a mask of one square, or an empty one, or none."""

    side: int | None = 4

    def read(self, size: int | None = None) -> np.ndarray:  # noqa: ARG002
        return np.zeros((32, 32), np.float32)

    @property
    def outlined(self) -> bool:
        return self.side is not None

    def mask(self, size: int | None = None) -> np.ndarray | None:  # noqa: ARG002
        mask = np.zeros((32, 32), np.uint8)
        mask[: self.side or 0, : self.side or 0] = 1
        return mask


def test_distance_is_in_millimetres_of_the_resized_image() -> None:
    """100 x 200 pixels of 2 x 1 mm become a square of 50 with 4 mm a pixel."""
    item = FileItem("i", "", "c", "d", spacing=(2.0, 1.0), shape=(100, 200))
    assert item.spacing_at(50) == (4.0, 4.0)
    assert item.spacing_at(None) == (2.0, 1.0)
    truth = np.zeros((50, 50), bool)
    truth[20:30, 20:30] = True
    shifted = np.roll(truth, 2, axis=0).astype(np.float32)
    rated = tumour_segmentation.rate(shifted, truth, item, 50)
    assert (rated["hd95"], rated["unit"]) == (8, "mm")
    assert rated["hd95"] == outlines.hausdorff95(shifted > 0.5, truth, (4, 4))


def known(*sides: int | None) -> list[list[Item]]:
    """Return folds of one image each."""
    return [[Known(f"{n}", "yes", f"{n}", f"{n}", side=side)] for n, side in enumerate(sides)]


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        ((None, None), "needs masks of the tumours, and none of the 2 images has one"),
        ((0, 0), "none of the 2 masks shows a lesion"),
        ((4, 0, 4), r"fold 2 of 3 has no lesion to test \(2 of 3 masks"),
        ((4, 0), "fold 1 of 2 has no lesion to train on"),
    ],
)
def test_what_cannot_be_outlined_is_refused(sides: tuple[int | None, ...], message: str) -> None:
    """One sentence says which masks are lacking."""
    folds = known(*sides)
    with pytest.raises(DenobenchError, match=message):
        tumour_segmentation.check([item for fold in folds for item in fold], folds)
