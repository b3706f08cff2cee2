"""PSNR, SSIM and NRMSE, with scikit-image's definitions; full scale is 1.0."""

from __future__ import annotations

import numpy as np
import skimage as ski

from denobench.errors import DenobenchError
from denobench.metrics.base import metric

# Wang's.
_SSIM = {"sigma": 1.5, "gaussian_weights": True, "use_sample_covariance": False, "data_range": 1.0}
_WINDOW = 11  # pixels, of a Gaussian of 1.5 that is cut off at 3.5 of them


def _mean(values: np.ndarray, mask: np.ndarray | None) -> float:
    return float(np.mean(values if mask is None else values[mask]))


def _decibel(squares: np.ndarray, mask: np.ndarray | None) -> float:
    error = _mean(squares, mask)
    return float("inf") if error == 0 else -10 * np.log10(error)


@metric("psnr", title="PSNR", unit="dB", reduce=_decibel, settings={"data_range": 1.0}, dims=3)
def psnr(image: np.ndarray, denoised: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio, ``-10 log10(MSE)`` in dB; infinite for equal images."""
    return np.square(image - denoised)


def _similar(found: tuple[float, np.ndarray], mask: np.ndarray | None) -> float:
    whole, similarity = found
    return whole if mask is None else float(similarity[mask].mean())


@metric("ssim", title="SSIM", reduce=_similar, settings=_SSIM)
def ssim(image: np.ndarray, denoised: np.ndarray) -> tuple[float, np.ndarray]:
    """Structural similarity with Wang's settings, in [-1, 1].

    A Gaussian window of sigma 1.5 and population covariance; without a mask the mean leaves out
    the border that the window does not fill, as scikit-image does.

    References
    ----------
    Z. Wang et al., "Image quality assessment: from error visibility to structural similarity",
    IEEE Transactions on Image Processing 13(4), 2004.
    """
    if min(image.shape) < _WINDOW:
        height, width = image.shape
        raise DenobenchError(
            f"an image of {width} × {height} pixels is smaller than SSIM's window of {_WINDOW}"
        )
    return ski.metrics.structural_similarity(image, denoised, full=True, **_SSIM)


def _relative(squares: tuple[np.ndarray, np.ndarray], mask: np.ndarray | None) -> float:
    error, norm = (_mean(each, mask) for each in squares)
    return float(np.sqrt(error / norm)) if norm else float("nan")


@metric("nrmse", title="NRMSE", better="lower", reduce=_relative, dims=3)
def nrmse(image: np.ndarray, denoised: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Root mean square error over the clean image's root mean square; NaN for a black image."""
    return np.square(image - denoised), np.square(image)
