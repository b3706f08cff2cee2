"""Wavelet shrinkage."""

from __future__ import annotations

import numpy as np
import skimage as ski

from baselines.parameters import Multiple, Wavelet
from denobench.methods import denoiser


@denoiser(
    "wavelet",
    title="Wavelet (BayesShrink)",
    reference="S. G. Chang, B. Yu and M. Vetterli, Adaptive wavelet thresholding for image "
    "denoising and compression, IEEE TIP 9(9), 2000",
    licence="BSD-3-Clause (scikit-image)",
    grid={"sigma_scale": (0.8, 1.0, 1.2, 1.5), "wavelet": ("db1", "db2", "sym4", "sym8")},
    packages=("scikit-image", "PyWavelets"),
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
    return ski.restoration.denoise_wavelet(
        noisy, sigma=sigma_scale * sigma, wavelet=wavelet, method="BayesShrink", mode="soft"
    )


@denoiser(
    "visushrink",
    title="Wavelet (VisuShrink)",
    reference="D. L. Donoho and I. M. Johnstone, Ideal spatial adaptation by wavelet shrinkage, "
    "Biometrika 81(3), 1994",
    licence="BSD-3-Clause (scikit-image)",
    grid={"sigma_scale": (0.2, 0.25, 0.3, 0.4, 0.5), "wavelet": ("db1", "db2", "sym4", "sym8")},
    packages=("scikit-image", "PyWavelets"),
    notes="Its one threshold is made to leave no noise at all, not for the least error: the "
    "default is 0.3 of it.",
)
def visushrink(
    noisy: np.ndarray, sigma: float, *, sigma_scale: Multiple = 0.3, wavelet: Wavelet = "sym4"
) -> np.ndarray:
    """Shrink all wavelet coefficients softly by one threshold, sigma times sqrt(2 log(H W)).

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    sigma_scale
        The threshold uses this multiple of sigma.
    wavelet
        Name of an orthogonal or biorthogonal wavelet of PyWavelets.
    """
    return ski.restoration.denoise_wavelet(
        noisy, sigma=sigma_scale * sigma, wavelet=wavelet, method="VisuShrink", mode="soft"
    )
