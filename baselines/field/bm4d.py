"""BM4D by its authors' package."""

from __future__ import annotations

import numpy as np

from baselines.field.needed import needed
from baselines.parameters import Multiple
from denobench.methods import denoiser


@denoiser(
    "bm4d",
    title="BM4D",
    reference="M. Maggioni et al., Nonlocal transform-domain filter for volumetric data denoising "
    "and reconstruction, IEEE TIP 22(1), 2013",
    licence="non-commercial use only (bm4d)",
    grid={"sigma_scale": (0.8, 0.9, 1.0, 1.1, 1.2)},
    packages=("bm4d",),
    notes="The authors' package, for volumes: a slice goes in as a volume of one slice. Licensed "
    "for non-commercial use only.",
)
def bm4d(noisy: np.ndarray, sigma: float, *, sigma_scale: Multiple = 1.0) -> np.ndarray:
    """Filter groups of like cubes jointly in a four-dimensional transform's domain.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    sigma_scale
        The package is told this multiple of sigma.
    """
    package = needed("bm4d", "bm4d")
    return package.bm4d(noisy.astype(np.float64)[:, :, np.newaxis], sigma_scale * sigma)[:, :, 0]
