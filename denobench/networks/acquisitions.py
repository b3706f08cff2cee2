"""Training on measured noise: the acquisitions are what is noisy, and nothing is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from denobench import noise
from denobench.datasets import Item
from denobench.datasets.pairs import PairItem
from denobench.errors import DenobenchError
from denobench.files import digest_of
from denobench.methods import TrainingSet
from denobench.networks.samples import Images, Samples, Validation


@dataclass(frozen=True)
class Acquisition:
    """One of the noisy images of an item, without its reference."""

    item: PairItem
    number: int

    @property
    def digest(self) -> str:
        """What it is."""
        return digest_of(["acquisition", self.number, self.item.noisy[self.number].digest])

    def read(self, size: int | None = None) -> np.ndarray:
        """Read it, not clipped."""
        return self.item.acquired(size, self.number)


def usable(items: Sequence[Item], supervision: str) -> tuple[PairItem, ...]:
    """Return the items that a network can be trained on: see `Acquired`."""
    pairs = (item for item in items if isinstance(item, PairItem))
    if supervision == "clean":
        return tuple(item for item in pairs if item.reference is not None)
    needed = 2 if supervision == "noise2noise" else 1
    return tuple(item for item in pairs if item.realisations >= needed)


def check(name: str, items: Sequence[Item], supervision: str) -> None:
    """Raise if no item is usable.

    Parameters
    ----------
    name
        The method's.
    items
        To train on.
    supervision
        As of `denobench.networks.recipe.Recipe`.
    """
    if usable(items, supervision):
        return
    lacks, others = {
        "clean": ("a reference", "noise2noise or noise2void"),
        "noise2noise": ("two noisy acquisitions", "clean or noise2void"),
        "noise2void": ("a noisy acquisition", "clean"),
    }[supervision]
    raise DenobenchError(
        f"Method {name!r}: supervision: {supervision} needs {lacks} of a training image, which "
        f"none of the {len(items)} has: use supervision: {others}, or leave the method out."
    )


class Acquired(Samples):
    """Measured images to train on: an acquisition is the input.

    The target is the reference (``clean``), another acquisition (``noise2noise``) or the same one
    at hidden pixels (``noise2void``); but for the first no reference is read. Where there are
    several, which acquisitions are taken is drawn anew for each sample. A network that is told
    sigma is told the estimate in the acquisition, as on the track ``estimated``.
    """

    def _open(self, folder: Path) -> None:
        size, supervision = self.training.size, self.recipe.supervision
        pairs = usable(self.items, supervision)
        check(self.network.info.name, self.items, supervision)
        self.items, self.pairs = pairs, pairs
        self.images = Images(pairs if supervision == "clean" else (), size, folder)
        every = [Acquisition(item, n) for item in pairs for n in range(item.realisations)]
        self.acquisitions = Images(every, size, folder)
        self.firsts = np.cumsum([0, *(item.realisations for item in pairs)])
        self.levels = _levels(self.acquisitions, self.training)

    def noisy(self, index: int, epoch: int) -> tuple[np.ndarray, float]:
        """Return one sample of an acquisition, and its estimated level."""
        chosen = self._chosen(index, epoch)[0]
        return self._square(self.acquisitions[chosen], index, epoch), self.levels[chosen]

    def again(self, index: int, epoch: int) -> np.ndarray:
        """Return the sample of another acquisition."""
        return self._square(self.acquisitions[self._chosen(index, epoch)[1]], index, epoch)

    def _chosen(self, index: int, epoch: int) -> np.ndarray:
        """Return the numbers of the sample's acquisitions, in the order they are taken in."""
        place = index // self.recipe.crops
        count = self.pairs[place].realisations
        generator = self._generator("acquisition", index, epoch)
        return self.firsts[place] + generator.permutation(count)


class AcquiredValidation(Validation):
    """The first acquisitions of those validation items that have a reference."""

    def _open(self, folder: Path) -> None:
        pairs, size = usable(self.items, "clean"), self.training.size
        self.items = pairs
        self.clean = Images(pairs, size, folder)
        self.acquisitions = Images([Acquisition(item, 0) for item in pairs], size, folder)
        self.levels = _levels(self.acquisitions, self.training)

    def _noisy(self, index: int) -> tuple[np.ndarray, float]:
        return self.acquisitions[index], self.levels[index]


def _levels(acquisitions: Images, training: TrainingSet) -> list[float]:
    """Return the noise estimated in each; where an image tells none, the set's."""
    model = noise.REGISTRY.load(training.noise)

    def level(image: np.ndarray) -> float:
        try:
            return noise.estimated(image, model)
        except DenobenchError:
            return training.levels[0]

    return [level(acquisitions[number]) for number in range(len(acquisitions))]
