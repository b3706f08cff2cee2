"""Nearest 2 x 2 up-sampling and the 3 x 3 convolution after it, with few multiplications.

In one dimension, with taps a, b, c and the differences u = x[i-1] - x[i] and v = x[i+1] - x[i] of
the small image, four neighbours of the answer are

    y[2i-1] = s x[i] + (a + b) u
    y[2i]   = s x[i] + a u
    y[2i+1] = s x[i] + c v
    y[2i+2] = s x[i] + (b + c) v          where s = a + b + c:

five products, where a convolution of the up-sampled image spends twelve. With i even, such fours
side by side are the whole answer. It is Winograd's F(2, 2) for the even pixels and for the odd
ones, whose kernels have the same sum, so that they share a product. In two dimensions 25 products
replace 144.

References
----------
S. Winograd, "Arithmetic complexity of computations", SIAM 1980.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from denobench.networks.inference.products import COMPILED, INNER, ROWS, multiply, pack, whole
from denobench.networks.inference.stages import FLOORS, Shapes, Stage, finish

STRIP = 56  # tiles that are computed together, at least, so that they stay in the cache
# What u, x[i] and v are multiplied with.
KERNELS = (
    np.array([[1, 1, 0], [1, 0, 0]]),
    np.array([[1, 1, 1]]),
    np.array([[0, 0, 1], [0, 1, 1]]),
)


class UpConvolution(Stage):
    """Nearest 2 x 2 up-sampling, then a 3 x 3 'same' convolution with bias and activation.

    Parameters
    ----------
    kernel
        (3, 3, channels, filters).
    bias
        (filters,).
    activation
        A name in `denobench.networks.inference.stages.FLOORS`.
    """

    growth = 2.0

    def __init__(self, kernel: np.ndarray, bias: np.ndarray, *, activation: str = "relu") -> None:
        exact = kernel.astype(np.float64)
        self.inputs, self.channels = kernel.shape[2:]
        self._bias, self._floor = bias, FLOORS[activation]
        self._filters = whole(self.channels)
        exact = np.pad(exact, [(0, 0)] * 3 + [(0, self._filters - self.channels)])
        # Of different sizes; each in an array as large as the largest.
        self._kernel = np.zeros((3, 3, self.inputs * 4 * self._filters), np.float32)
        for p, q in np.ndindex(3, 3):
            product = np.einsum("au,bv,uvio->iabo", KERNELS[p], KERNELS[q], exact)
            packed = pack(product.reshape(self.inputs, -1))
            self._kernel[p, q, : packed.size] = packed

    def parts(self, height: int) -> int:
        """Return how many rows of tiles there are."""
        return height // 2 + 1

    def shapes(self, width: int) -> Shapes:
        """Return the shapes of what a thread works in."""
        tiles = width // 2 + 1
        strip = -(-max(STRIP, ROWS) // tiles) * tiles
        return (
            (3, width + 5, self.inputs),
            (3, 3, strip, self.inputs),
            (3, 3, strip * 4 * self._filters),
        )

    @property
    def _given(self) -> tuple[Any, ...]:
        return (self._kernel, self._bias, self._floor, self._filters)

    def _compute(self, *arguments: Any) -> None:
        _convolve(*arguments)


@njit(**INNER)
def _differences(
    x0: np.ndarray,
    x1: np.ndarray,
    x2: np.ndarray,
    before: np.ndarray,
    centre: np.ndarray,
    after: np.ndarray,
) -> None:
    """Write u, x[i] and v."""
    for c in range(centre.size):
        before[c], centre[c], after[c] = x0[c] - x1[c], x1[c], x2[c] - x1[c]


@njit(**INNER)
def _combine(
    products: np.ndarray,
    i: int,
    place: int,
    n: int,
    bias: np.ndarray,
    floor: np.float32,
    y0: np.ndarray,
    y1: np.ndarray,
    y2: np.ndarray,
    y3: np.ndarray,
) -> None:
    """Write row i of a tile of the answer as sums of products, with bias and activation."""
    p, second = i // 2 * 2, i % 2 * n
    left, side, right = products[p, 0], products[p, 1], products[p, 2]
    centre_left, centre, centre_right = products[1, 0], products[1, 1], products[1, 2]
    a, b = place * n, 2 * place * n
    corner, sides = 2 * b + 2 * second, b + second
    for c in range(bias.size):
        shared = side[sides + c] + centre[a + c] + bias[c]
        y0[c] = max(left[corner + c] + centre_left[b + c] + shared, floor)
        y1[c] = max(left[corner + n + c] + centre_left[b + n + c] + shared, floor)
        y2[c] = max(right[corner + c] + centre_right[b + c] + shared, floor)
        y3[c] = max(right[corner + n + c] + centre_right[b + n + c] + shared, floor)


@njit(**COMPILED)
def _convolve(
    source: np.ndarray,
    target: np.ndarray,
    added: np.ndarray,
    size: tuple[int, int],
    parts: tuple[int, int],
    kernel: np.ndarray,
    bias: np.ndarray,
    floor: np.float32,
    filters: int,
    lines: np.ndarray,
    data: np.ndarray,
    products: np.ndarray,
) -> None:
    """Compute the tile rows from ``parts[0]`` to ``parts[1]``, strip by strip."""
    height, width = size
    inputs, tiles = data.shape[3], width // 2 + 1
    strip = data.shape[2] // tiles
    flat, flat_lines = source.reshape(source.shape[0], -1), lines.reshape(3, -1)
    for first in range(parts[0], parts[1], strip):
        last = min(first + strip, parts[1])
        for row in range(first, last):
            x, y = 2 * row, flat_lines
            _differences(flat[x], flat[x + 1], flat[x + 2], y[0], y[1], y[2])
            for p in range(3):
                line, out = lines[p], data[p]
                for tile in range(tiles):
                    x, t = 2 * tile, (row - first) * tiles + tile
                    _differences(line[x], line[x + 1], line[x + 2], out[0, t], out[1, t], out[2, t])
        count = (last - first) * tiles
        for p in range(3):
            for q in range(3):
                left, columns = data[p, q].reshape(-1), (2 - p % 2) * (2 - q % 2) * filters
                multiply(left, inputs, count, inputs, kernel[p, q], products[p, q], columns)
        for row in range(first, last):
            for i in range(max(0, 1 - 4 * row), min(4, 2 * height + 1 - 4 * row)):
                line = target[4 * row + i]
                for tile in range(tiles):
                    x, t = 4 * tile, (row - first) * tiles + tile
                    y0, y1, y2, y3 = line[x], line[x + 1], line[x + 2], line[x + 3]
                    _combine(products, i, t, filters, bias, floor, y0, y1, y2, y3)
                finish(line, added, 4 * row + i, 2 * width)
