"""The eight ways in which a square can be flipped and turned."""

from __future__ import annotations

import numpy as np

COUNT = 8


def turned(image: np.ndarray, way: int) -> np.ndarray:
    """Return an image, (H, W), turned and flipped; a view.

    Parameters
    ----------
    image
        Of any sides.
    way
        0 leaves the image as it is, up to 3 are that many quarter turns, 4 and more the same
        flipped.
    """
    flips, turns = divmod(way, 4)
    image = np.rot90(image, turns)
    return image[:, ::-1] if flips else image


def turned_back(image: np.ndarray, way: int) -> np.ndarray:
    """Return the image of which `turned` makes this one."""
    flips, turns = divmod(way, 4)
    return np.rot90(image[:, ::-1] if flips else image, -turns)
