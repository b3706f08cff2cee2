"""Sides the network can take: multiples of 8, for its three poolings."""

from __future__ import annotations

import numpy as np

FACTOR = 8


def pad(image: np.ndarray) -> np.ndarray:
    """Reflect an image, (H, W), at its bottom and right up to the next multiples of 8."""
    missing = [(0, -side % FACTOR) for side in image.shape]
    return np.pad(image, missing, mode="reflect") if any(map(any, missing)) else image
