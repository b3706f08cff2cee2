"""What cells start from: an image is read once in a process, as long as there is room for it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from denobench import images, noise
from denobench.answers import CLIP
from denobench.datasets import Item
from denobench.engine.planning.cell import Cell
from denobench.files import digest_bytes, digest_of
from denobench.noise import Noise

ROOM = 64 * 2**20  # bytes of the images that a process keeps


@dataclass(frozen=True)
class Clean:
    """A reference in a run's size.

    Attributes
    ----------
    image
        float32, (H, W), or (D, H, W) of a volume; None where there is no reference.
    foreground
        The head's mask, bool.
    tumour
        The tumour's mask where it is known, uint8.
    """

    image: np.ndarray | None
    foreground: np.ndarray
    tumour: np.ndarray | None

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        tumour = 0 if self.tumour is None else self.tumour.nbytes
        image = 0 if self.image is None else self.image.nbytes
        return image + self.foreground.nbytes + tumour


# The images that were used last, oldest first.
_kept: OrderedDict[tuple[Item, int | None], Clean] = OrderedDict()


def clean(item: Item, size: int | None) -> Clean:
    """Return an image in a size, read from its file unless this process has kept it."""
    if (item, size) in _kept:
        _kept.move_to_end((item, size))
        return _kept[item, size]
    seen = item.observe(size)
    shown = seen.noisy if seen.reference is None else seen.reference
    assert shown is not None
    found = Clean(seen.reference, images.foreground(np.clip(shown, *CLIP)), seen.tumour)
    _kept[item, size] = found
    room = ROOM - sum(each.bytes for each in _kept.values())
    while room < 0 and len(_kept) > 1:
        room += _kept.popitem(last=False)[1].bytes
    return found


def noisy(cell: Cell) -> tuple[np.ndarray, str]:
    """Return the noisy image or volume of a cell, float32, and the digest of its noise fields."""
    return _noisy(cell.item, cell.size, cell.noise, cell.seed, cell.realisation, cell.protocol)


@lru_cache(maxsize=2)
def _noisy(
    item: Item,
    size: int | None,
    corruption: Noise,
    seed: int,
    realisation: int,
    protocol: str,  # noqa: ARG001  another source of the noise model is another image
) -> tuple[np.ndarray, str]:
    measured = item.observe(size, realisation).noisy if item.realisations else None
    if measured is not None:
        return measured, digest_bytes(measured.tobytes())
    image = clean(item, size).image
    assert image is not None
    if image.ndim == 2:
        return _corrupted(image, item, corruption, seed, realisation)
    found = np.empty_like(image)
    digests = []
    # Slice by slice: a slice of a volume has the noise that it has alone.
    for index, (each, own) in enumerate(zip(image, item.slices, strict=True)):
        found[index], digest = _corrupted(each, own, corruption, seed, realisation)
        digests.append(digest)
    return found, digest_of(digests)


def _corrupted(
    image: np.ndarray, item: Item, corruption: Noise, seed: int, realisation: int
) -> tuple[np.ndarray, str]:
    """Return an image with noise, and the digest of the fields that were drawn."""
    model = noise.REGISTRY.load(corruption.model)
    shape = (model.fields, *image.shape)
    fields = noise.draw_fields(shape, seed=seed, image=item.digest, realisation=realisation)
    return noise.corrupt(image, model, corruption.level, fields), digest_bytes(fields.tobytes())
