"""Wavelet shrinkage."""

from __future__ import annotations

import numpy as np
import skimage as ski

from baselines.parameters import Multiple, Wavelet
from denobench.methods import denoiser

_GRID = ("db1", "db2", "sym4", "sym8")
_PACKAGES = ("scikit-image", "PyWavelets")
_LICENCE = "BSD-3-Clause (scikit-image)"


@denoiser(
    "wavelet",
    title="Wavelet (BayesShrink)",
    reference="S. G. Chang, B. Yu and M. Vetterli, Adaptive wavelet thresholding for image "
    "denoising and compression, IEEE TIP 9(9), 2000",
    licence=_LICENCE,
    grid={"sigma_scale": (0.8, 1.0, 1.2, 1.5), "wavelet": _GRID},
    packages=_PACKAGES,
)
def wavelet(
    noisy: np.ndarray, sigma: float, *, sigma_scale: Multiple = 1.0, wavelet: Wavelet = "sym4"
) -> np.ndarray:
    """Shrink wavelet coefficients softly by BayesShrink's threshold of each sub-band.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    sigma_scale
        The threshold uses this multiple of sigma.
    wavelet
        Name of an orthogonal or biorthogonal wavelet of PyWavelets.
    """
    return _shrink(noisy, sigma_scale * sigma, wavelet, "BayesShrink")


@denoiser(
    "visushrink",
    title="Wavelet (VisuShrink)",
    reference="D. L. Donoho and I. M. Johnstone, Ideal spatial adaptation by wavelet shrinkage, "
    "Biometrika 81(3), 1994",
    licence=_LICENCE,
    grid={"sigma_scale": (0.2, 0.25, 0.3, 0.4, 0.5), "wavelet": _GRID},
    packages=_PACKAGES,
    notes="Its one threshold is made to leave no noise at all, not for the least error: the "
    "default is 0.3 of it.",
)
def visushrink(
    noisy: np.ndarray, sigma: float, *, sigma_scale: Multiple = 0.3, wavelet: Wavelet = "sym4"
) -> np.ndarray:
    """Shrink all wavelet coefficients softly by one threshold, sigma times sqrt(2 log(H W)).

    Parameters
    ----------
    noisy, sigma, sigma_scale, wavelet
        As of `wavelet`.
    """
    return _shrink(noisy, sigma_scale * sigma, wavelet, "VisuShrink")


def _shrink(noisy: np.ndarray, sigma: float, wavelet: str, rule: str) -> np.ndarray:
    """Shrink wavelet coefficients softly, by the threshold of a rule."""
    return ski.restoration.denoise_wavelet(
        noisy, sigma=sigma, wavelet=wavelet, method=rule, mode="soft"
    )
