"""What a network is trained and validated on: images, squares of them, and fresh noise.

Every sample depends on the seed, the image and its number alone: noise fields, levels, places and
the order are drawn anew from them in each epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from denobench import noise, seeds
from denobench.datasets import Item
from denobench.files import digest_of, replacing
from denobench.methods import TrainingSet
from denobench.networks.padding import pad

if TYPE_CHECKING:
    from pathlib import Path

    from denobench.networks.method import NetworkDenoiser
    from denobench.networks.recipe import Recipe

Batch = tuple[np.ndarray, np.ndarray]


class Images:
    """Resized images in a file, so that they are decoded once and memory does not grow."""

    def __init__(self, items: tuple[Item, ...], size: int | None, folder: Path) -> None:
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
        self.images = Images(training.train, training.size, folder)

    def __len__(self) -> int:
        return len(self.images) * self.recipe.crops

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield an epoch's inputs and targets, each sample once."""
        order = seeds.generator("order", self.training.seed, epoch).permutation(len(self))
        for first in range(0, len(order), self.recipe.batch_size):
            chosen = order[first : first + self.recipe.batch_size]
            pairs = [self._encoded(int(index), epoch) for index in chosen]
            inputs, targets = (np.stack(side) for side in zip(*pairs, strict=True))
            yield inputs, targets

    def _encoded(self, index: int, epoch: int) -> Batch:
        noisy, clean, level = self.pair(index, epoch)
        factor = self.network.factor
        return (
            self.network.encode(pad(noisy, factor), level),
            self.network.target(pad(clean, factor)),
        )

    def pair(self, index: int, epoch: int) -> tuple[np.ndarray, np.ndarray, float]:
        """Return one sample with the epoch's noise and without, and the noise's level."""
        index, square = divmod(index, self.recipe.crops)
        number = epoch * self.recipe.crops + square
        digest = self.training.train[index].digest
        low, high = min(self.training.levels), max(self.training.levels)
        level = seeds.generator("level", self.training.seed, number, digest).uniform(low, high)
        clean = self._square(self.images[index], digest, number)
        return noisy_image(self.training, clean, digest, number, "train", level), clean, level

    def _square(self, image: np.ndarray, digest: str, number: int) -> np.ndarray:
        """Return a part of an image as the recipe asks for."""
        side = self.recipe.crop
        if not side and not self.recipe.turns:
            return image
        generator = seeds.generator("square", self.training.seed, number, digest)
        if side:
            top, left = (int(generator.integers(max(n - side, 0) + 1)) for n in image.shape)
            image = image[top : top + side, left : left + side]
        if self.recipe.turns:
            image = np.rot90(image, int(generator.integers(4)))
            image = image[:, ::-1] if generator.integers(2) else image
        return np.ascontiguousarray(image)


class Validation:
    """The validation images, each with one noise field for the whole training."""

    def __init__(self, network: NetworkDenoiser, training: TrainingSet, folder: Path) -> None:
        self.network, self.training = network, training
        self.clean = Images(training.validation, training.size, folder)

    def _sample(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return an image's input, and the image."""
        levels = sorted(self.training.levels)
        image, digest = self.clean[index], self.training.validation[index].digest
        level = levels[index % len(levels)]
        noisy = noisy_image(self.training, image, digest, 0, "validation", level)
        return self.network.encode(pad(noisy, self.network.factor), level), image

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
