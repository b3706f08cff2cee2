"""Non-local means as dipy has it, for diffusion images and others."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from baselines.field.needed import needed
from baselines.parameters import Multiple, Side
from denobench.methods import denoiser

_REFERENCE = (
    "P. Coupe et al., An optimized blockwise nonlocal means denoising filter for 3-D magnetic "
    "resonance images, IEEE TMI 27(4), 2008"
)


@denoiser(
    "dipy-nlm",
    title="NLM (dipy)",
    reference=_REFERENCE,
    licence="BSD-3-Clause (dipy)",
    assumes="",
    grid={"strength": (0.7, 1.0, 1.4, 2.0)},
    packages=("dipy",),
    notes="For volumes: a slice goes in as a volume of the same slice several times.",
)
def dipy_nlm(
    noisy: np.ndarray,
    sigma: float,
    *,
    variant: Literal["blockwise", "classic"] = "classic",
    patch_radius: Side = 1,
    block_radius: Side = 3,
    strength: Multiple = 1.4,
    rician: bool = False,
) -> np.ndarray:
    """Average pixels whose patches are alike, by dipy.

    The package's own default has blocks of radius 5, which take some five times as long, and Rician
    noise. Given a volume of one slice, its answers differ from call to call.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    variant
        ``blockwise`` averages whole patches, ``classic`` single pixels.
    patch_radius, block_radius
        In pixels: of the patches, and of the region where like ones are looked for.
    strength
        The package is told this multiple of sigma.
    rician
        Whether it removes the bias of Rician noise, of the squared image.
    """
    # Integers would be returned as integers; of a single slice it reads memory that is nobody's.
    volume = np.repeat(noisy.astype(np.float64)[:, :, np.newaxis], 2 * patch_radius + 1, axis=2)
    options = {"patch_radius": patch_radius, "block_radius": block_radius, "method": variant}
    return _nlmeans(volume, strength * sigma, rician=rician, **options)[:, :, patch_radius]


@denoiser(
    "dipy-nlm-3d",
    title="NLM in 3-D (dipy)",
    reference=_REFERENCE,
    licence="BSD-3-Clause (dipy)",
    assumes="",
    grid={"strength": (0.5, 0.7, 1.0, 1.4)},
    packages=("dipy",),
    dims=3,
)
def dipy_nlm_3d(
    noisy: np.ndarray,
    sigma: float,
    *,
    variant: Literal["blockwise", "classic"] = "blockwise",
    patch_radius: Side = 1,
    block_radius: Side = 2,
    strength: Multiple = 1.0,
    rician: bool = False,
) -> np.ndarray:
    """Average voxels of a volume whose patches are alike, by dipy.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`; (D, H, W).
    variant, strength, rician
        As of ``dipy-nlm``.
    patch_radius, block_radius
        In voxels: of the patches, and of the region where like ones are looked for.
    """
    # As of a single slice: volumes thinner than a patch go on mirrored.
    more = [max(2 * patch_radius + 1 - side, 0) for side in noisy.shape]
    volume = np.pad(noisy.astype(np.float64), [(0, each) for each in more], "symmetric")
    options = {"patch_radius": patch_radius, "block_radius": block_radius, "method": variant}
    found = _nlmeans(volume, strength * sigma, rician=rician, **options)
    return found[tuple(slice(side) for side in noisy.shape)]


def _nlmeans(volume: np.ndarray, sigma: float, **options: Any) -> np.ndarray:
    return needed("dipy", "dipy.denoise.nlmeans").nlmeans(volume, sigma, num_threads=1, **options)
