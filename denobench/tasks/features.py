"""Features of an image, and a linear model on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import cv2
import numpy as np

from denobench.tasks.base import TaskModel

_SIDE = 128
_CELL = 16  # of the histograms of gradients, in pixels
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_FURTHEST = 3.0  # deviations of a feature
_GREYS = 32  # of the co-occurrence matrices


class LinearModel(TaskModel):
    """Logistic regression on hand-made features.

    They are histograms of oriented gradients, local binary patterns at two radii, properties of
    grey-level co-occurrence, quantiles of the grey values and of the difference between the image
    and its mirror image (a tumour is seldom on both sides), and the energies of wavelet bands.

    References
    ----------
    N. Dalal and B. Triggs, "Histograms of oriented gradients for human detection", CVPR 2005.
    T. Ojala et al., "Multiresolution gray-scale and rotation invariant texture classification with
    local binary patterns", IEEE PAMI 24(7), 2002. R. M. Haralick et al., "Textural features for
    image classification", IEEE Transactions on Systems, Man, and Cybernetics 3(6), 1973.
    """

    name: ClassVar[str] = "linear"
    title: ClassVar[str] = "Features and logistic regression"
    packages: ClassVar[tuple[str, ...]] = ("scikit-learn",)

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Return the features, float32, (F,)."""
        small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        return np.concatenate(
            [
                _gradients(small),
                _patterns(small),
                _occurrence(small),
                _quantiles(small),
                _bands(small),
            ]
        ).astype(np.float32)

    def fit(self, prepared: np.ndarray, truths: Sequence[Any], *, seed: int) -> None:
        """Fit with features scaled to unit variance, and labels weighted alike."""
        from sklearn.linear_model import LogisticRegression

        self._mean, self._deviation = prepared.mean(axis=0), prepared.std(axis=0) + 1e-6
        self._fitted = LogisticRegression(
            C=0.001, class_weight="balanced", max_iter=2000, random_state=seed
        ).fit(self._scaled(prepared), np.asarray(truths))

    def score(self, prepared: np.ndarray) -> np.ndarray:
        """Return the model's probabilities."""
        return np.asarray(self._fitted.predict_proba(self._scaled(prepared))[:, 1], np.float64)

    def _scaled(self, prepared: np.ndarray) -> np.ndarray:
        """Return features in deviations; one far beyond training may not decide alone."""
        return np.clip((prepared - self._mean) / self._deviation, -_FURTHEST, _FURTHEST)


def _gradients(image: np.ndarray) -> np.ndarray:
    from skimage.feature import hog

    return hog(image, 8, (_CELL, _CELL), (2, 2), feature_vector=True)


def _patterns(image: np.ndarray) -> np.ndarray:
    from skimage.feature import local_binary_pattern

    pixels = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    found = []
    for radius in (1, 3):
        codes = local_binary_pattern(pixels, 8, radius, "uniform")
        found.append(np.bincount(codes.astype(int).ravel(), minlength=10) / codes.size)
    return np.concatenate(found)


def _occurrence(image: np.ndarray) -> np.ndarray:
    from skimage.feature import graycomatrix, graycoprops

    greys = np.minimum(np.clip(image, 0, 1) * _GREYS, _GREYS - 1).astype(np.uint8)
    angles = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
    matrix = graycomatrix(greys, (1, 4), angles, _GREYS, symmetric=True, normed=True)
    names = ("contrast", "homogeneity", "energy", "correlation")
    return np.concatenate([graycoprops(matrix, name).mean(axis=1) for name in names])


def _quantiles(image: np.ndarray) -> np.ndarray:
    smooth = cv2.GaussianBlur(image, (0, 0), 3)
    asymmetry = np.abs(smooth - smooth[:, ::-1])
    return np.concatenate([np.quantile(image, _QUANTILES), np.quantile(asymmetry, _QUANTILES)])


def _bands(image: np.ndarray) -> np.ndarray:
    import pywt

    _, *details = pywt.wavedec2(image, "db2", level=4)
    return np.array([np.log(np.mean(band**2) + 1e-8) for each in details for band in each])
