"""A network as its file describes it: what goes in, what comes out, and how to call it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NUMBER = "number"  # what a `Port` takes that wants a plain number in place of a tensor


@dataclass(frozen=True)
class Port:
    """An input of a network.

    Attributes
    ----------
    name
        As the file calls it.
    shape
        Its sides, None where any will do; None as a whole where the file does not say.
    dtype
        What it takes.
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str = "float32"


class Network(ABC):
    """A loaded network, which runs none of its file's code but the network itself."""

    inputs: tuple[Port, ...]
    packages: tuple[str, ...]
    device: str = "cpu"

    @abstractmethod
    def __call__(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the outputs for the inputs, in the order of `inputs`."""


def threads() -> int:
    """Return how many threads a network may use: what the process was started with, else all."""
    return int(os.environ.get("OMP_NUM_THREADS") or 0)
