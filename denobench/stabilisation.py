"""Rician noise: variance stabilisation, its unbiased inverse, and the estimate of sigma.

A magnitude ``z`` of signal ``nu`` in noise of sigma has a variance that rises from 0.43 sigma^2 in
the background to sigma^2 in tissue, and a mean above the signal. The forward transform makes the
variance 1 everywhere, so that a method made for Gaussian noise can be used; the inverse maps the
transform's mean value back to the signal, and so takes the bias away too.

References
----------
A. Foi, "Noise estimation and removal in MR imaging: the variance-stabilization approach", IEEE ISBI
2011: the frame and the exact unbiased inverse. R. Tibshirani, "Estimating transformations for
regression via additivity and variance stabilization", Journal of the American Statistical
Association 83(402), 1988: the iteration that finds the transform.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

REFERENCE = (
    "A. Foi, Noise estimation and removal in MR imaging: the variance-stabilization approach, "
    "IEEE ISBI 2011"
)

_REACH = 16.0  # sigma: the tables' largest signal, at which a deviation is sigma to 1 in 500
_TAIL = 8.0  # sigma: the tables' largest magnitude above it
_STEPS = 8  # each makes the variance more even; the transform's slope is positive at every one
_MOST_TRIALS = 30
_TOLERANCE = 1e-4
_BLUR = 2.0  # pixels
# One deviation of the background's blurred mean, in sigma: less by it, it is not taken for signal.
_SCATTER = np.sqrt(2 - np.pi / 2) / (2 * np.sqrt(np.pi) * _BLUR)
_QUARTILE = 0.6744897501960817  # of the normal distribution


@dataclass(frozen=True)
class _Tables:
    """The transform on a grid of magnitudes; means and raw deviation on a grid of signals."""

    magnitudes: np.ndarray
    values: np.ndarray
    signals: np.ndarray
    means: np.ndarray
    raw_means: np.ndarray
    raw_deviations: np.ndarray


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    """Find the transform: its slope is the inverse of the deviation, again and again.

    Each step integrates the slope ``1 / deviation`` over the mean, the classical stabiliser by the
    delta method, applied to the values of the step before.
    """
    from scipy.special import i0e  # here, because help and listing need not wait for it

    signals = np.linspace(0.0, _REACH, 641)
    magnitudes = np.linspace(0.0, _REACH + _TAIL, 2401)
    density = (
        magnitudes
        * np.exp(-0.5 * (magnitudes - signals[:, None]) ** 2)
        * i0e(magnitudes * signals[:, None])
    )
    weights = density / density.sum(axis=1, keepdims=True)
    values = magnitudes
    raw = means, deviations = _moments(weights, values)
    for _ in range(_STEPS):
        slope = 1.0 / np.interp(values, means, deviations)
        steps = np.diff(values) * (slope[1:] + slope[:-1]) / 2
        values = np.concatenate([[0.0], np.cumsum(steps)])
        means, deviations = _moments(weights, values)
    return _Tables(magnitudes, values, signals, means, *raw)


def _moments(weights: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    means = weights @ values
    return means, np.sqrt(weights @ values**2 - means**2)


def forward(image: np.ndarray, sigma: float) -> np.ndarray:
    """Transform magnitudes in Rician noise into values with noise of standard deviation 1.

    Parameters
    ----------
    image
        Magnitudes, (H, W), full scale 1.0; below 0 counts as 0.
    sigma
        Of the noise in either channel, as a fraction of full scale, above 0.

    Returns
    -------
    numpy.ndarray
        float64, (H, W), from 0. The deviation is within 4 % of 1 for every signal.
    """
    tables = _tables()
    scaled = np.asarray(image, np.float64) / sigma
    beyond = np.maximum(scaled - tables.magnitudes[-1], 0.0)
    return np.interp(scaled, tables.magnitudes, tables.values) + beyond


def inverse(values: np.ndarray, sigma: float) -> np.ndarray:
    """Return the signal whose transformed magnitudes have these values as their means.

    Parameters
    ----------
    values
        Denoised transformed magnitudes, (H, W).
    sigma
        As it was given to `forward`.

    Returns
    -------
    numpy.ndarray
        float64, (H, W), full scale 1.0, not negative.
    """
    tables = _tables()
    beyond = np.maximum(values - tables.means[-1], 0.0)
    return sigma * (np.interp(values, tables.means, tables.signals) + beyond)


def denoise(
    noisy: np.ndarray, sigma: float, method: Callable[[np.ndarray, float], np.ndarray]
) -> np.ndarray:
    """Denoise magnitudes in Rician noise by a method for Gaussian noise.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    method
        Function of an image and its sigma, which sees the transformed image with full scale at 1.0.
    """
    top = float(forward(np.ones(1), sigma)[0])
    values = (forward(noisy, sigma) / top).astype(np.float32)
    return inverse(top * np.asarray(method(values, 1.0 / top), np.float64), sigma)


def estimate(noisy: np.ndarray) -> float:
    """Estimate the sigma of Rician noise, with background in the image or without.

    The median absolute deviation of the finest wavelet coefficients, each divided by the deviation
    that a magnitude of its surroundings' mean has, so that background and tissue count alike. It
    is taken over the flatter half of the image, told by the gradient of its blur, in which such
    fine coefficients have no part.

    Parameters
    ----------
    noisy
        Magnitudes, (H, W), full scale 1.0.

    Returns
    -------
    float
        Sigma of the noise in either channel, as a fraction of full scale; 0 without noise.

    References
    ----------
    C. G. Koay and P. J. Basser, "Analytically exact correction scheme for signal extraction from
    noisy magnitude MR signals", Journal of Magnetic Resonance 179(2), 2006: the correction, and
    that sigma is its fixed point. D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by
    wavelet shrinkage", Biometrika 81(3), 1994: the median absolute deviation.
    """
    import pywt  # here, because help and listing need not wait for it
    from scipy import ndimage

    detail = np.abs(pywt.dwt2(noisy, "db2", mode="periodization")[1][2])
    mean = ndimage.gaussian_filter(noisy, _BLUR)[::2, ::2]
    slope = ndimage.gaussian_gradient_magnitude(noisy, _BLUR)[::2, ::2]
    flat = slope <= np.median(slope)
    detail, mean = detail[flat], mean[flat]
    tables = _tables()
    sigma = float(np.median(detail)) / _QUARTILE
    for _ in range(_MOST_TRIALS):
        if sigma == 0:
            break
        deviation = np.interp(mean / sigma - _SCATTER, tables.raw_means, tables.raw_deviations)
        before, sigma = sigma, float(np.median(detail / deviation)) / _QUARTILE
        if abs(sigma / before - 1) < _TOLERANCE:
            break
    return sigma
