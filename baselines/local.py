"""Doing nothing, and filters that look at a pixel's surroundings."""

from __future__ import annotations

import cv2
import numpy as np
import scipy

from baselines.parameters import Multiple, Odd, Pixels
from denobench.methods import denoiser


@denoiser(
    "identity",
    title="Identity (noisy)",
    licence="BSD-3-Clause",
    tracks=("blind",),
    assumes="",
    notes="Does nothing: a method below it makes images worse.",
)
def identity(noisy: np.ndarray, sigma: float | None) -> np.ndarray:  # noqa: ARG001
    """Return a copy of the noisy image."""
    return noisy.copy()


@denoiser(
    "gaussian-filter",
    title="Gaussian filter",
    licence="Apache-2.0 (OpenCV)",
    grid={"width": (2.0, 2.5, 3.0, 3.5, 4.0, 5.0)},
    packages=("opencv-python-headless",),
)
def gaussian_filter(noisy: np.ndarray, sigma: float, *, width: Pixels = 3.0) -> np.ndarray:
    """Blur with a Gaussian.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    width
        The kernel's standard deviation in pixels is ``width * sqrt(sigma)``, bounded to [0.3, 5]:
        on MR slices the best blur grows about with the root of the noise.
    """
    deviation = float(np.clip(width * np.sqrt(sigma), 0.3, 5.0))
    return cv2.GaussianBlur(noisy, (0, 0), deviation, borderType=cv2.BORDER_REFLECT_101)


@denoiser(
    "median",
    title="Median filter",
    reference="J. W. Tukey, Exploratory Data Analysis, 1977",
    licence="Apache-2.0 (OpenCV), BSD-3-Clause (SciPy)",
    tracks=("blind",),
    assumes="",
    grid={"size": (3, 5, 7)},
    packages=("opencv-python-headless", "scipy"),
)
def median(noisy: np.ndarray, sigma: float | None, *, size: Odd = 3) -> np.ndarray:  # noqa: ARG001
    """Take the median of each pixel's square of ``size`` x ``size`` pixels, an odd number."""
    if size in (3, 5):  # OpenCV is faster, and takes floats in these sizes alone
        return cv2.medianBlur(noisy, size)
    return scipy.ndimage.median_filter(noisy, size, mode="nearest")


@denoiser(
    "bilateral",
    title="Bilateral filter",
    reference="C. Tomasi and R. Manduchi, Bilateral filtering for gray and color images, ICCV 1998",
    licence="Apache-2.0 (OpenCV)",
    grid={"colour": (2.0, 3.0, 3.5, 4.0, 5.0), "space": (1.0, 1.5, 2.0, 3.0)},
    packages=("opencv-python-headless",),
)
def bilateral(
    noisy: np.ndarray, sigma: float, *, colour: Multiple = 3.5, space: Pixels = 1.5
) -> np.ndarray:
    """Average near pixels of like value.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    colour
        Standard deviation of the range kernel as a multiple of sigma.
    space
        Standard deviation of the spatial kernel in pixels.
    """
    return cv2.bilateralFilter(noisy, -1, colour * sigma, space)
