"""DenoiseImage of ANTs: non-local means that estimates the noise itself."""

from __future__ import annotations

import os

import numpy as np

from baselines.field.needed import needed
from baselines.parameters import Side
from denobench.methods import denoiser


@denoiser(
    "ants",
    title="DenoiseImage (ANTs)",
    reference="J. V. Manjon et al., Adaptive non-local means denoising of MR images with spatially "
    "varying noise levels, JMRI 31(1), 2010",
    licence="Apache-2.0 (ANTsPy)",
    tracks=("blind",),
    assumes="",
    grid={"patch_radius": (1, 2, 3), "search_radius": (2, 3, 4)},
    packages=("antspyx",),
    notes="Is told no sigma: it estimates the noise at every pixel.",
)
def ants(
    noisy: np.ndarray,
    sigma: float | None,  # noqa: ARG001
    *,
    rician: bool = False,
    patch_radius: Side = 2,
    search_radius: Side = 2,
) -> np.ndarray:
    """Average pixels whose patches are alike, with the noise estimated at every pixel, by ANTs.

    The package's own default is Rician noise and patches of radius 1, which remove less. With
    several threads its answers differ from call to call.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    rician
        Whether the noise that it assumes is Rician, else Gaussian.
    patch_radius, search_radius
        In pixels: of the patches, and of the region where like ones are looked for.
    """
    os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")  # read when it is imported
    package = needed("antspyx", "ants")
    model = "Rician" if rician else "Gaussian"
    image = package.from_numpy(noisy.astype(np.float32))
    return package.denoise_image(
        image, shrink_factor=1, p=patch_radius, r=search_radius, noise_model=model
    ).numpy()
