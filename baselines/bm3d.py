"""BM3D by its authors' package."""

from __future__ import annotations

import numpy as np

from baselines.parameters import Multiple
from denobench.errors import UnavailableError, reason
from denobench.methods import denoiser


@denoiser(
    "bm3d",
    title="BM3D",
    reference="Y. Makinen, L. Azzari and A. Foi, Collaborative filtering of correlated noise, "
    "IEEE TIP 29, 2020; K. Dabov et al., IEEE TIP 16(8), 2007",
    licence="non-commercial use only (bm3d)",
    grid={"sigma_scale": (0.8, 0.9, 1.0, 1.1, 1.2)},
    packages=("bm3d", "bm4d"),
    notes="The authors' package: licensed for non-commercial use only.",
)
def bm3d(noisy: np.ndarray, sigma: float, *, sigma_scale: Multiple = 1.0) -> np.ndarray:
    """Filter groups of like patches jointly in a three-dimensional transform's domain.

    One thread: with more, the package's last bits differ from call to call.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    sigma_scale
        The package is told this multiple of sigma.

    Raises
    ------
    UnavailableError
        If the package cannot be imported, as on a processor that it is not built for.
    """
    try:
        import bm3d as package  # here, because it takes a second that planning need not wait for
    except (ImportError, OSError) as error:
        raise UnavailableError(f"The package bm3d cannot be imported: {reason(error)}") from error
    profile = package.BM3DProfile()
    profile.num_threads = 1
    return package.bm3d(noisy.astype(np.float64), sigma_scale * sigma, profile)
