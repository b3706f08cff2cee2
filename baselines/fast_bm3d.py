"""BM3D written from its papers: open, compiled, and the same bits on any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import pywt
from scipy.fft import dct

from baselines.blockfiltering import AREA, analyse, shrink, spread, synthesise, threshold
from baselines.blockmatching import SIDE, key, match, offsets
from denobench.errors import DenobenchError, unknown
from denobench.methods import denoiser

_REFERENCE = (
    "K. Dabov, A. Foi, V. Katkovnik and K. Egiazarian, Image denoising by sparse 3-D "
    "transform-domain collaborative filtering, IEEE TIP 16(8), 2007"
)

# The most rows and columns of references of a tile. Tiles are the same for any number of threads.
_TILE = (40, 96)


@dataclass(frozen=True)
class Stage:
    """The parameters of one of the two stages.

    Attributes
    ----------
    step
        Pixels between reference blocks, 1 to 8.
    radius
        Furthest offset of a compared block in pixels, along each axis, at most 22.
    blocks
        Most blocks of a group, a power of two.
    likeness, noise_likeness
        Blocks are alike if their mean squared difference is below ``likeness`` (full scale
        squared) plus ``noise_likeness`` times the noise's variance.
    noise_floor
        Blocks are equally alike if it is below ``noise_floor`` times that variance.
    strength
        The hard threshold as a multiple of sigma; in the Wiener stage, what the noise's variance is
        multiplied by.
    beta
        Of the Kaiser window that weighs a block's pixels.
    """

    step: int
    radius: int
    blocks: int
    likeness: float
    noise_likeness: float
    noise_floor: float
    strength: float
    beta: float


# Hard threshold, then Wiener.
_HARD = Stage(
    step=3,
    radius=19,
    blocks=16,
    likeness=3000 / 255**2,
    noise_likeness=3.0,
    noise_floor=1.7,
    strength=2.7,
    beta=2.0,
)
_WIENER = Stage(
    step=3,
    radius=19,
    blocks=32,
    likeness=400 / 255**2,
    noise_likeness=0.3,
    noise_floor=0.02,
    strength=0.9,
    beta=2.0,
)
PROFILES = {
    "normal": (_HARD, _WIENER),
    "fast": (replace(_HARD, step=4, radius=9), replace(_WIENER, step=4, radius=9, blocks=16)),
}


@denoiser(
    "fast-bm3d",
    title="BM3D (open)",
    reference=_REFERENCE,
    licence="BSD-3-Clause",
    grid={"sigma_scale": (0.8, 0.9, 1.0, 1.1, 1.2)},
    packages=("numba", "PyWavelets"),
    notes="Written from the papers; docs/fast-bm3d.md compares it with the authors' package.",
)
def fast_bm3d(noisy: np.ndarray, sigma: float, *, sigma_scale: float = 1.0) -> np.ndarray:
    """Call `denoise_bm3d` with the multiple ``sigma_scale`` of sigma."""
    return denoise_bm3d(noisy, sigma_scale * sigma)


@denoiser(
    "fast-bm3d-fast",
    title="BM3D (open, fast)",
    reference=_REFERENCE,
    licence="BSD-3-Clause",
    grid={"sigma_scale": (0.8, 0.9, 1.0, 1.1, 1.2)},
    packages=("numba", "PyWavelets"),
    notes="The profile `fast`: fewer, nearer and smaller groups.",
)
def fast_bm3d_fast(noisy: np.ndarray, sigma: float, *, sigma_scale: float = 1.0) -> np.ndarray:
    """Call `denoise_bm3d` with its profile ``fast`` and the multiple ``sigma_scale`` of sigma."""
    return denoise_bm3d(noisy, sigma_scale * sigma, profile="fast")


def denoise_bm3d(image: np.ndarray, sigma: float, *, profile: str = "normal") -> np.ndarray:
    """Denoise an image by block matching and three-dimensional filtering, BM3D.

    Uses as many threads as numba is told to (``NUMBA_NUM_THREADS``, `numba.set_num_threads`); their
    number does not change a bit of the answer.

    Parameters
    ----------
    image
        Floating point, (H, W), 1 x 1 or larger, full scale about 1.0, not clipped.
    sigma
        Standard deviation of the white Gaussian noise, in the image's units; 0 returns a copy.
    profile
        ``normal``, or ``fast``: smaller groups from a smaller search on a coarser grid.

    Returns
    -------
    numpy.ndarray
        float32, (H, W), not clipped.

    Raises
    ------
    DenobenchError
        If the image has another shape or type or a pixel that is not finite, if sigma is negative
        or not finite, or the profile is unknown.

    References
    ----------
    K. Dabov et al., "Image denoising by sparse 3-D transform-domain collaborative filtering", IEEE
    Transactions on Image Processing 16(8), 2007. M. Lebrun, "An analysis and implementation of the
    BM3D image denoising method", Image Processing On Line 2, 2012. Y. Makinen, L. Azzari and
    A. Foi, "Collaborative filtering of correlated noise", IEEE Transactions on Image Processing 29,
    2020.

    Examples
    --------
    >>> clean = denoise_bm3d(noisy, 0.1)  # doctest: +SKIP
    """
    image = np.asarray(image)
    if image.ndim != 2 or image.dtype.kind != "f" or 0 in image.shape:
        raise DenobenchError(
            f"An image is a 2-D array of floats, not {image.dtype} of shape {image.shape}."
        )
    if not np.isfinite(image).all():
        raise DenobenchError("The image has NaN or infinite pixels; replace them first.")
    if not 0 <= sigma < np.inf:
        raise DenobenchError(f"sigma {sigma:g} must be finite and not negative.")
    if profile not in PROFILES:
        raise unknown("profile", profile, PROFILES)
    noisy = image.astype(np.float32)
    if sigma == 0:
        return noisy
    hard, wiener = PROFILES[profile]
    return _estimate(noisy, sigma, wiener, basic=_estimate(noisy, sigma, hard))


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


def _estimate(
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
