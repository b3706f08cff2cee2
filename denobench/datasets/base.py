"""An image that has not been read yet, what a cell starts from, and a set of images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from denobench import images
from denobench.datasets import simulated, volumes
from denobench.readers import File
from denobench.scale import Scaling, to_full_scale


@dataclass(frozen=True)
class Observation:
    """What a cell starts from.

    Attributes
    ----------
    reference
        What answers are scored against, float32, (H, W), in [0, 1], or (D, H, W) of a volume; or
        None.
    noisy
        What was measured, float32, of the reference's shape; None where noise is drawn.
    tumour
        The tumour's mask where it is known, uint8, sized as the image: 0 none, 1 core, 2 enhancing
        rim, 3 oedema.
    spacing
        Millimetres between rows and between columns where they are known.
    """

    reference: np.ndarray | None
    noisy: np.ndarray | None = None
    tumour: np.ndarray | None = None
    spacing: tuple[float, float] | None = None


Opening = TypeVar("Opening", bound=Callable[..., "Dataset"])


@dataclass(frozen=True)
class Item(ABC):
    """One image of a data set, read when it is needed.

    Attributes
    ----------
    id
        Unique in its data set: the path below the folder, with page or slice behind it where a
        file holds several, or the simulated slice's name.
    label
        The sub-folder's name, or ``yes`` and ``no`` for a tumour; empty without labels.
    cluster
        Images of one cluster show the same slice, or are of one subject.
    digest
        What enters seeds and keys: the file's SHA-256, with the slice where it holds several, or
        generator, version, seed and index.
    part
        ``train``, ``validation`` or ``test`` where the data set says so itself, else empty.
    clipped
        Share of the volume's, series' or picture's values that full scale clips, where there are
        some in a file.
    """

    id: str
    label: str
    cluster: str
    digest: str
    part: str = ""
    clipped: float | None = None

    @property
    def rule(self) -> str:
        """What else makes its pixels, such as the scale: enters keys, but not seeds."""
        return ""

    @property
    def reading(self) -> str:
        """The rule, and what else a cell takes, such as a mask."""
        return self.rule

    @property
    def scaling(self) -> Scaling | None:
        """The scale's rule and the values that became 0 and 1; None without a file."""
        return None

    @abstractmethod
    def read(self, size: int | None = None) -> np.ndarray:
        """Return the image, float32, (H, W), in [0, 1], resized to a square if a size is given."""

    def mask(self, size: int | None = None) -> np.ndarray | None:  # noqa: ARG002
        """Return the tumour's mask where it is known, see `Observation`."""
        return None

    @property
    def outlined(self) -> bool:
        """Whether it is known where its tumour is, or that there is none."""
        return False

    def spacing_at(self, size: int | None) -> tuple[float, float] | None:  # noqa: ARG002
        """Return the millimetres between rows and columns at a size, where they are known."""
        return None

    @property
    def realisations(self) -> int:
        """How many noisy images were measured; 0 where noise is drawn."""
        return 0

    @property
    def slices(self) -> tuple[Item, ...]:
        """The slices that a volume is made of; an image is its own."""
        return (self,)

    @property
    def shown(self) -> tuple[int, ...]:
        """Numbers of a volume's slices that a gallery shows, from 0; none of an image."""
        return ()

    @property
    def typical(self) -> Item:
        """The image, or a slice in the middle of the volume, to judge it by."""
        return self

    def observe(self, size: int | None = None, realisation: int = 0) -> Observation:  # noqa: ARG002
        """Return what a cell starts from, resized to a square if a size is given.

        Parameters
        ----------
        size
            Side in pixels; None keeps the pixels.
        realisation
            Which of the measured images, where there are several.
        """
        return Observation(self.read(size), tumour=self.mask(size))


@dataclass(frozen=True)
class Outline:
    """Where an image's mask lies: in which stack of which file, slice by slice as the image.

    Attributes
    ----------
    file, reader, stack
        What is read by what, and which of its stacks.
    """

    file: File
    reader: str
    stack: int = 0

    @property
    def digest(self) -> str:
        """The SHA-256 of its file."""
        return self.file.digest

    def read(self, plane: str, index: int) -> np.ndarray:
        """Return a slice of it as its file holds it, (H, W)."""
        return volumes.values((self.file,), self.reader, self.stack, plane, index)


@dataclass(frozen=True)
class FileItem(Item):
    """An image in a file, or in one of several that make a volume.

    Attributes
    ----------
    files, reader
        What is read by which reader.
    stack, plane, index
        Where the image is: in which of the files' stacks, in which plane, and which slice.
    low, high
        The file's values that become 0 and 1.
    scale
        The rule that these come from.
    spacing
        Millimetres between rows and columns: the shape that resizing keeps. None stretches it.
    shape
        Rows and columns as they are stored.
    volume
        Whether it is a slice of a volume.
    whole
        What the file's or the series' images together are called.
    empty
        Whether there is next to nothing in it.
    outline
        Where its tumour's mask lies, if there is one.
    """

    files: tuple[File, ...] = ()
    reader: str = "pictures"
    stack: int = 0
    plane: str = "acquired"
    index: int = 0
    low: float = 0.0
    high: float = 255.0
    scale: str = "type"
    spacing: tuple[float, float] | None = None
    shape: tuple[int, int] = (0, 0)
    volume: bool = False
    whole: str = ""
    empty: bool = False
    outline: Outline | None = None

    @property
    def path(self) -> Path:
        """Where its file lies, or the first of them."""
        return self.files[0].path

    @property
    def place(self) -> tuple[Path, int, str, int]:
        """Its file, stack, plane and slice, which are no other image's."""
        return self.path, self.stack, self.plane, self.index

    @property
    def scaling(self) -> Scaling:
        """The scale's rule and the values that became 0 and 1."""
        return Scaling(self.scale, self.low, self.high)

    @property
    def rule(self) -> str:
        """The scale, the plane and the shape."""
        return f"{self.scale} {self.low!r} {self.high!r} {self.plane} {self.spacing}"

    @property
    def reading(self) -> str:
        """The rule; and the mask, where there is one."""
        return f"{self.rule} {self.outline.digest}" if self.outline else self.rule

    @property
    def outlined(self) -> bool:
        """Whether it has a mask."""
        return self.outline is not None

    def mask(self, size: int | None = None) -> np.ndarray | None:
        """Read the mask: 1 where its file is above 0."""
        if self.outline is None:
            return None
        inside = self.outline.read(self.plane, self.index) > 0
        return images.fit_labels(inside.astype(np.uint8), size, self.spacing)

    def spacing_at(self, size: int | None) -> tuple[float, float] | None:
        """Return the millimetres between rows and columns at a size, where they are known."""
        if self.spacing is None or size is None:
            return self.spacing
        longest = max(side * gap for side, gap in zip(self.shape, self.spacing, strict=True))
        return longest / size, longest / size

    def read(self, size: int | None = None) -> np.ndarray:
        """Read the file, or its slice from the cache."""
        image = to_full_scale(self._values(), self.low, self.high)
        return images.fit(image, size, self.spacing)

    def read_unclipped(self, size: int | None = None) -> np.ndarray:
        """Read the image with what lies below 0 and above full scale."""
        span = self.high - self.low
        image = ((self._values().astype(np.float64) - self.low) / span).astype(np.float32)
        return images.fit(image, size, self.spacing)

    def observe(self, size: int | None = None, realisation: int = 0) -> Observation:  # noqa: ARG002
        """Read the image as a reference."""
        return Observation(self.read(size), tumour=self.mask(size), spacing=self.spacing)

    def _values(self) -> np.ndarray:
        return volumes.values(self.files, self.reader, self.stack, self.plane, self.index)


@dataclass(frozen=True)
class SimulatedItem(Item):
    """A simulated slice."""

    index: int = 0

    def read(self, size: int | None = None) -> np.ndarray:
        """Read the slice from the cache."""
        return images.resize(simulated.read(self.index)[0], size)

    @property
    def outlined(self) -> bool:
        """Always: a slice without a tumour has none."""
        return True

    def mask(self, size: int | None = None) -> np.ndarray | None:
        """Read the tumour's mask from the cache."""
        if self.label != "yes":
            return None
        return images.resize_labels(simulated.read(self.index)[1], size)


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
    notes
        What must be said of the set where it is used: what was left out, odd scales.
    clusters
        What a cluster is: ``slices`` that look alike, or ``subjects``.
    licence
        That of the images, as their makers state it; empty where it is not known, and then no
        report shows them unless the config says so.
    """

    name: str
    items: tuple[Item, ...]
    unreadable: tuple[Unreadable, ...] = ()
    remark: str = ""
    notes: tuple[str, ...] = ()
    clusters: str = "slices"
    licence: str = ""


Named = TypeVar("Named", bound=Item)


def distinct(items: Iterable[Named]) -> list[Named]:
    """Return items whose ids differ: a page's may be the name of another file."""
    found: dict[str, Named] = {}
    for item in items:
        own = f"{item.id}#{item.digest[:10]}" if item.id in found else item.id
        found[own] = replace(item, id=own)
    return list(found.values())


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
