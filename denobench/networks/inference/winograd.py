"""3 x 3 convolutions by Winograd's minimal filtering.

From 6 x 6 pixels come 4 x 4 of the answer with 36 multiplications instead of 144: image and kernel
are transformed, multiplied number by number, and the product is transformed back. Over all channels
and tiles, "number by number" is 36 matrix products.

References
----------
A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks", CVPR 2016; here
F(4 x 4, 3 x 3).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from denobench.networks.inference.products import COMPILED, INNER, ROWS, multiply, pack, whole
from denobench.networks.inference.stages import FLOORS, Shapes, Stage, finish

STRIP = 56  # tiles that are transformed together, at least, so that they stay in the cache
KERNEL = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
TWO, FOUR, FIVE, EIGHT = (np.float32(number) for number in (2, 4, 5, 8))


class Convolution(Stage):
    """A 3 x 3 'same' convolution with bias and activation, and a 2 x 2 max pooling if asked for.

    Parameters
    ----------
    kernel
        (3, 3, channels, filters).
    bias
        (filters,).
    activation
        A name in `denobench.networks.inference.stages.FLOORS`.
    pooled
        Whether the pooling follows; nothing is added to its answer then.
    """

    def __init__(
        self,
        kernel: np.ndarray,
        bias: np.ndarray,
        *,
        activation: str = "relu",
        pooled: bool = False,
    ) -> None:
        exact = kernel.astype(np.float64)
        self.inputs, self.channels = kernel.shape[2:]
        self.growth = 0.5 if pooled else 1.0
        self._kernel = pack(np.einsum("au,bv,uvio->abio", KERNEL, KERNEL, exact))
        self._bias, self._floor, self._pooled = bias, FLOORS[activation], pooled

    def parts(self, height: int) -> int:
        """Return how many rows of tiles there are."""
        return -(-height // 4)

    def shapes(self, width: int) -> Shapes:
        """Return the shapes of what a thread works in."""
        tiles, columns = -(-width // 4), whole(self.channels)
        strip = -(-max(STRIP, ROWS) // tiles)
        return (
            (6, width + 5, self.inputs),
            (6, 6, strip * tiles, self.inputs),
            (6, 6, strip, tiles * columns),
            (4, 6, tiles, columns),
        )

    @property
    def _given(self) -> tuple[Any, ...]:
        return (self._kernel, self._bias, self._floor, self._pooled)

    def _compute(self, *arguments: Any) -> None:
        _convolve(*arguments)


# Arrays are indexed with whole numbers only: of a slice, the compiler would not know that its rows
# are contiguous. Rows that are written are arguments, so that it knows that they do not overlap.


@njit(**INNER)
def _transform(pixels: np.ndarray, first: int, out: np.ndarray, place: int) -> None:
    """Transform six rows of numbers, from the first, to six."""
    _transform_rows(
        pixels[first],
        pixels[first + 1],
        pixels[first + 2],
        pixels[first + 3],
        pixels[first + 4],
        pixels[first + 5],
        out[0, place],
        out[1, place],
        out[2, place],
        out[3, place],
        out[4, place],
        out[5, place],
    )


@njit(**INNER)
def _transform_rows(
    x0: np.ndarray,
    x1: np.ndarray,
    x2: np.ndarray,
    x3: np.ndarray,
    x4: np.ndarray,
    x5: np.ndarray,
    y0: np.ndarray,
    y1: np.ndarray,
    y2: np.ndarray,
    y3: np.ndarray,
    y4: np.ndarray,
    y5: np.ndarray,
) -> None:
    for c in range(y0.size):
        even, odd = x4[c] - FOUR * x2[c], x3[c] - FOUR * x1[c]
        even_2, odd_2 = x4[c] - x2[c], TWO * (x3[c] - x1[c])
        y0[c] = FOUR * x0[c] - FIVE * x2[c] + x4[c]
        y1[c] = even + odd
        y2[c] = even - odd
        y3[c] = even_2 + odd_2
        y4[c] = even_2 - odd_2
        y5[c] = FOUR * x1[c] - FIVE * x3[c] + x5[c]


@njit(**INNER)
def _back(
    products: np.ndarray,
    j: int,
    row: int,
    y0: np.ndarray,
    y1: np.ndarray,
    y2: np.ndarray,
    y3: np.ndarray,
) -> None:
    """Transform six rows of products to four of the answer."""
    m0, m1, m2 = products[0, j, row], products[1, j, row], products[2, j, row]
    m3, m4, m5 = products[3, j, row], products[4, j, row], products[5, j, row]
    for c in range(y0.size):
        even, odd, even_2, odd_2 = m1[c] + m2[c], m1[c] - m2[c], m3[c] + m4[c], m3[c] - m4[c]
        y0[c] = m0[c] + even + even_2
        y1[c] = odd + TWO * odd_2
        y2[c] = even + FOUR * even_2
        y3[c] = odd + EIGHT * odd_2 + m5[c]


@njit(**INNER)
def _answer(
    partial: np.ndarray,
    i: int,
    tile: int,
    bias: np.ndarray,
    floor: np.float32,
    y0: np.ndarray,
    y1: np.ndarray,
    y2: np.ndarray,
    y3: np.ndarray,
) -> None:
    """Do as `_back` along a row of the answer, with bias and activation."""
    m0, m1, m2 = partial[i, 0, tile], partial[i, 1, tile], partial[i, 2, tile]
    m3, m4, m5 = partial[i, 3, tile], partial[i, 4, tile], partial[i, 5, tile]
    for c in range(bias.size):
        even, odd, even_2, odd_2 = m1[c] + m2[c], m1[c] - m2[c], m3[c] + m4[c], m3[c] - m4[c]
        y0[c] = max(m0[c] + even + even_2 + bias[c], floor)
        y1[c] = max(odd + TWO * odd_2 + bias[c], floor)
        y2[c] = max(even + FOUR * even_2 + bias[c], floor)
        y3[c] = max(odd + EIGHT * odd_2 + m5[c] + bias[c], floor)


@njit(**INNER)
def _pooled_answer(
    partial: np.ndarray,
    i: int,
    tile: int,
    bias: np.ndarray,
    floor: np.float32,
    y0: np.ndarray,
    y1: np.ndarray,
) -> None:
    """Do as `_answer` for rows i and i + 1, and keep the largest of 2 x 2 pixels."""
    m0, m1, m2 = partial[i, 0, tile], partial[i, 1, tile], partial[i, 2, tile]
    m3, m4, m5 = partial[i, 3, tile], partial[i, 4, tile], partial[i, 5, tile]
    n0, n1, n2 = partial[i + 1, 0, tile], partial[i + 1, 1, tile], partial[i + 1, 2, tile]
    n3, n4, n5 = partial[i + 1, 3, tile], partial[i + 1, 4, tile], partial[i + 1, 5, tile]
    for c in range(bias.size):
        even, odd, even_2, odd_2 = m1[c] + m2[c], m1[c] - m2[c], m3[c] + m4[c], m3[c] - m4[c]
        left = max(m0[c] + even + even_2, odd + TWO * odd_2)
        right = max(even + FOUR * even_2, odd + EIGHT * odd_2 + m5[c])
        even, odd, even_2, odd_2 = n1[c] + n2[c], n1[c] - n2[c], n3[c] + n4[c], n3[c] - n4[c]
        left = max(left, max(n0[c] + even + even_2, odd + TWO * odd_2))
        right = max(right, max(even + FOUR * even_2, odd + EIGHT * odd_2 + n5[c]))
        y0[c] = max(left + bias[c], floor)
        y1[c] = max(right + bias[c], floor)


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
    pooled: bool,
    combined: np.ndarray,
    data: np.ndarray,
    products: np.ndarray,
    partial: np.ndarray,
) -> None:
    """Convolve the tile rows from ``parts[0]`` to ``parts[1]``, strip by strip."""
    height, width = size
    tiles, inputs, columns = partial.shape[2], data.shape[3], partial.shape[3]
    strip = products.shape[2]
    lines, combined_lines = source.reshape(source.shape[0], -1), combined.reshape(6, 1, -1)
    # A line of the four rows of the answer for each of the six columns.
    half = partial.reshape(4, 6, -1)
    for first in range(parts[0], parts[1], strip):
        last = min(first + strip, parts[1])
        for row in range(first, last):
            _transform(lines, 4 * row, combined_lines, 0)
            for i in range(6):
                for tile in range(tiles):
                    place = (row - first) * tiles + tile
                    _transform(combined[i], 4 * tile, data[i], place)
        count = (last - first) * tiles
        for i in range(6):
            for j in range(6):
                left, out = data[i, j].reshape(-1), products[i, j].reshape(-1)
                multiply(left, inputs, count, inputs, kernel[i, j], out, columns)
        for row in range(first, last):
            for j in range(6):
                y0, y1, y2, y3 = half[0, j], half[1, j], half[2, j], half[3, j]
                _back(products, j, row - first, y0, y1, y2, y3)
            # What the last tile has beyond the image is the next layer's border, and zero.
            if pooled:
                for i in range(min(2, height // 2 - 2 * row)):
                    line = target[1 + 2 * row + i]
                    for tile in range(tiles):
                        x = 1 + 2 * tile
                        _pooled_answer(partial, 2 * i, tile, bias, floor, line[x], line[x + 1])
                    finish(line, added, 1 + 2 * row + i, width // 2)
            else:
                for i in range(min(4, height - 4 * row)):
                    line = target[1 + 4 * row + i]
                    for tile in range(tiles):
                        x = 1 + 4 * tile
                        out_0, out_1, out_2, out_3 = line[x], line[x + 1], line[x + 2], line[x + 3]
                        _answer(partial, i, tile, bias, floor, out_0, out_1, out_2, out_3)
                    finish(line, added, 1 + 4 * row + i, width)
