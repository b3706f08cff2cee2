"""The methods, and the function that they call."""

from __future__ import annotations

import numpy as np

from baselines.fast_bm3d.profiles import PROFILES
from baselines.parameters import Multiple
from denobench.errors import DenobenchError, unknown
from denobench.methods import denoiser

_REFERENCE = (
    "K. Dabov, A. Foi, V. Katkovnik and K. Egiazarian, Image denoising by sparse 3-D "
    "transform-domain collaborative filtering, IEEE TIP 16(8), 2007"
)


@denoiser(
    "fast-bm3d",
    title="BM3D (open)",
    reference=_REFERENCE,
    licence="BSD-3-Clause",
    grid={"sigma_scale": (0.8, 0.9, 1.0, 1.1, 1.2)},
    packages=("numba", "PyWavelets"),
    notes="Written from the papers; docs/fast-bm3d.md compares it with the authors' package.",
)
def fast_bm3d(noisy: np.ndarray, sigma: float, *, sigma_scale: Multiple = 1.0) -> np.ndarray:
    """Call `denoise_bm3d` with the multiple ``sigma_scale`` of sigma."""
    return denoise_bm3d(noisy, sigma_scale * sigma)


@denoiser(
    "fast-bm3d-fast",
    title="BM3D (open, fast)",
    reference=_REFERENCE,
    licence="BSD-3-Clause",
    grid={"sigma_scale": (0.8, 0.9, 1.0, 1.1, 1.2)},
    packages=("numba", "PyWavelets"),
    notes="The profile `fast`: fewer, nearer and smaller groups.",
)
def fast_bm3d_fast(noisy: np.ndarray, sigma: float, *, sigma_scale: Multiple = 1.0) -> np.ndarray:
    """Call `denoise_bm3d` with its profile ``fast`` and the multiple ``sigma_scale`` of sigma."""
    return denoise_bm3d(noisy, sigma_scale * sigma, profile="fast")


def denoise_bm3d(image: np.ndarray, sigma: float, *, profile: str = "normal") -> np.ndarray:
    """Denoise an image by block matching and three-dimensional filtering, BM3D.

    Uses as many threads as numba is told to (``NUMBA_NUM_THREADS``, `numba.set_num_threads`); their
    number does not change a bit of the answer.

    Parameters
    ----------
    image
        Floating point, (H, W), 1 x 1 or larger, full scale about 1.0, not clipped.
    sigma
        Standard deviation of the white Gaussian noise, in the image's units; 0 returns a copy.
    profile
        ``normal``, or ``fast``: smaller groups from a smaller search on a coarser grid.

    Returns
    -------
    numpy.ndarray
        float32, (H, W), not clipped.

    Raises
    ------
    DenobenchError
        If the image has another shape or type or a pixel that is not finite, if sigma is negative
        or not finite, or the profile is unknown.

    References
    ----------
    K. Dabov et al., "Image denoising by sparse 3-D transform-domain collaborative filtering", IEEE
    Transactions on Image Processing 16(8), 2007. M. Lebrun, "An analysis and implementation of the
    BM3D image denoising method", Image Processing On Line 2, 2012. Y. Makinen, L. Azzari and
    A. Foi, "Collaborative filtering of correlated noise", IEEE Transactions on Image Processing 29,
    2020.

    Examples
    --------
    >>> clean = denoise_bm3d(noisy, 0.1)  # doctest: +SKIP
    """
    image = np.asarray(image)
    if image.ndim != 2 or image.dtype.kind != "f" or 0 in image.shape:
        raise DenobenchError(
            f"An image is a 2-D array of floats, not {image.dtype} of shape {image.shape}."
        )
    if not np.isfinite(image).all():
        raise DenobenchError("The image has NaN or infinite pixels; replace them first.")
    if not 0 <= sigma < np.inf:
        raise DenobenchError(f"sigma {sigma:g} must be finite and not negative.")
    if profile not in PROFILES:
        raise unknown("profile", profile, PROFILES)
    noisy = image.astype(np.float32)
    if sigma == 0:
        return noisy
    from baselines.fast_bm3d.tiles import estimate  # here: planning need not wait for the compiler

    hard, wiener = PROFILES[profile]
    return estimate(noisy, sigma, wiener, basic=estimate(noisy, sigma, hard))
