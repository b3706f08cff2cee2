"""A stage of BM3D, tile by tile, on any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import pywt
from scipy.fft import dct

from baselines.fast_bm3d.filtering import AREA, analyse, shrink, spread, synthesise, threshold
from baselines.fast_bm3d.matching import SIDE, key, match, offsets
from baselines.fast_bm3d.profiles import Stage

# The most rows and columns of references of a tile. Tiles are the same for any number of threads.
_TILE = (40, 96)


@dataclass(frozen=True)
class Tile:
    """References that are filtered together, and the window of pixels that they look at.

    Attributes
    ----------
    window
        Rows and columns of the image.
    origin
        Row and column of the first reference, within the window.
    count
        Rows and columns of references.
    """

    window: tuple[slice, slice]
    origin: tuple[int, int]
    count: tuple[int, int]


def estimate(
    noisy: np.ndarray, sigma: float, stage: Stage, basic: np.ndarray | None = None
) -> np.ndarray:
    """Carry out a stage: the hard threshold, or Wiener's filter where there is a basic estimate."""
    height, width = noisy.shape
    # Blocks at multiples of the step have to reach the last pixel.
    pads = [(0, max(SIDE - side, (SIDE - side) % stage.step)) for side in noisy.shape]
    images = [
        np.pad(image, pads, mode="symmetric") for image in (noisy, basic) if image is not None
    ]

    def compute(tile: Tile) -> tuple[Tile, np.ndarray, np.ndarray]:
        windows = [np.ascontiguousarray(image[tile.window]) for image in images]
        return tile, *_filter_tile(tile, sigma, stage, *windows)

    total, weight = np.zeros_like(images[0]), np.zeros_like(images[0])
    for tile, part, part_weight in _in_order(compute, list(_tiles(total.shape, stage))):
        total[tile.window] += part
        weight[tile.window] += part_weight
    return total[:height, :width] / weight[:height, :width]


def _in_order(compute: Callable[[Tile], Any], tiles: Sequence[Tile]) -> Iterator[Any]:
    """Compute tiles on several threads, and yield the answers in the tiles' order."""
    threads = min(numba.get_num_threads(), len(tiles))
    if threads == 1:
        yield from map(compute, tiles)
    else:
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(compute, tiles)


def _tiles(shape: tuple[int, ...], stage: Stage) -> Iterator[Tile]:
    """Divide an image's references into tiles."""
    for rows, top, height in _parts(shape[0], stage, _TILE[0]):
        for columns, left, width in _parts(shape[1], stage, _TILE[1]):
            yield Tile((rows, columns), (top, left), (height, width))


def _parts(side: int, stage: Stage, most: int) -> Iterator[tuple[slice, int, int]]:
    """Divide an axis into even parts; yield each one's pixels, first reference and references."""
    references = (side - SIDE) // stage.step + 1
    edges = np.linspace(0, references, -(-references // most) + 1).astype(int).tolist()
    for first, end in pairwise(edges):
        start = max(0, stage.step * first - stage.radius)
        stop = min(side, stage.step * (end - 1) + SIDE + stage.radius)
        yield slice(start, stop), stage.step * first - start, end - first


def _filter_tile(
    tile: Tile, sigma: float, stage: Stage, noisy: np.ndarray, basic: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted sum of a window's filtered blocks, and the sum of the weights."""
    table = offsets(stage.radius)
    limit = key(AREA * (stage.likeness + stage.noise_likeness * sigma**2))
    keys = np.empty((*tile.count, stage.blocks), np.int32)
    guide = noisy if basic is None else basic
    floor = np.float32(AREA * stage.noise_floor * sigma**2)
    match(guide, tile.origin, tile.count, stage.step, table, limit, floor, keys)

    forward, inverse = _wavelet() if basic is None else _cosine()
    spectra = analyse(noisy, forward)
    total, weight = np.zeros_like(spectra), np.zeros_like(noisy)
    groups = (keys, table, limit, tile.origin, stage.step, noisy.shape[1])
    if basic is None:
        threshold(spectra, *groups, np.float32(stage.strength * sigma), total, weight)
    else:
        variance = np.float32(stage.strength * sigma**2)
        shrink(spectra, analyse(basic, forward), *groups, variance, total, weight)

    window = np.kaiser(SIDE, stage.beta).astype(np.float32)
    part = synthesise(total, window[:, None] * inverse, *noisy.shape)
    return part, spread(weight, window)


@cache
def _cosine() -> tuple[np.ndarray, np.ndarray]:
    """Return the matrices of the orthonormal cosine transform and of its inverse."""
    forward = dct(np.eye(SIDE), norm="ortho", axis=0).astype(np.float32)
    return forward, np.ascontiguousarray(forward.T)


@cache
def _wavelet() -> tuple[np.ndarray, np.ndarray]:
    """Return the matrices of the periodic Bior1.5 transform and of its inverse.

    Rows have length 1, so that the noise has the same deviation in every coefficient.
    """
    lowpass = np.eye(SIDE)
    details: list[np.ndarray] = []
    while len(lowpass) > 1:
        lowpass, detail = pywt.dwt(lowpass, "bior1.5", mode="periodization", axis=0)
        details.insert(0, detail)
    forward = np.concatenate([lowpass, *details])
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    return forward.astype(np.float32), np.linalg.inv(forward).astype(np.float32)
