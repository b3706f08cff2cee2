"""PSNR, SSIM and NRMSE, with scikit-image's definitions; full scale is 1.0."""

from __future__ import annotations

import numpy as np
import skimage as ski

from denobench.metrics.base import metric

# Wang's.
_SSIM = {"sigma": 1.5, "gaussian_weights": True, "use_sample_covariance": False, "data_range": 1.0}


@metric("psnr", title="PSNR", unit="dB", settings={"data_range": 1.0})
def psnr(image: np.ndarray, denoised: np.ndarray, mask: np.ndarray | None) -> float:
    """Peak signal-to-noise ratio, ``-10 log10(MSE)`` in dB; infinite for equal images."""
    error = _mean_square(image - denoised, mask)
    return float("inf") if error == 0 else -10 * np.log10(error)


@metric("ssim", title="SSIM", settings=_SSIM)
def ssim(image: np.ndarray, denoised: np.ndarray, mask: np.ndarray | None) -> float:
    """Structural similarity with Wang's settings, in [-1, 1].

    A Gaussian window of sigma 1.5 and population covariance; without a mask the mean leaves out
    the border that the window does not fill, as scikit-image does.

    References
    ----------
    Z. Wang et al., "Image quality assessment: from error visibility to structural similarity",
    IEEE Transactions on Image Processing 13(4), 2004.
    """
    mean, similarity = ski.metrics.structural_similarity(image, denoised, full=True, **_SSIM)
    return float(mean if mask is None else similarity[mask].mean())


@metric("nrmse", title="NRMSE", better="lower")
def nrmse(image: np.ndarray, denoised: np.ndarray, mask: np.ndarray | None) -> float:
    """Root mean square error over the clean image's root mean square; NaN for a black image."""
    norm = _mean_square(image, mask)
    return float(np.sqrt(_mean_square(image - denoised, mask) / norm)) if norm else float("nan")


def _mean_square(values: np.ndarray, mask: np.ndarray | None) -> float:
    return float(np.mean(np.square(values if mask is None else values[mask])))
