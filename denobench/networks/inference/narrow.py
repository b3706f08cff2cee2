"""3 x 3 convolutions with few channels on one side, as the first of a network has and the last."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from denobench.networks.inference.products import COMPILED, INNER, ROWS, multiply, pack, whole
from denobench.networks.inference.stages import FLOORS, Shapes, Stage, finish

HALF = np.float32(0.5)
# The hyperbolic tangent as a ratio of polynomials, odd over even, for numbers up to LIMIT: the
# coefficients that the C++ library Eigen uses for float32.
LIMIT = np.float32(7.9053111)
ODD = np.array(
    [
        -2.76076847742355e-16,
        2.00018790482477e-13,
        -8.60467152213735e-11,
        5.12229709037114e-08,
        1.48572235717979e-05,
        6.37261928875436e-04,
        4.89352455891786e-03,
    ],
    np.float32,
)
EVEN = np.array(
    [1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03],
    np.float32,
)


class FewInputs(Stage):
    """A 3 x 3 'same' convolution of few channels with bias and activation, and a 2 x 2 pooling.

    Each row of the answer is one matrix product, of all that its pixels see.

    Parameters
    ----------
    kernel
        (3, 3, channels, filters).
    bias
        (filters,).
    activation
        A name in `denobench.networks.inference.stages.FLOORS`.
    pooled
        Whether the maximum of 2 x 2 pixels is taken; nothing is added to the answer then.
    """

    def __init__(
        self,
        kernel: np.ndarray,
        bias: np.ndarray,
        *,
        activation: str = "relu",
        pooled: bool = False,
    ) -> None:
        self._seen, self.channels = kernel[0].size // kernel.shape[3], kernel.shape[3]
        # Column by column, and in each the three rows.
        self._kernel = pack(kernel.transpose(1, 0, 2, 3).reshape(-1, self.channels))
        self._bias, self._floor, self._pooled = bias, FLOORS[activation], pooled
        self.growth = 0.5 if pooled else 1.0

    def parts(self, height: int) -> int:
        """Return how many rows the answer has."""
        return height // 2 if self._pooled else height

    def shapes(self, width: int) -> Shapes:
        """Return the shapes of what a thread works in."""
        rows = max(width, ROWS)
        return (2, (rows + 2) * self._seen), (2, rows, whole(self.channels))

    @property
    def _given(self) -> tuple[Any, ...]:
        return (self._kernel, self._bias, self._floor, self._pooled)

    def _compute(self, *arguments: Any) -> None:
        _convolve_few(*arguments)


class FewOutputs(Stage):
    """A 3 x 3 'same' convolution to few channels, of an image or of its nearest 2 x 2 up-sampling.

    The image's pixels are multiplied with all nine taps, one matrix product whose columns are the
    taps, and what lies where is added up. Of up-sampling that is a quarter of the multiplications.

    Parameters
    ----------
    kernel
        (3, 3, channels, filters).
    bias
        (filters,).
    activation
        ``sigmoid``, or a name in `denobench.networks.inference.stages.FLOORS`.
    enlarged
        Whether the image is up-sampled first.
    """

    def __init__(
        self, kernel: np.ndarray, bias: np.ndarray, *, activation: str, enlarged: bool
    ) -> None:
        taps = kernel.transpose(2, 0, 1, 3).reshape(kernel.shape[2], -1)
        self._columns = whole(taps.shape[1])
        self._factor = 2 if enlarged else 1
        self.channels, self.growth = len(bias), float(self._factor)
        self._kernel, self._bias = pack(taps), bias
        self._sigmoid = activation == "sigmoid"
        self._floor = FLOORS["linear" if self._sigmoid else activation]

    def parts(self, height: int) -> int:
        """Return how many rows the image has."""
        return height

    def shapes(self, width: int) -> Shapes:
        """Return the shape of what a thread works in."""
        return ((3, width + 5, self._columns),)

    @property
    def _given(self) -> tuple[Any, ...]:
        return (self._factor, self._kernel, self._bias, self._floor, self._sigmoid)

    def _compute(self, *arguments: Any) -> None:
        _convolve_to_few(*arguments)


@njit(**INNER)
def _bias(x: np.ndarray, bias: np.ndarray, floor: np.float32, y: np.ndarray) -> None:
    """Write a pixel, with bias and activation."""
    for c in range(y.size):
        y[c] = max(x[c] + bias[c], floor)


@njit(**INNER)
def _pool(
    x0: np.ndarray,
    x1: np.ndarray,
    x2: np.ndarray,
    x3: np.ndarray,
    bias: np.ndarray,
    floor: np.float32,
    y: np.ndarray,
) -> None:
    """Write the largest of four pixels, with bias and activation."""
    for c in range(y.size):
        y[c] = max(max(max(x0[c], x1[c]), max(x2[c], x3[c])) + bias[c], floor)


@njit(**COMPILED)
def _convolve_few(
    source: np.ndarray,
    target: np.ndarray,
    added: np.ndarray,
    size: tuple[int, int],
    parts: tuple[int, int],
    kernel: np.ndarray,
    bias: np.ndarray,
    floor: np.float32,
    pooled: bool,
    seen: np.ndarray,
    products: np.ndarray,
) -> None:
    """Compute the rows of the answer from ``parts[0]`` to ``parts[1]``.

    A row of ``seen`` holds, column by column, the three pixels one above the other, so that what a
    pixel of the answer sees is so many numbers in a row.
    """
    width, channels, lines = size[1], source.shape[2], 2 if pooled else 1
    column = 3 * channels
    for row in range(parts[0], parts[1]):
        for i in range(lines):
            for u in range(3):
                line, place = source[lines * row + i + u], u * channels
                for x in range(width + 2):
                    for c in range(channels):
                        seen[i, x * column + place + c] = line[x, c]
            flat = products[i].reshape(-1)
            multiply(seen[i], column, width, 3 * column, kernel, flat, products.shape[2])
        out, upper, lower = target[1 + row], products[0], products[1]
        if pooled:
            for x in range(width // 2):
                a, b = 2 * x, 2 * x + 1
                _pool(upper[a], upper[b], lower[a], lower[b], bias, floor, out[1 + x])
        else:
            for x in range(width):
                _bias(upper[x], bias, floor, out[1 + x])
        finish(out, added, 1 + row, width // lines)


@njit(**INNER)
def _sigmoid(numbers: np.ndarray) -> None:
    """Replace numbers by their sigmoids."""
    for i in range(numbers.size):
        half = min(max(HALF * numbers[i], -LIMIT), LIMIT)
        square = half * half
        above, below = ODD[0], EVEN[0]
        for k in range(1, ODD.size):
            above = above * square + ODD[k]
        for k in range(1, EVEN.size):
            below = below * square + EVEN[k]
        numbers[i] = HALF + HALF * half * above / below


@njit(**INNER)
def _sum_up(
    lines: tuple[np.ndarray, np.ndarray, np.ndarray],
    columns: tuple[int, int, int],
    bias: np.ndarray,
    floor: np.float32,
    y: np.ndarray,
) -> None:
    """Write a pixel as the sum of what the nine taps give."""
    (above, here, below), (left, centre, right), filters = lines, columns, bias.size
    for c in range(filters):
        total = bias[c]
        total += above[left, c]
        total += above[centre, filters + c]
        total += above[right, 2 * filters + c]
        total += here[left, 3 * filters + c]
        total += here[centre, 4 * filters + c]
        total += here[right, 5 * filters + c]
        total += below[left, 6 * filters + c]
        total += below[centre, 7 * filters + c]
        total += below[right, 8 * filters + c]
        y[c] = max(total, floor)


@njit(**COMPILED)
def _convolve_to_few(
    source: np.ndarray,
    target: np.ndarray,
    added: np.ndarray,
    size: tuple[int, int],
    parts: tuple[int, int],
    factor: int,
    kernel: np.ndarray,
    bias: np.ndarray,
    floor: np.float32,
    sigmoid: bool,
    products: np.ndarray,
) -> None:
    """Compute what the rows of the image from ``parts[0]`` to ``parts[1]`` become."""
    width, inputs = size[1], source.shape[2]
    for row in range(parts[0] - 1, parts[1] + 1):
        flat = products[row % 3].reshape(-1)
        line = source[1 + row].reshape(-1)
        multiply(line, inputs, width + 2, inputs, kernel, flat, products.shape[2])
        if row <= parts[0]:
            continue
        centre = row - 1
        for i in range(factor):
            # Of an enlarged image two rows in three, and two columns, are the same.
            first = centre - 1 + i if factor == 2 else centre - 1
            last = centre + i if factor == 2 else centre + 1
            lines = (products[first % 3], products[centre % 3], products[last % 3])
            out = target[1 + factor * centre + i]
            for x in range(width):
                for j in range(factor):
                    before = x + j if factor == 2 else x
                    after = x + 1 + j if factor == 2 else x + 2
                    _sum_up(lines, (before, x + 1, after), bias, floor, out[1 + factor * x + j])
            if sigmoid:
                _sigmoid(out[1 : 1 + factor * width].reshape(-1))
            finish(out, added, 1 + factor * centre + i, factor * width)
