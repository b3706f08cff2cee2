"""Features of every pixel, and gradient-boosted trees on them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import cv2
import numpy as np
from scipy import ndimage

from denobench.seeds import generator
from denobench.tasks.base import TaskModel

_SIDE = 64
_SCALES = (0.7, 1.5, 3.0, 6.0)  # pixels
_PIXELS = 150  # of an image that are trained on: half of them of the tumour where there is one
_HELD = 5  # every fifth training image chooses the threshold
_THRESHOLDS = np.linspace(0.1, 0.95, 18)
_SMALLEST = 6  # pixels of a region that is told


class PixelForest(TaskModel):
    """Gradient-boosted trees on what surrounds a pixel.

    Images of 64 x 64 pixels; of every pixel the grey values smoothed at four scales, the
    differences between these, gradients, the eigenvalues of the Hessian, the difference to the
    mirrored image, the rank in the image, and the place. Four of five training images train the
    trees, on 150 pixels each; the fifth ones choose the threshold of the smoothed probabilities by
    their mean Dice. Regions below six pixels are dropped.

    References
    ----------
    J. H. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of
    Statistics 29(5), 2001; pixel features as in S. Berg et al., "ilastik: interactive machine
    learning for (bio)image analysis", Nature Methods 16, 2019.
    """

    name: ClassVar[str] = "pixels"
    title: ClassVar[str] = "Pixel features and boosted trees"
    packages: ClassVar[tuple[str, ...]] = ("scikit-learn",)

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Return the image resized, float32, (64, 64)."""
        return cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)

    def fit(self, prepared: np.ndarray, truths: Sequence[Any], *, seed: int) -> None:
        """Fit the trees, and choose the threshold."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        masks = np.stack([_reduced(truth) for truth in truths])
        held = np.arange(len(masks)) % _HELD == _HELD - 1
        if not masks[held].any() or not masks[~held].any():
            held[:] = False
        rng = generator("task pixels", seed)
        chosen = [_sample(mask, rng) for mask in masks[~held]]
        shown = prepared[~held]
        features = np.concatenate(
            [pixels(image)[c] for image, c in zip(shown, chosen, strict=True)]
        )
        labels = np.concatenate([m.ravel()[c] for m, c in zip(masks[~held], chosen, strict=True)])
        self._trees = HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.15, max_leaf_nodes=15, early_stopping=False,
            random_state=seed,
        ).fit(features, labels)  # fmt: skip
        judged = held if held.any() else ~held
        self._threshold = _best(self._probabilities(prepared[judged]), masks[judged])

    def score(self, prepared: np.ndarray) -> np.ndarray:
        """Return maps, (N, 64, 64), in which the threshold is 0.5."""
        found = self._probabilities(prepared)
        middle = self._threshold
        below, above = found / (2 * middle), 0.5 + (found - middle) / (2 * (1 - middle))
        return np.stack([_without_specks(each) for each in np.where(found < middle, below, above)])

    def _probabilities(self, prepared: np.ndarray) -> np.ndarray:
        found = [self._trees.predict_proba(pixels(image))[:, 1] for image in prepared]
        maps = np.stack(found).reshape(-1, _SIDE, _SIDE)
        return ndimage.gaussian_filter(maps, (0, 1, 1))


def pixels(image: np.ndarray) -> np.ndarray:
    """Return the features of an image's pixels, float32, (H W, F)."""
    mirrored = image[:, ::-1]
    smooth = [cv2.GaussianBlur(image, (0, 0), scale) for scale in _SCALES]
    found = [*smooth, *(one - two for one, two in pairwise(smooth))]
    for scale, each in zip(_SCALES[1:3], smooth[1:3], strict=True):
        down, along = np.gradient(each)
        (dd, da), (_, aa) = np.gradient(down), np.gradient(along)
        middle, spread = (dd + aa) / 2, np.hypot((dd - aa) / 2, da)
        found += [scale * np.hypot(down, along)]
        found += [scale**2 * (middle + spread), scale**2 * (middle - spread)]
    found += [each - cv2.GaussianBlur(mirrored, (0, 0), s) for each, s in
              zip(smooth[1:], _SCALES[1:], strict=True)]  # fmt: skip
    rank = np.argsort(np.argsort(smooth[1], axis=None)).reshape(image.shape) / image.size
    rows, columns = np.mgrid[-1 : 1 : image.shape[0] * 1j, -1 : 1 : image.shape[1] * 1j]
    found += [rank, rows, np.abs(columns), smooth[1] - np.median(image[image > image.mean()])]
    return np.stack([each.ravel() for each in found], axis=1).astype(np.float32)


def _reduced(mask: np.ndarray) -> np.ndarray:
    """Return a mask at the model's size, bool: where half of a pixel's area is of the tumour."""
    small = cv2.resize(mask.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return small >= 0.5


def _sample(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw pixels of an image: half of them of the tumour, as far as there are."""
    inside, outside = np.flatnonzero(mask), np.flatnonzero(~mask)
    some = rng.permutation(inside)[: _PIXELS // 2]
    return np.concatenate([some, rng.permutation(outside)[: _PIXELS - len(some)]])


def _best(maps: np.ndarray, masks: np.ndarray) -> float:
    """Return the threshold of the highest Dice over all lesions' images, their pixels together."""
    found = []
    for threshold in _THRESHOLDS:
        said = maps > threshold
        both = said.sum(axis=(1, 2)) + masks.sum(axis=(1, 2))
        common = (said & masks).sum(axis=(1, 2))
        found.append(float(np.mean(2 * common / np.maximum(both, 1))))
    return float(_THRESHOLDS[int(np.argmax(found))])


def _without_specks(told: np.ndarray) -> np.ndarray:
    """Return a map in which small regions above 0.5 are at 0.5, and so not told."""
    regions, count = ndimage.label(told > 0.5)
    sizes = np.bincount(regions.ravel(), minlength=count + 1)
    specks = (sizes < _SMALLEST)[regions] & (regions > 0)
    return np.where(specks, 0.5, told).clip(0, 1)
