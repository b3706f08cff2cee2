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
