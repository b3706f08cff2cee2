"""Non-local means, scikit-image's and OpenCV's."""

from __future__ import annotations

import cv2
import numpy as np
import skimage as ski

from baselines.parameters import Multiple, Odd, Side
from denobench.methods import denoiser

_REFERENCE = (
    "A. Buades, B. Coll and J.-M. Morel, A non-local algorithm for image denoising, CVPR 2005"
)


@denoiser(
    "nlm",
    title="NLM",
    reference=_REFERENCE + "; fast variant of J. Darbon et al., ISBI 2008",
    licence="BSD-3-Clause (scikit-image)",
    grid={"h": (0.5, 0.6, 0.7, 0.8, 0.9)},
    packages=("scikit-image",),
)
def nlm(
    noisy: np.ndarray, sigma: float, *, h: Multiple = 0.7, patch: Odd = 5, distance: Side = 8
) -> np.ndarray:
    """Average pixels whose patches look alike (scikit-image, fast mode).

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    h
        Decay of the weights as a multiple of sigma.
    patch
        Odd side of a patch in pixels.
    distance
        Furthest offset of a compared patch in pixels.
    """
    return ski.restoration.denoise_nl_means(
        noisy, patch_size=patch, patch_distance=distance, h=h * sigma, sigma=sigma, fast_mode=True
    )


@denoiser(
    "nlm-opencv",
    title="NLM (OpenCV, 8-bit)",
    reference=_REFERENCE,
    licence="Apache-2.0 (OpenCV)",
    grid={"h": (0.8, 0.9, 1.0, 1.1, 1.2)},
    packages=("opencv-python-headless",),
    notes="OpenCV computes it on 8 bits: the noisy image is clipped to [0, 1] and quantised first.",
)
def nlm_opencv(
    noisy: np.ndarray, sigma: float, *, h: Multiple = 1.0, patch: Odd = 5, window: Odd = 17
) -> np.ndarray:
    """Average pixels whose patches look alike (OpenCV, 8 bits).

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    h
        Decay of the weights as a multiple of sigma.
    patch, window
        Odd sides of a patch and of the search window in pixels.
    """
    pixels = np.round(np.clip(noisy, 0, 1) * 255).astype(np.uint8)
    denoised = cv2.fastNlMeansDenoising(pixels, None, h * sigma * 255, patch, window)
    return denoised.astype(np.float32) / 255
