"""How noisy an image that counts as clean still is."""

from __future__ import annotations

import numpy as np
import skimage as ski
from numpy.typing import NDArray

from denobench import images


def span(mask: NDArray[np.bool_]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the first row and the one after the last that hold something; so for the columns."""
    spans = []
    for axis in (1, 0):
        found = np.flatnonzero(mask.any(axis))
        spans.append((int(found[0]), int(found[-1]) + 1) if len(found) else (0, 0))
    return spans[0], spans[1]


def residual_noise(image: NDArray[np.float32]) -> float:
    """Estimate the noise that a clean image still has, inside its head's rectangle.

    Parameters
    ----------
    image
        float32, (H, W), in [0, 1].

    Returns
    -------
    float
        Standard deviation as a fraction of full scale; 0 for an image too small or too plain to
        tell.
    """
    rows, columns = span(images.foreground(image))
    head = image[slice(*rows), slice(*columns)]
    if min(head.shape) < 2 or np.ptp(head) == 0:
        return 0.0
    return float(ski.restoration.estimate_sigma(head))
