"""What a network's parts have in common: one image between them, with a border, in one piece.

Between two stages an image is float32, (H, W, channels), in the middle of an array with `BORDER`
zeros around it, so that no stage asks where the image ends.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numba import njit

from denobench.networks.inference.products import INNER

BORDER = (1, 4)  # zeros before and after an image, of which tiles read some
NOTHING = np.zeros((0, 0, 0), np.float32)
# What an activation sets smaller numbers to.
FLOORS = {"linear": np.float32(-np.inf), "relu": np.float32(0)}
ZERO = np.float32(0)

_ALIGNED = 16  # numbers: where an array of a memory may begin

Scratch = tuple[np.ndarray, ...]
Shapes = tuple[tuple[int, ...], ...]


def bordered(height: int, width: int, channels: int) -> np.ndarray:
    """Return an image of zeros with a border."""
    return np.zeros((height + sum(BORDER), width + sum(BORDER), channels), np.float32)


def inner(image: np.ndarray) -> np.ndarray:
    """Return a view of an image without its border."""
    before, after = BORDER
    return image[before:-after, before:-after]


def needed(shapes: Shapes) -> int:
    """Return how many numbers of memory arrays of these shapes take."""
    return sum(-(-math.prod(shape) // _ALIGNED) * _ALIGNED for shape in shapes)


def laid_out(memory: np.ndarray, shapes: Shapes) -> Scratch:
    """Return arrays of these shapes in a memory, which may hold anything."""
    arrays, first = [], 0
    for shape in shapes:
        arrays.append(memory[first : first + math.prod(shape)].reshape(shape))
        first += needed((shape,))
    return tuple(arrays)


class Stage(ABC):
    """A step of a network that is computed in parts, which are independent of each other.

    Attributes
    ----------
    channels
        Of its answer.
    growth
        Sides of its answer, as a multiple of its image's.
    """

    channels: int
    growth: float

    @abstractmethod
    def parts(self, height: int) -> int:
        """Return into how many parts an image of this height can be divided."""

    @abstractmethod
    def shapes(self, width: int) -> Shapes:
        """Return the shapes of the arrays that a thread works in, for images of this width."""

    @property
    @abstractmethod
    def _given(self) -> tuple[Any, ...]:
        """What `_compute` is told of the stage itself: kernel, bias and choices."""

    @abstractmethod
    def _compute(self, *arguments: Any) -> None:
        """Call the compiled function with what `run` is given, `_given`, and the scratch memory."""

    def run(
        self,
        source: np.ndarray,
        target: np.ndarray,
        added: np.ndarray,
        size: tuple[int, int],
        parts: tuple[int, int],
        scratch: Scratch,
    ) -> None:
        """Compute the parts from the first to the last, without it.

        Parameters
        ----------
        source
            The image, with its border.
        target
            What is written, with its border.
        added
            What is added to the answer, an image like ``target``, or `NOTHING`.
        size
            Height and width of the image in ``source``.
        parts
            The first, and the one after the last.
        scratch
            Memory that no other thread uses at the time.
        """
        self._compute(source, target, added, size, parts, *self._given, *scratch)


@njit(**INNER)
def finish(line: np.ndarray, added: np.ndarray, row: int, width: int) -> None:
    """Add to a row of an answer what is to be added, and set what lies beyond it to zero.

    ``line`` and ``added`` are (W, channels) and (H, W, channels) with their borders, ``row`` counts
    with the border, and ``width`` without.
    """
    channels = line.shape[1]
    if added.size:
        _add(line.reshape(-1), added[row].reshape(-1), channels, (1 + width) * channels)
    line[0] = ZERO
    line[1 + width :] = ZERO


@njit(**INNER)
def _add(line: np.ndarray, added: np.ndarray, first: int, last: int) -> None:
    for i in range(first, last):
        line[i] += added[i]
