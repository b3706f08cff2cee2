"""BM4D by its authors' package."""

from __future__ import annotations

import numpy as np

from baselines.field.needed import needed
from baselines.parameters import Multiple
from denobench.methods import denoiser

_BLOCK = 4  # voxels of a cube's side
_THICK = 5  # slices of a volume that its default profile is for
_REFERENCE = (
    "M. Maggioni et al., Nonlocal transform-domain filter for volumetric data denoising and "
    "reconstruction, IEEE TIP 22(1), 2013"
)


@denoiser(
    "bm4d",
    title="BM4D",
    reference=_REFERENCE,
    licence="non-commercial use only (bm4d)",
    grid={"sigma_scale": (0.8, 0.9, 1.0, 1.1, 1.2)},
    packages=("bm4d",),
    notes="The authors' package, for volumes: a slice goes in as a volume of one slice. Every "
    "call takes a second or more before it begins to filter. Licensed for non-commercial use only.",
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
    return _filtered(noisy.astype(np.float64)[:, :, np.newaxis], sigma_scale * sigma)[:, :, 0]


@denoiser(
    "bm4d-3d",
    title="BM4D in 3-D",
    reference=_REFERENCE,
    licence="non-commercial use only (bm4d)",
    grid={"sigma_scale": (0.8, 0.9, 1.0, 1.1, 1.2)},
    packages=("bm4d",),
    notes="The authors' package. Every call takes a second or more before it begins to filter. "
    "Licensed for non-commercial use only.",
    dims=3,
)
def bm4d_3d(noisy: np.ndarray, sigma: float, *, sigma_scale: Multiple = 1.0) -> np.ndarray:
    """Filter groups of like cubes of a volume jointly in a four-dimensional transform's domain.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`; (D, H, W).
    sigma_scale
        The package is told this multiple of sigma.
    """
    # Slices last, as in NIfTI files. It wants a block's side of all; a single slice is one.
    volume = np.moveaxis(noisy, 0, 2).astype(np.float64)
    more = [max(_BLOCK - side, 0) if side > 1 else 0 for side in volume.shape]
    volume = np.pad(volume, [(0, each) for each in more], "symmetric")
    denoised = _filtered(volume, sigma_scale * sigma)
    return np.moveaxis(denoised, 2, 0)[tuple(slice(side) for side in noisy.shape)]


def _filtered(volume: np.ndarray, sigma: float) -> np.ndarray:
    """Call the package; with more than one thread its last bits differ from call to call."""
    package = needed("bm4d", "bm4d")
    # What it chooses by itself.
    thick = volume.shape[2] >= _THICK
    profile = package.profiles.BM4DProfile() if thick else package.profiles.BM4DProfile2D()
    profile.num_threads = 1
    return package.bm4d(volume, sigma, profile)
