"""Find, for every reference block of a window, the blocks that look most like it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

SIDE = 8  # of a block, in pixels
LANES = 16  # rows are padded to whole vectors
INDEX_BITS = 11  # of a key, for the offset's index
INDEX = (1 << INDEX_BITS) - 1

# Sums may be reordered when compiled, which is the same for every call.
COMPILED: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "fastmath": {"contract", "reassoc", "nsz", "arcp"},
}


def offsets(radius: int) -> np.ndarray:
    """Return the offsets of a square search window, int64, (n, 2): (0, 0), then scattered.

    Among blocks that are equally alike the earlier offset is taken, and scattered blocks overlap
    less than near ones: they share less noise, so that their mean has less of it.
    """
    span = np.arange(-radius, radius + 1)
    y, x = (axis.ravel() for axis in np.meshgrid(span, span, indexing="ij"))
    centre = len(y) // 2
    others = np.delete(np.arange(len(y)), centre)
    # Unlike a Generator's, this class's numbers are the same in every version of NumPy.
    order = np.concatenate([[centre], np.random.RandomState(0).permutation(others)])
    return np.stack([y, x], axis=1)[order].astype(np.int64)


def key(distance: float) -> int:
    """Return the largest key of a distance."""
    return int(np.array(distance, np.float32).view(np.int32)) | INDEX


@njit(**COMPILED)
def match(
    guide: np.ndarray,
    origin: tuple[int, int],
    count: tuple[int, int],
    step: int,
    table: np.ndarray,
    limit: int,
    floor: float,
    keys: np.ndarray,
) -> None:
    """Fill ``keys`` with the nearest blocks of each reference block, nearest first.

    A distance is the sum of squared differences of two blocks. It is computed for all references
    at once and one offset after the other: the difference image is squared, then summed over 8
    rows and over 8 columns. Columns are kept by their remainder modulo ``step``, so that what
    neighbouring references need lies side by side in memory and every loop is one of vectors.

    A key holds a distance in its high bits, as the bits of a float32, which are ordered like the
    number, and in its low 11 the index of the offset, so that the earlier one wins a tie.

    Parameters
    ----------
    guide
        The window, float32, (H, W).
    origin
        Row and column of the first reference.
    count
        How many rows and columns of references there are.
    step
        Pixels between references.
    table
        From `offsets`; the first is (0, 0).
    limit
        Key that no block may reach.
    floor
        Distances below it count as equal: no difference can be told from noise.
    keys
        int32, (rows, columns, blocks); left at ``limit`` where there are too few blocks.
    """
    height, width = guide.shape
    rows, columns = count
    blocks = keys.shape[2]
    margin = (-table[:, 1].min() + step - 1) // step
    lanes = (columns + 2 * margin + SIDE // step + LANES - 1) // LANES * LANES
    planes = np.zeros((height, 2 * step * lanes), np.float32)
    for y in range(height):
        for k in range(2 * step):
            for j in range(lanes):
                x = origin[1] + step * (j - margin) + k
                if 0 <= x < width:
                    planes[y, k * lanes + j] = guide[y, x]

    length = step * lanes - margin
    squares = np.zeros((step * (rows - 1) + SIDE, step * lanes), np.float32)
    sums = np.zeros(step * lanes + SIDE, np.float32)
    distances = np.zeros(lanes, np.float32)
    bits = distances.view(np.int32)
    keys[:] = limit
    padded = (columns + LANES - 1) // LANES * LANES
    worst = np.zeros((rows, padded), np.int32)
    worst[:, :columns] = limit

    for index in range(len(table)):
        dy, dx = table[index]
        # References whose offset block lies in the window.
        top = max(0, -((origin[0] + dy) // step))
        bottom = min(rows, (height - SIDE - origin[0] - dy) // step + 1)
        left = max(0, -((origin[1] + dx) // step))
        right = min(columns, (width - SIDE - origin[1] - dx) // step + 1)
        if top >= bottom or left >= right:
            continue
        start = dx % step * lanes + margin + dx // step
        for y in range(step * top, step * (bottom - 1) + SIDE):
            here = planes[origin[0] + y, margin : margin + length]
            there = planes[origin[0] + y + dy, start : start + length]
            square = squares[y]
            for lane in range(length):
                difference = here[lane] - there[lane]
                square[lane] = difference * difference
        for i in range(top, bottom):
            _add_rows(squares, step * i, sums, length)
            _add_columns(sums, step, lanes, distances[:padded], floor)
            bar = worst[i]
            for first in range(left // LANES * LANES, right, LANES):
                if not _any_below(bits[first : first + LANES], bar[first : first + LANES]):
                    continue
                for j in range(max(left, first), min(right, first + LANES)):
                    candidate = bits[j] & ~INDEX | index
                    if candidate < bar[j]:
                        bar[j] = _insert(keys[i, j], np.int32(candidate), blocks)


@njit(**COMPILED)
def _add_rows(squares: np.ndarray, row: int, sums: np.ndarray, length: int) -> None:
    """Add up eight rows of squares."""
    s0, s1, s2, s3 = squares[row], squares[row + 1], squares[row + 2], squares[row + 3]
    s4, s5, s6, s7 = squares[row + 4], squares[row + 5], squares[row + 6], squares[row + 7]
    for lane in range(length):
        upper = (s0[lane] + s1[lane]) + (s2[lane] + s3[lane])
        lower = (s4[lane] + s5[lane]) + (s6[lane] + s7[lane])
        sums[lane] = upper + lower


@njit(**COMPILED)
def _add_columns(
    sums: np.ndarray, step: int, lanes: int, distances: np.ndarray, floor: float
) -> None:
    """Add up eight columns of every reference block, each one value per reference."""
    s0, s1 = sums[0:], sums[1 % step * lanes + 1 // step :]
    s2, s3 = sums[2 % step * lanes + 2 // step :], sums[3 % step * lanes + 3 // step :]
    s4, s5 = sums[4 % step * lanes + 4 // step :], sums[5 % step * lanes + 5 // step :]
    s6, s7 = sums[6 % step * lanes + 6 // step :], sums[7 % step * lanes + 7 // step :]
    for j in range(len(distances)):
        distance = ((s0[j] + s1[j]) + (s2[j] + s3[j])) + ((s4[j] + s5[j]) + (s6[j] + s7[j]))
        distances[j] = max(distance, floor)


@njit(**COMPILED)
def _any_below(bits: np.ndarray, bars: np.ndarray) -> bool:
    """Return whether one of a vector of distances is below its bar, read as keys."""
    found = 0
    for lane in range(LANES):
        found |= bits[lane] < bars[lane]
    return found != 0


@njit(**COMPILED)
def _insert(found: np.ndarray, candidate: int, blocks: int) -> int:
    """Put a key in its place among sorted ones, and return the last of them."""
    place = blocks - 1
    while place > 0 and found[place - 1] > candidate:
        found[place] = found[place - 1]
        place -= 1
    found[place] = candidate
    return found[blocks - 1]
