"""HaarPSI and GMSD: similarity of edges as people see them.

Both halve the image first (the mean of 2 x 2 pixels), as their papers do, and so does the mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from denobench.metrics.base import metric

# The papers' constants are for a full scale of 255.
_FULL_SCALE = 255.0
_GMSD_CONSTANT = 170.0


_NATURAL = {"constant": 30.0, "alpha": 4.2}
_MEDICAL = {"constant": 5.0, "alpha": 4.9}


@dataclass(frozen=True)
class _Edges:
    """Similarity of edges along each axis, squashed by the logistic function, and its weights."""

    similarity: tuple[np.ndarray, np.ndarray]
    weight: tuple[np.ndarray, np.ndarray]
    alpha: float


def _weighted(edges: _Edges, mask: np.ndarray | None) -> float:
    chosen = slice(None) if mask is None else mask[::2, ::2]
    total = weights = 0.0
    for similarity, weight in zip(edges.similarity, edges.weight, strict=True):
        total += float(np.sum(similarity[chosen] * weight[chosen]))
        weights += float(np.sum(weight[chosen]))
    return float((scipy.special.logit(total / weights) / edges.alpha) ** 2) if weights else 1.0


@metric("haarpsi", title="HaarPSI", reduce=_weighted, settings=_NATURAL)
def haarpsi(image: np.ndarray, denoised: np.ndarray) -> _Edges:
    """Haar wavelet perceptual similarity, in [0, 1], with the constants for natural images.

    C = 30 and alpha = 4.2.

    References
    ----------
    R. Reisenhofer et al., "A Haar wavelet-based perceptual similarity index for image quality
    assessment", Signal Processing: Image Communication 61, 2018.
    """
    return _haarpsi(image, denoised, **_NATURAL)


@metric("haarpsi-med", title="HaarPSI-MED", reduce=_weighted, settings=_MEDICAL)
def haarpsi_med(image: np.ndarray, denoised: np.ndarray) -> _Edges:
    """Haar wavelet perceptual similarity, in [0, 1], with the constants for medical images.

    C = 5 and alpha = 4.9: the published optimum on experts' ratings of photoacoustic and chest
    X-ray images.

    References
    ----------
    C. Karner et al., "Parameter choices in HaarPSI for IQA with medical images", IEEE ISBI 2025,
    arXiv:2410.24098.
    """
    return _haarpsi(image, denoised, **_MEDICAL)


def _haarpsi(image: np.ndarray, denoised: np.ndarray, *, constant: float, alpha: float) -> _Edges:
    one, other = _halved(image), _halved(denoised)
    similarity, weight = [], []
    for axis in (0, 1):
        fine = [
            _similarity(_haar(one, scale, axis), _haar(other, scale, axis), constant**2)
            for scale in (1, 2)
        ]
        similarity.append(scipy.special.expit(alpha * np.mean(fine, axis=0)))
        weight.append(np.maximum(_haar(one, 3, axis), _haar(other, 3, axis)))
    return _Edges((similarity[0], similarity[1]), (weight[0], weight[1]), alpha)


def _haar(image: np.ndarray, scale: int, axis: int) -> np.ndarray:
    """Return the magnitude of the Haar wavelet's response that varies along an axis."""
    length = 2**scale
    edge = np.repeat([1.0, -1.0], length // 2)
    smooth = scipy.ndimage.uniform_filter1d(image, length, axis=1 - axis, mode="constant") * length
    response = scipy.ndimage.correlate1d(smooth, edge, axis=axis, mode="constant")
    return np.abs(response) / 2**scale


def _deviation(similarity: np.ndarray, mask: np.ndarray | None) -> float:
    return float(np.std(similarity if mask is None else similarity[mask[::2, ::2]]))


@metric("gmsd", title="GMSD", better="lower", reduce=_deviation)
def gmsd(image: np.ndarray, denoised: np.ndarray) -> np.ndarray:
    """Gradient magnitude similarity deviation, 0 for equal images.

    References
    ----------
    W. Xue et al., "Gradient magnitude similarity deviation: a highly efficient perceptual image
    quality index", IEEE Transactions on Image Processing 23(2), 2014.
    """
    one, other = _gradient(_halved(image)), _gradient(_halved(denoised))
    return _similarity(one, other, _GMSD_CONSTANT)


def _gradient(image: np.ndarray) -> np.ndarray:
    """Return the gradient's magnitude by Prewitt's filters."""
    return np.hypot(*(scipy.ndimage.prewitt(image, axis, mode="constant") / 3 for axis in (0, 1)))


def _similarity(one: np.ndarray, other: np.ndarray, constant: float) -> np.ndarray:
    return (2 * one * other + constant) / (one**2 + other**2 + constant)


def _halved(image: np.ndarray) -> np.ndarray:
    """Return the means of 2 x 2 pixels, at every other pixel, at full scale 255."""
    height, width = (length + length % 2 for length in image.shape)
    even = np.pad(image, [(0, height - image.shape[0]), (0, width - image.shape[1])], "edge")
    return even.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) * _FULL_SCALE
