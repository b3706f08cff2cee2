"""Convolutions whose pixels of the answer see no pixel twice: 1 x 1, and 2 x 2 in steps of two."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from denobench.networks.inference.products import COMPILED, INNER, ROWS, multiply, pack, whole
from denobench.networks.inference.stages import FLOORS, Shapes, Stage, finish


class Pixelwise(Stage):
    """A 1 x 1 convolution, a 2 x 2 one with stride 2, or a transposed 2 x 2 one with stride 2.

    Each row of pixels is one matrix product.

    Parameters
    ----------
    kernel
        (1, 1, channels, filters) or (2, 2, channels, filters).
    bias
        (filters,).
    activation
        A name in `denobench.networks.inference.stages.FLOORS`.
    transposed
        Whether each pixel becomes 2 x 2, rather than 2 x 2 pixels one.
    """

    def __init__(
        self, kernel: np.ndarray, bias: np.ndarray, *, activation: str, transposed: bool = False
    ) -> None:
        side, _, inputs, self.channels = kernel.shape
        self._read: int = 1 if transposed else side
        self._written: int = side if transposed else 1
        self.growth = self._written / self._read
        self._seen = self._read**2 * inputs
        if transposed:
            matrix = kernel.transpose(2, 0, 1, 3).reshape(inputs, -1)
        else:
            matrix = kernel.reshape(-1, self.channels)
        self._kernel, self._columns = pack(matrix), whole(matrix.shape[1])
        self._bias, self._floor = bias, FLOORS[activation]

    def parts(self, height: int) -> int:
        """Return how many rows of products there are."""
        return height // self._read

    def shapes(self, width: int) -> Shapes:
        """Return the shapes of what a thread works in."""
        rows = max(width // self._read, ROWS)
        return (rows * self._seen,), (rows, self._columns)

    @property
    def _given(self) -> tuple[Any, ...]:
        return (self._read, self._written, self._kernel, self._bias, self._floor)

    def _compute(self, *arguments: Any) -> None:
        _convolve(*arguments)


@njit(**INNER)
def _copy(line: np.ndarray, first: int, seen: np.ndarray, place: int, count: int) -> None:
    for c in range(count):
        seen[place + c] = line[first + c]


@njit(**INNER)
def _write(
    products: np.ndarray, place: int, bias: np.ndarray, floor: np.float32, y: np.ndarray
) -> None:
    """Write a pixel, with bias and activation."""
    for c in range(bias.size):
        y[c] = max(products[place + c] + bias[c], floor)


@njit(**COMPILED)
def _convolve(
    source: np.ndarray,
    target: np.ndarray,
    added: np.ndarray,
    size: tuple[int, int],
    parts: tuple[int, int],
    read: int,
    written: int,
    kernel: np.ndarray,
    bias: np.ndarray,
    floor: np.float32,
    seen: np.ndarray,
    products: np.ndarray,
) -> None:
    """Compute the rows of products from ``parts[0]`` to ``parts[1]``."""
    count, run, columns = size[1] // read, read * source.shape[2], products.shape[1]
    depth = read * run
    for row in range(parts[0], parts[1]):
        for u in range(read):
            line = source[1 + read * row + u].reshape(-1)
            for x in range(count):
                _copy(line, source.shape[2] + x * run, seen, x * depth + u * run, run)
        multiply(seen, depth, count, depth, kernel, products.reshape(-1), columns)
        for i in range(written):
            out = target[1 + written * row + i]
            for x in range(count):
                for j in range(written):
                    place = (i * written + j) * bias.size
                    _write(products[x], place, bias, floor, out[1 + written * x + j])
            finish(out, added, 1 + written * row + i, written * count)
