"""Filters of SimpleITK that smooth along edges."""

from __future__ import annotations

import numpy as np

from baselines.field.needed import needed
from baselines.parameters import Count, Multiple, Side
from denobench.methods import denoiser

_STEP = 0.125  # of time, in both filters: stable in two dimensions
_LEVEL = 0.1  # the noise that ``iterations`` are for


@denoiser(
    "itk-curvature",
    title="Curvature diffusion (SimpleITK)",
    reference="R. T. Whitaker and X. Xue, Variable-conductance, level-set curvature for image "
    "denoising, ICIP 2001",
    licence="Apache-2.0 (SimpleITK)",
    grid={"conductance": (2.0, 4.0, 8.0), "iterations": (3, 5, 10)},
    packages=("SimpleITK",),
    notes="Is told no sigma itself: the number of its iterations grows with it.",
)
def itk_curvature(
    noisy: np.ndarray, sigma: float, *, conductance: Multiple = 4.0, iterations: Count = 5
) -> np.ndarray:
    """Let level sets move by their curvature, less across edges, by SimpleITK.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    conductance
        How much is still smoothed at edges, relative to the image's mean gradient.
    iterations
        Steps of time 0.125 at a sigma of 0.1; their number grows with sigma.
    """
    return _filtered(
        noisy,
        "CurvatureAnisotropicDiffusion",
        timeStep=_STEP,
        conductanceParameter=conductance,
        numberOfIterations=_steps(iterations, sigma),
    )


@denoiser(
    "itk-flow",
    title="Curvature flow (SimpleITK)",
    reference="R. Malladi and J. A. Sethian, Image processing: flows under min/max curvature and "
    "mean curvature, GMIP 58(2), 1996",
    licence="Apache-2.0 (SimpleITK)",
    grid={"iterations": (4, 8, 12, 16)},
    packages=("SimpleITK",),
    notes="Is told no sigma itself: the number of its iterations grows with it.",
)
def itk_flow(noisy: np.ndarray, sigma: float, *, iterations: Count = 8) -> np.ndarray:
    """Let level sets move by their curvature, by SimpleITK.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    iterations
        Steps of time 0.125 at a sigma of 0.1; their number grows with sigma.
    """
    return _filtered(
        noisy, "CurvatureFlow", timeStep=_STEP, numberOfIterations=_steps(iterations, sigma)
    )


@denoiser(
    "itk-patch",
    title="Patch-based denoising (SimpleITK)",
    reference="S. P. Awate and R. T. Whitaker, Unsupervised, information-theoretic, adaptive image "
    "filtering for image restoration, IEEE TPAMI 28(3), 2006",
    licence="Apache-2.0 (SimpleITK)",
    grid={"strength": (1.0, 2.0, 4.0), "iterations": (4, 8)},
    packages=("SimpleITK",),
    notes="Takes seconds a slice. Its noise model has no effect: its weight is 0 by default.",
)
def itk_patch(
    noisy: np.ndarray,
    sigma: float,
    *,
    strength: Multiple = 2.0,
    iterations: Count = 8,
    patch_radius: Side = 2,
    samples: Count = 100,
) -> np.ndarray:
    """Move every patch towards the likely ones among patches drawn around it, by SimpleITK.

    The package's own kernel has a bandwidth of 400, made for intensities of that size, and it takes
    one step. Its noise model is left out: by default its weight is 0, and its Rician model refuses
    images with values below 0.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    strength
        The kernel's bandwidth is this multiple of sigma.
    iterations
        Steps, each over the whole image.
    patch_radius
        In pixels.
    samples
        Patches drawn for every pixel.
    """
    return _filtered(
        noisy,
        "PatchBasedDenoising",
        kernelBandwidthSigma=strength * sigma,
        patchRadius=patch_radius,
        numberOfIterations=iterations,
        numberOfSamplePatches=samples,
    )


def _steps(iterations: int, sigma: float) -> int:
    return max(1, round(iterations * sigma / _LEVEL))


def _filtered(noisy: np.ndarray, name: str, **options: float) -> np.ndarray:
    package = needed("SimpleITK", "SimpleITK")
    package.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    # Spacing 1: radii and steps are physical there, pixels here.
    image = package.GetImageFromArray(noisy.astype(np.float32))
    used = getattr(package, f"{name}ImageFilter")()
    for option, value in options.items():
        getattr(used, f"Set{option[0].upper()}{option[1:]}")(value)
    return package.GetArrayFromImage(used.Execute(image))
