"""Total variation."""

from __future__ import annotations

import numpy as np
import skimage as ski

from baselines.parameters import Multiple
from denobench.methods import denoiser


@denoiser(
    "tv",
    title="TV (Chambolle)",
    reference="A. Chambolle, An algorithm for total variation minimization and applications, "
    "Journal of Mathematical Imaging and Vision 20, 2004",
    licence="BSD-3-Clause (scikit-image)",
    grid={"weight": (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)},
    packages=("scikit-image",),
)
def tv(noisy: np.ndarray, sigma: float, *, weight: Multiple = 0.7) -> np.ndarray:
    """Minimise total variation by Chambolle's projection.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    weight
        The weight of the variation as a multiple of sigma.
    """
    return ski.restoration.denoise_tv_chambolle(noisy, weight=weight * sigma)


@denoiser(
    "tv-bregman",
    title="TV (split Bregman)",
    reference="T. Goldstein and S. Osher, The split Bregman method for L1-regularized problems, "
    "SIAM Journal on Imaging Sciences 2(2), 2009; P. Getreuer, IPOL 2, 2012",
    licence="BSD-3-Clause (scikit-image)",
    grid={"weight": (0.7, 0.8, 1.0, 1.2, 1.4)},
    packages=("scikit-image",),
    notes="After the functional of TV (Chambolle); scikit-image's scheme stays some per cent above "
    "its minimum, so that the two weights are not on one scale.",
)
def tv_bregman(noisy: np.ndarray, sigma: float, *, weight: Multiple = 1.0) -> np.ndarray:
    """Minimise isotropic total variation by split Bregman iterations.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    weight
        The weight of the variation as a multiple of sigma; scikit-image's own weight is that of
        the fidelity, the inverse of ``weight * sigma``.
    """
    return ski.restoration.denoise_tv_bregman(noisy, weight=1 / (weight * sigma), eps=1e-4)
