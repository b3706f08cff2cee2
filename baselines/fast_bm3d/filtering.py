"""Transform, shrink and aggregate groups of like blocks.

A block is filtered as its 64 coefficients, which lie side by side. All blocks of a window are
transformed once, before they are grouped; and because the inverse transform is linear, filtered
coefficients are added up first, each block's at its place, and transformed back once at the end.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from baselines.fast_bm3d.matching import COMPILED, INDEX, SIDE

AREA = SIDE * SIDE
ROOT_HALF = np.float32(np.sqrt(0.5))


@njit(**COMPILED)
def analyse(window: np.ndarray, forward: np.ndarray) -> np.ndarray:
    """Return the 2-D transform of every block, float32, (blocks * 64), down and then across.

    Neighbouring blocks share what is down a column; a vector is a block's 64 coefficients.
    """
    height, width = window.shape
    rows, columns = height - SIDE + 1, width - SIDE + 1
    down, across = np.empty(SIDE * AREA, np.float32), np.empty(SIDE * AREA, np.float32)
    for k in range(SIDE):
        for lane in range(AREA):
            down[k * AREA + lane] = forward[lane // SIDE, k]
            across[k * AREA + lane] = forward[lane % SIDE, k]
    spectra = np.empty(rows * columns * AREA, np.float32)
    line = np.empty(width * AREA, np.float32)
    for y in range(rows):
        for x in range(width):
            _scale(line[x * AREA : (x + 1) * AREA], down, window[y : y + SIDE, x])
        for x in range(columns):
            start = (y * columns + x) * AREA
            values = spectra[start : start + AREA]
            _multiply(values, across, line[x * AREA : (x + SIDE) * AREA])
    return spectra


@njit(**COMPILED)
def _scale(values: np.ndarray, vectors: np.ndarray, scales: np.ndarray) -> None:
    """Sum eight vectors, each times a number."""
    s0, s1, s2, s3 = scales[0], scales[1], scales[2], scales[3]
    s4, s5, s6, s7 = scales[4], scales[5], scales[6], scales[7]
    for i in range(AREA):
        upper = vectors[i] * s0 + vectors[i + 64] * s1 + vectors[i + 128] * s2
        lower = vectors[i + 192] * s3 + vectors[i + 256] * s4 + vectors[i + 320] * s5
        values[i] = upper + lower + (vectors[i + 384] * s6 + vectors[i + 448] * s7)


@njit(**COMPILED)
def _multiply(values: np.ndarray, vectors: np.ndarray, others: np.ndarray) -> None:
    """Sum the products of eight pairs of vectors."""
    for i in range(AREA):
        upper = vectors[i] * others[i] + vectors[i + 64] * others[i + 64]
        upper += vectors[i + 128] * others[i + 128] + vectors[i + 192] * others[i + 192]
        lower = vectors[i + 256] * others[i + 256] + vectors[i + 320] * others[i + 320]
        lower += vectors[i + 384] * others[i + 384] + vectors[i + 448] * others[i + 448]
        values[i] = upper + lower


@njit(**COMPILED)
def synthesise(total: np.ndarray, synthesis: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the sum of all blocks' inverse transforms at their places, float32, (H, W)."""
    rows, columns = height - SIDE + 1, width - SIDE + 1
    across = np.empty(SIDE * AREA, np.float32)
    for k in range(SIDE):
        for lane in range(AREA):
            across[k * AREA + lane] = synthesis[SIDE - 1 - k, lane % SIDE]
    image = np.zeros((height, width), np.float32)
    line = np.zeros((columns + 2 * SIDE - 2) * AREA, np.float32)
    inner = (SIDE - 1) * AREA
    values = np.empty(AREA, np.float32)
    lines = np.empty((SIDE, width), np.float32)
    for y in range(rows):
        for lane in range(columns * AREA):  # of a slice, the check alone is compiled for a second
            line[inner + lane] = total[y * columns * AREA + lane]
        for x in range(width):
            _multiply(values, across, line[x * AREA : (x + SIDE) * AREA])
            for u in range(SIDE):
                lines[u, x] = values[u * SIDE : (u + 1) * SIDE].sum()
        for k in range(SIDE):
            row = image[y + k]
            for u in range(SIDE):
                _add_scaled(row, lines[u], synthesis[k, u])
    return image


@njit(**COMPILED)
def _add_scaled(values: np.ndarray, vector: np.ndarray, scale: float) -> None:
    """Add a vector times a number."""
    for lane in range(len(values)):
        values[lane] += vector[lane] * scale


@njit(**COMPILED)
def spread(weight: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return the sum of all blocks' windows (8 x 8, separable), each times its block's weight."""
    height, width = weight.shape
    across = np.zeros((height, width), np.float32)
    for y in range(height):
        for k in range(SIDE):
            for x in range(width - SIDE + 1):
                across[y, x + k] += window[k] * weight[y, x]
    spread = np.zeros((height, width), np.float32)
    for y in range(height - SIDE + 1):
        for k in range(SIDE):
            for x in range(width):
                spread[y + k, x] += window[k] * across[y, x]
    return spread


@njit(**COMPILED)
def _haar(stack: np.ndarray, blocks: int) -> None:
    """Transform a stack in place: halves of its length are added and subtracted."""
    while blocks > 1:
        blocks //= 2
        low = stack[: blocks * AREA]
        high = stack[blocks * AREA : 2 * blocks * AREA]
        for lane in range(blocks * AREA):
            a, b = low[lane], high[lane]
            low[lane] = (a + b) * ROOT_HALF
            high[lane] = (a - b) * ROOT_HALF


@njit(**COMPILED)
def _inverse_haar(stack: np.ndarray, blocks: int) -> None:
    """Undo `_haar`."""
    half = 1
    while half < blocks:
        low = stack[: half * AREA]
        high = stack[half * AREA : 2 * half * AREA]
        for lane in range(half * AREA):
            a, b = low[lane], high[lane]
            low[lane] = (a + b) * ROOT_HALF
            high[lane] = (a - b) * ROOT_HALF
        half *= 2


@njit(**COMPILED)
def _locate(
    found: np.ndarray,
    limit: int,
    table: np.ndarray,
    y: int,
    x: int,
    columns: int,
    places: np.ndarray,
) -> int:
    """Write where a group's blocks begin, in the order of `_haar`, and return their number.

    Bit-reversed, so that the first level of the transform meets neighbours in likeness.
    """
    count = 0
    while count < len(found) and found[count] < limit:
        count += 1
    blocks = 1
    while 2 * blocks <= count:
        blocks *= 2
    slot = 0
    for number in range(blocks):
        index = found[number] & INDEX
        places[slot] = (y + table[index, 0]) * columns + x + table[index, 1]
        bit = blocks // 2
        while bit and slot & bit:
            slot ^= bit
            bit //= 2
        slot |= bit
    return blocks


@njit(**COMPILED)
def _gather(spectra: np.ndarray, places: np.ndarray, blocks: int, stack: np.ndarray) -> None:
    """Copy a group's spectra into a stack."""
    for slot in range(blocks):
        start = places[slot] * AREA
        for lane in range(AREA):
            stack[slot * AREA + lane] = spectra[start + lane]


@njit(**COMPILED)
def _aggregate(
    stack: np.ndarray, places: np.ndarray, blocks: int, scale: float, total: np.ndarray
) -> None:
    """Add a stack's spectra to the total at their places."""
    for slot in range(blocks):
        start = places[slot] * AREA
        values = stack[slot * AREA : (slot + 1) * AREA]
        _add_scaled(total[start : start + AREA], values, scale)


@njit(**COMPILED)
def threshold(
    spectra: np.ndarray,
    keys: np.ndarray,
    table: np.ndarray,
    limit: int,
    origin: tuple[int, int],
    step: int,
    width: int,
    level: float,
    total: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Add up every group after the hard threshold ``level``, weighted by what it kept.

    Parameters
    ----------
    spectra
        From `analyse`.
    keys, table, limit, origin, step
        As in `baselines.fast_bm3d.matching.match`.
    width
        Of the window in pixels.
    level
        Coefficients that are not above it become 0.
    total, weight
        What groups are added to: coefficients, shaped as ``spectra``, and each block's weight,
        (H, W).
    """
    rows, columns, most = keys.shape
    across = width - SIDE + 1
    places = np.empty(most, np.int64)
    stack = np.empty(most * AREA, np.float32)
    for i in range(rows):
        for j in range(columns):
            y, x = origin[0] + step * i, origin[1] + step * j
            blocks = _locate(keys[i, j], limit, table, y, x, across, places)
            _gather(spectra, places, blocks, stack)
            _haar(stack, blocks)
            kept = 0
            for lane in range(blocks * AREA):
                keep = abs(stack[lane]) > level
                kept += keep
                stack[lane] = stack[lane] if keep else np.float32(0)
            _inverse_haar(stack, blocks)
            scale = np.float32(1 / max(kept, 1))
            _aggregate(stack, places, blocks, scale, total)
            for slot in range(blocks):
                weight[places[slot] // across, places[slot] % across] += scale


@njit(**COMPILED)
def shrink(
    spectra: np.ndarray,
    basic: np.ndarray,
    keys: np.ndarray,
    table: np.ndarray,
    limit: int,
    origin: tuple[int, int],
    step: int,
    width: int,
    level: float,
    total: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Add up every group after Wiener shrinkage by the spectra of the basic estimate.

    Parameters are `threshold`'s; ``level`` is the noise's variance.
    """
    rows, columns, most = keys.shape
    across = width - SIDE + 1
    places = np.empty(most, np.int64)
    stack = np.empty(most * AREA, np.float32)
    guide = np.empty(most * AREA, np.float32)
    for i in range(rows):
        for j in range(columns):
            y, x = origin[0] + step * i, origin[1] + step * j
            blocks = _locate(keys[i, j], limit, table, y, x, across, places)
            _gather(spectra, places, blocks, stack)
            _gather(basic, places, blocks, guide)
            _haar(stack, blocks)
            _haar(guide, blocks)
            energy = np.float32(0)
            for lane in range(blocks * AREA):
                power = guide[lane] * guide[lane]
                gain = power / (power + level)
                energy += gain * gain
                stack[lane] *= gain
            _inverse_haar(stack, blocks)
            scale = np.float32(1) / max(energy, np.float32(1e-6))
            _aggregate(stack, places, blocks, scale, total)
            for slot in range(blocks):
                weight[places[slot] // across, places[slot] % across] += scale
