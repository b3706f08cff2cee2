"""What a network is trained and validated on: images, squares of them, and fresh noise.

Every sample depends on the seed, the image and its number alone: noise fields, levels, places and
the order are drawn anew from them in each epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from denobench import noise, seeds
from denobench.files import digest_of, replacing
from denobench.methods import TrainingSet
from denobench.networks.padding import pad
from denobench.networks.symmetries import turned

if TYPE_CHECKING:
    from pathlib import Path

    from denobench.networks.method import NetworkDenoiser
    from denobench.networks.recipe import Recipe

Batch = tuple[np.ndarray, np.ndarray]


class Readable(Protocol):
    """What can be read as an image: an item of a data set, or an acquisition."""

    @property
    def digest(self) -> str:
        """What it is."""
        ...

    def read(self, size: int | None = None) -> np.ndarray:
        """Return the image, float32, (H, W), resized to a square."""
        ...


class Images:
    """Resized images in a file, so that they are decoded once and memory does not grow."""

    def __init__(self, items: Sequence[Readable], size: int | None, folder: Path) -> None:
        assert size is not None
        digest = digest_of([size, *(item.digest for item in items)])
        path = folder / f"images-{digest[:16]}.npy"
        if items and not path.exists():
            with replacing(path) as temporary:
                shape = (len(items), size, size)
                array = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
                for index, item in enumerate(items):
                    array[index] = item.read(size)
                array.flush()
        self._array = np.load(path, mmap_mode="r") if items else np.empty((0, size, size))

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._array[index]


class Samples:
    """The training images with the noise of each epoch.

    Parameters
    ----------
    network
        Says what its input and target are made of.
    training
        Images and noise.
    recipe
        Size of a batch, and which squares are taken of an image.
    folder
        Holds the resized images while training.
    """

    def __init__(
        self, network: NetworkDenoiser, training: TrainingSet, recipe: Recipe, folder: Path
    ) -> None:
        self.network, self.training, self.recipe = network, training, recipe
        self.items = training.train
        self._open(folder)

    def _open(self, folder: Path) -> None:
        """Put the images into the folder."""
        self.images = Images(self.items, self.training.size, folder)

    def __len__(self) -> int:
        return len(self.items) * self.recipe.crops

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield an epoch's inputs and targets, each sample once."""
        order = seeds.generator("order", self.training.seed, epoch).permutation(len(self))
        for first in range(0, len(order), self.recipe.batch_size):
            chosen = order[first : first + self.recipe.batch_size]
            pairs = [self._encoded(int(index), epoch) for index in chosen]
            inputs, targets = (np.stack(side) for side in zip(*pairs, strict=True))
            yield inputs, targets

    def _encoded(self, index: int, epoch: int) -> Batch:
        """Return one sample's input and target, as the network and the recipe want them."""
        network, factor = self.network, self.network.factor
        noisy, level = self.noisy(index, epoch)
        generator = self._generator("input", index, epoch)
        if self.recipe.supervision == "clean":
            given, target = noisy, network.target(pad(self.clean(index, epoch), factor))
        elif self.recipe.supervision == "noise2noise":
            given, target = noisy, network.target(pad(self.again(index, epoch), factor))
        else:
            given, hidden = blind_spots(noisy, generator)
            masked = (network.target(pad(each, factor)) for each in (noisy, hidden))
            target = np.concatenate(list(masked), axis=-1)
        inputs = network.encode(pad(given, factor), level)
        drawn = generator.standard_normal((*inputs.shape[:2], network.draws), np.float32)
        return np.concatenate([inputs, drawn], axis=-1) if network.draws else inputs, target

    def clean(self, index: int, epoch: int) -> np.ndarray:
        """Return one sample without noise."""
        return self._square(self.images[index // self.recipe.crops], index, epoch)

    def noisy(self, index: int, epoch: int) -> tuple[np.ndarray, float]:
        """Return one sample with the epoch's noise, and the noise's level."""
        return self._corrupted(index, epoch, "train")

    def again(self, index: int, epoch: int) -> np.ndarray:
        """Return one sample with other noise of the same level."""
        return self._corrupted(index, epoch, "train again")[0]

    def _corrupted(self, index: int, epoch: int, stream: str) -> tuple[np.ndarray, float]:
        digest, number = self._digest(index), self._number(index, epoch)
        low, high = min(self.training.levels), max(self.training.levels)
        level = self._generator("level", index, epoch).uniform(low, high)
        clean = self.clean(index, epoch)
        return noisy_image(self.training, clean, digest, number, stream, level), level

    def _digest(self, index: int) -> str:
        return self.items[index // self.recipe.crops].digest

    def _number(self, index: int, epoch: int) -> int:
        return epoch * self.recipe.crops + index % self.recipe.crops

    def _generator(self, purpose: str, index: int, epoch: int) -> np.random.Generator:
        number, digest = self._number(index, epoch), self._digest(index)
        return seeds.generator(purpose, self.training.seed, number, digest)

    def _square(self, image: np.ndarray, index: int, epoch: int) -> np.ndarray:
        """Return the part of an image that a sample is."""
        side = self.recipe.crop
        if not side and not self.recipe.turns:
            return image
        generator = self._generator("square", index, epoch)
        if side:
            top, left = (int(generator.integers(max(n - side, 0) + 1)) for n in image.shape)
            image = image[top : top + side, left : left + side]
        if self.recipe.turns:
            turns, flips = int(generator.integers(4)), int(generator.integers(2))
            image = turned(image, 4 * flips + turns)
        return np.ascontiguousarray(image)


class Validation:
    """The validation images, each with one noise field for the whole training."""

    def __init__(self, network: NetworkDenoiser, training: TrainingSet, folder: Path) -> None:
        self.network, self.training = network, training
        self.items = training.validation
        self._open(folder)

    def _open(self, folder: Path) -> None:
        """Put the images into the folder."""
        self.clean = Images(self.items, self.training.size, folder)

    def _noisy(self, index: int) -> tuple[np.ndarray, float]:
        """Return a noisy image, and the noise's level."""
        levels = sorted(self.training.levels)
        level = levels[index % len(levels)]
        image, digest = self.clean[index], self.items[index].digest
        return noisy_image(self.training, image, digest, 0, "validation", level), level

    def _sample(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return an image's input, and the image."""
        noisy, level = self._noisy(index)
        return self.network.encode(pad(noisy, self.network.factor), level), self.clean[index]

    def scores(self, model: object, batch_size: int) -> tuple[float, float]:
        """Return the mean squared error and the mean PSNR in dB, or NaN without images."""
        count = len(self.clean)
        losses, psnrs = [], []
        for first in range(0, count, batch_size):
            chosen = range(first, min(first + batch_size, count))
            inputs, images = zip(*map(self._sample, chosen), strict=True)
            answers = model.predict_on_batch(np.stack(inputs))  # type: ignore[attr-defined]
            for answer, image in zip(answers, images, strict=True):
                answer = answer[: image.shape[0], : image.shape[1]].astype(np.float64)
                losses.append(np.mean((answer - self.network.target(image)) ** 2))
                error = np.mean((self.network.decode(answer) - image) ** 2)
                psnrs.append(-10 * np.log10(max(error, 1e-12)))
        return (float(np.mean(losses)), float(np.mean(psnrs))) if count else (math.nan, math.nan)


def blind_spots(noisy: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Hide some pixels of a noisy image from a network that is to find them.

    Each pixel is hidden with a probability of 1 in 128; it is replaced by another pixel of the
    5 x 5 around it, drawn at random.

    Returns
    -------
    given
        The image without the hidden pixels, (H, W).
    hidden
        1 where a pixel is hidden, else 0, (H, W), float32.

    References
    ----------
    A. Krull, T.-O. Buchholz and F. Jug, "Noise2Void: learning denoising from single noisy images",
    CVPR 2019.
    """
    hidden = generator.random(noisy.shape) < 1 / 128
    rows, columns = np.nonzero(hidden)
    moves = generator.integers(1, 25, len(rows))  # of the 24 neighbours, from the centre on
    down, right = ((moves + 12) % 25) // 5 - 2, ((moves + 12) % 25) % 5 - 2
    given = noisy.copy()
    places = (_moved(rows, down, len(noisy)), _moved(columns, right, noisy.shape[1]))
    given[rows, columns] = noisy[places]
    return given, hidden.astype(np.float32)


def _moved(places: np.ndarray, by: np.ndarray, count: int) -> np.ndarray:
    """Return places moved along a side, the other way where they would leave it."""
    moved = places + by
    return np.where((moved < 0) | (moved >= count), places - by, moved)


def noisy_image(
    training: TrainingSet, image: np.ndarray, digest: str, number: int, stream: str, level: float
) -> np.ndarray:
    """Return the image with noise drawn for (seed, image, number) in the stream."""
    model = noise.REGISTRY.load(training.noise)
    fields = noise.draw_fields(
        (model.fields, *image.shape),
        seed=training.seed,
        image=digest,
        realisation=number,
        stream=stream,
    )
    return noise.corrupt(image, model, level, fields)
