"""Filters of SimpleITK that smooth along edges."""

from __future__ import annotations

import numpy as np

from baselines.field.needed import needed
from baselines.parameters import Count, Multiple
from denobench.methods import denoiser

_STEP = 0.125  # of time, in both filters: stable in two dimensions
_LEVEL = 0.1  # the noise that ``iterations`` are for


@denoiser(
    "itk-curvature",
    title="Curvature diffusion (SimpleITK)",
    reference="R. T. Whitaker and X. Xue, Variable-conductance, level-set curvature for image "
    "denoising, ICIP 2001",
    licence="Apache-2.0 (SimpleITK)",
    grid={"conductance": (1.0, 2.0, 4.0), "iterations": (3, 5, 10)},
    packages=("SimpleITK",),
    notes="Is told no sigma itself: the number of its iterations grows with it.",
)
def itk_curvature(
    noisy: np.ndarray, sigma: float, *, conductance: Multiple = 2.0, iterations: Count = 5
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


def _steps(iterations: int, sigma: float) -> int:
    return max(1, round(iterations * sigma / _LEVEL))


def _filtered(noisy: np.ndarray, name: str, **options: float) -> np.ndarray:
    package = needed("SimpleITK", "SimpleITK")
    package.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    # Spacing 1: radii and steps are physical there, pixels here.
    image = package.GetImageFromArray(noisy.astype(np.float32))
    return package.GetArrayFromImage(getattr(package, name)(image, **options))
