"""An image that has not been read yet, and a set of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from denobench import images
from denobench.datasets import simulated

Opening = TypeVar("Opening", bound=Callable[..., "Dataset"])


@dataclass(frozen=True)
class Item(ABC):
    """One image of a data set, read when it is needed.

    Attributes
    ----------
    id
        Unique in its data set: the path below the folder, or the simulated slice's name.
    label
        The sub-folder's name, or ``yes`` and ``no`` for a tumour; empty without labels.
    cluster
        Images of one cluster show the same slice.
    digest
        What enters seeds and keys: the file's SHA-256, or generator, version, seed and index.
    part
        ``train``, ``validation`` or ``test`` where the data set says so itself, else empty.
    """

    id: str
    label: str
    cluster: str
    digest: str
    part: str = ""

    @abstractmethod
    def read(self, size: int | None = None) -> np.ndarray:
        """Return the image, float32, (H, W), in [0, 1], resized to a square if a size is given."""

    def mask(self, size: int | None = None) -> np.ndarray | None:  # noqa: ARG002
        """Return the tumour's mask where it is known, uint8, (H, W), sized as the image.

        0 none, 1 core, 2 enhancing rim, 3 oedema.
        """
        return None


@dataclass(frozen=True)
class FileItem(Item):
    """An image in a file."""

    path: Path = Path()

    def read(self, size: int | None = None) -> np.ndarray:
        """Read the file."""
        return images.resize(images.read(self.path), size)


@dataclass(frozen=True)
class SimulatedItem(Item):
    """A simulated slice."""

    index: int = 0

    def read(self, size: int | None = None) -> np.ndarray:
        """Read the slice from the cache."""
        return images.resize(np.array(simulated.images()[self.index]), size)

    def mask(self, size: int | None = None) -> np.ndarray | None:
        """Read the tumour's mask from the cache."""
        if self.label != "yes":
            return None
        return images.resize_labels(np.array(simulated.masks()[self.index]), size)


@dataclass(frozen=True)
class Unreadable:
    """A file that could not be read, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """Images, and what is known of them as a set.

    Attributes
    ----------
    name
        As a config names it, or the folder's name.
    items
        The readable images, sorted by id.
    unreadable
        Files that look like images by their place but cannot be read.
    remark
        A line that must stand under tables made from this set, or empty.
    """

    name: str
    items: tuple[Item, ...]
    unreadable: tuple[Unreadable, ...] = ()
    remark: str = ""


def data_set(name: str) -> Callable[[Opening], Opening]:
    """Make a data set of a function ``f(folder, *, progress)`` that returns a `Dataset`.

    Parameters
    ----------
    name
        As a config names it. ``folder`` is what the user gives by ``data``, or None; ``progress``
        is told how many images are read.
    """

    def wrap(opening: Opening) -> Opening:
        opening.data_set = name  # type: ignore[attr-defined]
        return opening

    return wrap
