"""What SURE needs to know of a cell: the noise's sigma, and how the answer follows the noise."""

from __future__ import annotations

import numpy as np

from denobench import noise
from denobench.answers import Asking, clipped
from denobench.engine.planning.cell import Cell
from denobench.errors import DenobenchError
from denobench.seeds import generator

STEP = 0.1  # of sigma: how far the probe moves a pixel


def true_sigma(cell: Cell, noisy: np.ndarray) -> float | None:
    """Return the sigma of a cell's noise: what was drawn or given, else an estimate, or None."""
    if not cell.noise.estimated:
        return cell.noise.level
    try:
        return noise.estimated(noisy, noise.REGISTRY.load(cell.noise.model))
    except DenobenchError:
        return None


def divergence(
    cell: Cell,
    asking: Asking,
    noisy: np.ndarray,
    sigma: float | None,
    denoised: np.ndarray,
) -> np.ndarray | None:
    """Return how each pixel of the answer follows its noisy one, by one random probe.

    None where the method fails on the probe: the score is then missing, and the answer stands.
    """
    step = STEP * (true_sigma(cell, noisy) or sigma or STEP)
    probe = generator("divergence", cell.item.digest, cell.realisation).standard_normal(noisy.shape)
    try:
        moved = (noisy + step * probe).astype(np.float32)
        return probe * (clipped(asking(moved, sigma).pixels) - denoised) / step
    except Exception:
        return None
