"""The network's first layer and its last, which have three channels on one side."""

from __future__ import annotations

import numpy as np
from numba import njit

from denobench.autoencoder.products import COLUMNS, COMPILED, INNER, multiply, pack

ZERO, HALF = np.float32(0), np.float32(0.5)
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


class First:
    """A 3 x 3 'same' convolution of an image of few channels with ReLU, then 2 x 2 max pooling.

    Each row of the answer is one matrix product, of all that its pixels see.

    Parameters
    ----------
    kernel
        (3, 3, channels, filters).
    bias
        (filters,).
    """

    growth = 0.5

    def __init__(self, kernel: np.ndarray, bias: np.ndarray) -> None:
        self._seen, self.channels = kernel[0].size // kernel.shape[3], kernel.shape[3]
        # Column by column, and in each the three rows.
        self._kernel = pack(kernel.transpose(1, 0, 2, 3).reshape(-1, self.channels))
        self._bias = bias

    def parts(self, height: int) -> int:
        """Return how many rows the answer has."""
        return height // 2

    def scratch(self, width: int) -> tuple[np.ndarray, ...]:
        """Return the memory one thread works in."""
        shapes = ((2, (width + 2) * self._seen), (2, width, self.channels))
        return tuple(np.zeros(shape, np.float32) for shape in shapes)

    def run(
        self,
        source: np.ndarray,
        target: np.ndarray,
        size: tuple[int, int],  # noqa: ARG002
        parts: tuple[int, int],
        scratch: tuple[np.ndarray, ...],
    ) -> None:
        """Compute some rows of the answer; see `denobench.autoencoder.inference.Stage`."""
        _convolve_image(source, target, parts, self._kernel, self._bias, *scratch)


class Last:
    """Nearest 2 x 2 up-sampling, then a 3 x 3 'same' convolution to few channels with a sigmoid.

    The small image's pixels are multiplied with all nine taps, and what lies where is added up: a
    quarter of the multiplications, and one matrix product whose columns are the taps.

    Parameters
    ----------
    kernel
        (3, 3, channels, filters).
    bias
        (filters,).
    """

    growth = 2.0

    def __init__(self, kernel: np.ndarray, bias: np.ndarray) -> None:
        taps = kernel.transpose(2, 0, 1, 3).reshape(kernel.shape[2], -1)
        self._columns = -(-taps.shape[1] // COLUMNS) * COLUMNS
        self.channels = len(bias)
        self._kernel, self._bias = pack(taps), bias

    def parts(self, height: int) -> int:
        """Return how many rows the small image has."""
        return height

    def scratch(self, width: int) -> tuple[np.ndarray, ...]:
        """Return the memory one thread works in."""
        return (np.zeros((3, width + 5, self._columns), np.float32),)

    def run(
        self,
        source: np.ndarray,
        target: np.ndarray,
        size: tuple[int, int],
        parts: tuple[int, int],
        scratch: tuple[np.ndarray, ...],
    ) -> None:
        """Compute some rows of the answer; see `denobench.autoencoder.inference.Stage`."""
        _convolve_to_image(source, target, size, parts, self._kernel, self._bias, *scratch)


@njit(**INNER)
def _pool(
    x0: np.ndarray, x1: np.ndarray, x2: np.ndarray, x3: np.ndarray, bias: np.ndarray, y: np.ndarray
) -> None:
    """Write the largest of four pixels, with bias and ReLU."""
    for c in range(y.size):
        y[c] = max(max(max(x0[c], x1[c]), max(x2[c], x3[c])) + bias[c], ZERO)


@njit(**COMPILED)
def _convolve_image(
    image: np.ndarray,
    target: np.ndarray,
    parts: tuple[int, int],
    kernel: np.ndarray,
    bias: np.ndarray,
    seen: np.ndarray,
    products: np.ndarray,
) -> None:
    """Compute the rows of the answer from ``parts[0]`` to ``parts[1]``.

    A row of ``seen`` holds, column by column, the three pixels one above the other, so that what a
    pixel of the answer sees is 27 numbers in a row.
    """
    height, width, channels = image.shape
    column, filters = 3 * channels, bias.size
    for row in range(parts[0], parts[1]):
        for i in range(2):
            for u in range(3):
                y = 2 * row + i + u - 1
                for x in range(width):
                    for c in range(channels):
                        number = image[y, x, c] if 0 <= y < height else ZERO
                        seen[i, (x + 1) * column + u * channels + c] = number
            flat = products[i].reshape(-1)
            multiply(seen[i], column, width, 3 * column, kernel, flat, filters)
        out = target[1 + row]
        for x in range(width // 2):
            upper, lower, at = products[0], products[1], 2 * x
            _pool(upper[at], upper[at + 1], lower[at], lower[at + 1], bias, out[1 + x])


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


@njit(**COMPILED)
def _convolve_to_image(
    source: np.ndarray,
    image: np.ndarray,
    size: tuple[int, int],
    parts: tuple[int, int],
    kernel: np.ndarray,
    bias: np.ndarray,
    products: np.ndarray,
) -> None:
    """Compute what the rows of the small image from ``parts[0]`` to ``parts[1]`` become."""
    width, inputs, filters = size[1], source.shape[2], bias.size
    for row in range(parts[0] - 1, parts[1] + 1):
        flat = products[row % 3].reshape(-1)
        line = source[1 + row].reshape(-1)
        multiply(line, inputs, width + 2, inputs, kernel, flat, products.shape[2])
        if row <= parts[0]:
            continue
        centre = row - 1
        for i in range(2):
            above, here = products[(centre - 1 + i) % 3], products[centre % 3]
            below, out = products[(centre + i) % 3], image[2 * centre + i]
            for x in range(width):
                for j in range(2):
                    before, after = x + j, x + 1 + j
                    for c in range(filters):
                        total = bias[c]
                        total += above[before, c]
                        total += above[x + 1, filters + c]
                        total += above[after, 2 * filters + c]
                        total += here[before, 3 * filters + c]
                        total += here[x + 1, 4 * filters + c]
                        total += here[after, 5 * filters + c]
                        total += below[before, 6 * filters + c]
                        total += below[x + 1, 7 * filters + c]
                        total += below[after, 8 * filters + c]
                        out[2 * x + j, c] = total
            _sigmoid(out.reshape(-1))
