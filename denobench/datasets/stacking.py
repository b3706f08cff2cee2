"""Whole volumes as items: the slices of a data set put together again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from denobench.datasets.base import (
    Dataset,
    FileItem,
    Item,
    Observation,
    Unreadable,
    distinct,
)
from denobench.datasets.pairs import PairItem
from denobench.errors import DenobenchError
from denobench.files import digest_of
from denobench.scale import Scaling

SHOWN = 9  # slices of a volume that a gallery shows, at most


@dataclass(frozen=True)
class VolumeItem(Item):
    """A volume, (D, H, W): its slices, each read as it is alone.

    Attributes
    ----------
    parts
        All slices of one stack along one plane, in their order.
    """

    parts: tuple[FileItem | PairItem, ...] = ()

    @property
    def slices(self) -> tuple[Item, ...]:
        """The slices that it is made of."""
        return self.parts

    @property
    def filled(self) -> tuple[Item, ...]:
        """The slices with more than next to nothing in them; all if there are none."""
        return tuple(each for each in self.parts if not source(each).empty) or self.parts

    @property
    def typical(self) -> Item:
        """The slice in the middle of those that are shown."""
        return self.parts[self.shown[len(self.shown) // 2]]

    @property
    def shown(self) -> tuple[int, ...]:
        """Numbers of the slices that a gallery shows: spread over those that hold something."""
        filled = {id(each) for each in self.filled}
        numbers = [number for number, each in enumerate(self.parts) if id(each) in filled]
        step = -(-len(numbers) // SHOWN)
        first = (len(numbers) - 1) % step // 2
        return tuple(numbers[first::step])

    @property
    def rule(self) -> str:
        """What else makes its voxels."""
        return digest_of([each.rule for each in self.parts])

    @property
    def reading(self) -> str:
        """The rules of its slices, and what else a cell takes."""
        return digest_of([each.reading for each in self.parts])

    @property
    def scaling(self) -> Scaling | None:
        """The scale's rule and the values that became 0 and 1, one for all slices."""
        return self.parts[0].scaling

    @property
    def realisations(self) -> int:
        """How many acquisitions were measured; 0 where noise is drawn."""
        return self.parts[0].realisations

    def read(self, size: int | None = None) -> np.ndarray:
        """Read the slices, each resized as it is alone."""
        return np.stack([each.read(size) for each in self.parts])

    def observe(self, size: int | None = None, realisation: int = 0) -> Observation:
        """Return what a cell starts from."""
        seen = [each.observe(size, realisation) for each in self.parts]
        references = [each.reference for each in seen if each.reference is not None]
        noisy = [each.noisy for each in seen if each.noisy is not None]
        return Observation(
            np.stack(references) if references else None,
            noisy=np.stack(noisy) if noisy else None,
            spacing=seen[0].spacing,
        )

    def __hash__(self) -> int:
        return hash(self.digest)  # not of every slice of every file


def source(item: FileItem | PairItem) -> FileItem:
    """Return the file that says which volume an image is a slice of."""
    return item if isinstance(item, FileItem) else item.reference or item.noisy[0]


def stacked(dataset: Dataset) -> Dataset:
    """Return a data set of whole volumes; single images are left out, and named.

    Parameters
    ----------
    dataset
        Opened with ``Reading(whole=True)``, so that no slice is missing.

    Raises
    ------
    DenobenchError
        If there is no volume in it.
    """
    found: dict[tuple[object, ...], list[FileItem | PairItem]] = defaultdict(list)
    single: list[Unreadable] = []
    for item in dataset.items:
        if isinstance(item, FileItem | PairItem):
            own = source(item)
            found[own.files, own.stack, own.plane].append(item)
        else:
            single.append(Unreadable(item.id, "a single image, and no volume"))
    volumes = []
    for parts in found.values():
        if len(parts) == 1:
            single.append(Unreadable(parts[0].id, "a single image, and no volume"))
        elif len({each.realisations for each in parts}) > 1:
            why = "its noisy acquisitions have different numbers of slices"
            single.append(Unreadable(source(parts[0]).whole, why))
        else:
            volumes.append(_volume(parts))
    if not volumes:
        raise DenobenchError(
            f"{dataset.name} holds single images, and no volume: unit: volume needs files or "
            "series of several slices, such as NIfTI; use unit: slice."
        )
    left_out = sorted((*dataset.unreadable, *single), key=lambda each: each.path)
    items = distinct(sorted(volumes, key=lambda item: item.id))
    return replace(dataset, items=tuple(items), unreadable=tuple(left_out))


def _volume(parts: Sequence[FileItem | PairItem]) -> VolumeItem:
    """Return the volume that slices make."""
    parts = sorted(parts, key=lambda item: source(item).index)
    first = parts[0]
    own = first.noisy[0] if isinstance(first, PairItem) else first
    return VolumeItem(
        own.whole,
        first.label,
        first.cluster,
        digest_of([each.digest for each in parts]),
        part=first.part,
        clipped=first.clipped,
        parts=tuple(parts),
    )
