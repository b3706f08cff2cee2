"""Images and networks' files that go with their cells to machines that do not see them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from denobench import methods
from denobench.datasets import Item
from denobench.datasets.base import Observation
from denobench.engine.planning.cell import Cell
from denobench.files import replacing
from denobench.foreign import recognise
from denobench.methods import FileDenoiser
from denobench.scale import Scaling


@dataclass(frozen=True)
class SentItem(Item):
    """An image that was sent to machines that do not see its file, in the size of its cells."""

    reading: str = ""
    scaling: Scaling | None = None
    realisations: int = 0
    observed: tuple[Observation, ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def of(cls, item: Item, size: int | None) -> SentItem:
        """Return an item's image, read and resized."""
        numbers = range(item.realisations or 1)
        observed = tuple(item.observe(size, number) for number in numbers)
        return replace(cls.without_image(item), observed=observed)

    @classmethod
    def without_image(cls, item: Item) -> SentItem:
        """Return what is known of an item."""
        known = {each.name: getattr(item, each.name) for each in fields(Item)}
        told = {name: getattr(item, name) for name in ("reading", "scaling", "realisations")}
        return cls(**known, **told)

    def read(self, size: int | None = None) -> np.ndarray:  # noqa: ARG002  it has that size
        """Return the image, float32, (H, W)."""
        seen = self.observed[0]
        image = seen.noisy if seen.reference is None else seen.reference
        assert image is not None
        return image

    def observe(self, size: int | None = None, realisation: int = 0) -> Observation:  # noqa: ARG002
        """Return what a cell starts from."""
        return self.observed[realisation if self.realisations else 0]


@dataclass(frozen=True)
class SentFile:
    """A method's file of weights, or the files of its network, that were sent.

    Attributes
    ----------
    digest
        As of the cell's weights: the name of the folder that they get.
    main
        The file or folder that the method loads.
    parts
        Contents, by their paths in that folder.
    """

    digest: str
    main: str
    parts: tuple[tuple[str, bytes], ...] = field(repr=False)

    @classmethod
    def of(cls, cell: Cell) -> SentFile:
        """Return a cell's file with all that belongs to it, read."""
        path = cell.weights
        assert path is not None
        found = methods.load(cell.registered)
        every = recognise.files(path) if issubclass(found, FileDenoiser) else [path]
        parts = [(each.relative_to(path.parent).as_posix(), each.read_bytes()) for each in every]
        return cls(cell.weights_digest, path.name, tuple(parts))

    def written(self, folder: Path) -> Path:
        """Write what is not there yet below a folder, and return the path to load."""
        own = folder / "files" / self.digest
        for name, content in self.parts:
            if not (target := own / name).is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                with replacing(target) as temporary:
                    temporary.write_bytes(content)
        return own / self.main
