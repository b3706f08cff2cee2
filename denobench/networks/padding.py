"""Sides that a network can take."""

from __future__ import annotations

import numpy as np


def pad(image: np.ndarray, factor: int) -> np.ndarray:
    """Reflect an image, (H, W), at its bottom and right up to the next multiples of a factor."""
    missing = [(0, -side % factor) for side in image.shape]
    return np.pad(image, missing, mode="reflect") if any(map(any, missing)) else image
