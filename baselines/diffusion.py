"""Anisotropic diffusion."""

from __future__ import annotations

import numpy as np

from baselines.parameters import Count, Multiple
from denobench.methods import denoiser

_STEP = 0.2  # of time; an explicit scheme with four neighbours is stable up to 0.25


@denoiser(
    "diffusion",
    title="Anisotropic diffusion",
    reference="P. Perona and J. Malik, Scale-space and edge detection using anisotropic "
    "diffusion, IEEE PAMI 12(7), 1990",
    licence="BSD-3-Clause",
    grid={"contrast": (1.0, 1.5, 2.0, 2.5), "steps": (3, 5, 8, 12)},
)
def diffusion(
    noisy: np.ndarray, sigma: float, *, contrast: Multiple = 1.5, steps: Count = 5
) -> np.ndarray:
    """Let neighbours exchange grey values, the less the more they differ.

    The conductance is the paper's ``1 / (1 + (difference / contrast)^2)``, time steps are 0.2, and
    nothing leaves through the border: the mean stays, and no value leaves the image's range.

    Parameters
    ----------
    noisy, sigma
        As in `denobench.Denoiser.denoise`.
    contrast
        The difference that halves the flow, as a multiple of sigma.
    steps
        How many steps are taken.
    """
    image = noisy.astype(np.float64)
    halving = (contrast * sigma) ** 2
    for _ in range(steps):
        change = np.zeros_like(image)
        for axis in (0, 1):
            difference = np.diff(image, axis=axis)
            flow = difference / (1 + difference**2 / halving)
            forth, back = [slice(None)] * 2, [slice(None)] * 2
            forth[axis], back[axis] = slice(None, -1), slice(1, None)
            change[tuple(forth)] += flow
            change[tuple(back)] -= flow
        image += _STEP * change
    return image.astype(np.float32)
