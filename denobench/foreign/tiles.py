"""Images whose sides a network does not take: padded, or cut in tiles that overlap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_OVERLAP = 4  # a tile shares this part of its side with the next: 1 / 4

Plain = Callable[[np.ndarray], np.ndarray]


def padded(image: np.ndarray, multiple: int, call: Plain) -> np.ndarray:
    """Call with an image whose sides are padded to multiples, by mirroring, and crop the answer."""
    height, width = image.shape
    down, right = -height % multiple, -width % multiple
    if not (down or right):
        return call(image)
    return call(_mirrored(image, down, right))[:height, :width]


def tiled(image: np.ndarray, height: int, width: int, call: Plain) -> np.ndarray:
    """Call with tiles of these sides, and blend the answers where they overlap."""
    tall, wide = (max(side, tile) for side, tile in zip(image.shape, (height, width), strict=True))
    whole = _mirrored(image, tall - image.shape[0], wide - image.shape[1])
    if whole.shape == (height, width):
        return call(whole)[: image.shape[0], : image.shape[1]]
    total, weights = np.zeros((2, *whole.shape), np.float32)
    ramp = np.outer(_ramp(height), _ramp(width))
    for top in _starts(tall, height):
        for left in _starts(wide, width):
            place = np.s_[top : top + height, left : left + width]
            total[place] += ramp * call(np.ascontiguousarray(whole[place]))
            weights[place] += ramp
    return (total / weights)[: image.shape[0], : image.shape[1]]


def _mirrored(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return an image that goes on, mirrored, by so many pixels below and to the right."""
    if not (down or right):
        return image
    enough = down < image.shape[0] and right < image.shape[1]
    return np.pad(image, ((0, down), (0, right)), "reflect" if enough else "symmetric")


def _starts(side: int, tile: int) -> list[int]:
    """Return where tiles begin: evenly, so that neighbours overlap by a part at least."""
    if side == tile:
        return [0]
    step = max(tile - max(tile // _OVERLAP, 1), 1)
    count = -(-(side - tile) // step) + 1
    return [round(number * (side - tile) / (count - 1)) for number in range(count)]


def _ramp(side: int) -> np.ndarray:
    """Return weights that rise from the ends to the part that no neighbour shares."""
    ends = np.minimum(np.arange(1, side + 1), np.arange(side, 0, -1))
    return np.minimum(ends / max(side // _OVERLAP, 1), 1).astype(np.float32)
