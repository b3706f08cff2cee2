"""Train the network so that it can be stopped at any moment and goes on bit for bit.

Every step depends only on the seed, the number of the epoch and the images: noise fields, levels
and the images' order are drawn anew from them in each epoch, and a checkpoint after every epoch
holds the weights and the optimiser's state.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from denobench import noise
from denobench.autoencoder import checkpoints
from denobench.autoencoder.checkpoints import State
from denobench.autoencoder.padding import pad
from denobench.autoencoder.weights import Weights
from denobench.datasets import Item
from denobench.errors import DenobenchError
from denobench.files import digest_of, replacing
from denobench.methods import TrainingSet
from denobench.progress import Progress
from denobench.seeds import generator

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Recipe:
    """How to train, apart from the images and their noise; `CDAE` says what each value means."""

    epochs: int
    batch_size: int
    learning_rate: float
    decay: str
    keep: str

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        if self.decay == "none":
            return self.learning_rate
        cosine = (1 + math.cos(math.pi * epoch / self.epochs)) / 2
        return self.learning_rate * (0.01 + 0.99 * cosine)


def train(
    training: TrainingSet,
    recipe: Recipe,
    *,
    build: Callable[[tuple[int, int, int]], keras.Model],
    initial: Weights,
    key: str,
    folder: Path,
    progress: Progress,
) -> tuple[Weights, pd.DataFrame]:
    """Train from the start or from the folder's checkpoint.

    Parameters
    ----------
    training
        Images and noise.
    recipe
        How to train.
    build
        Makes the network for images of a height, width and three channels.
    initial
        The network's weights at the start.
    key
        Digest of the two, against mistaking one training's checkpoint for another's.
    folder
        Holds the checkpoint and the resized images while training.
    progress
        Told after every step.

    Returns
    -------
    weights
        Those of the kept epoch.
    history
        One row per epoch: epoch (from 1), loss, val_loss (mean squared error over the three
        channels), val_psnr (dB, mean over images), learning_rate, seconds, images_per_second, kept.

    Raises
    ------
    DenobenchError
        If the training set cannot be trained on, or the loss is no longer finite.
    """
    _check(training, recipe)
    folder.mkdir(parents=True, exist_ok=True)
    state = checkpoints.read(folder, key)
    if state is None or len(state.history) < recipe.epochs:
        assert training.size is not None
        model = build((*pad(np.empty((training.size, training.size))).shape, 3))
        state = state or State(initial, [])
        state = _run(model, training, recipe, state, key, folder, progress)
    last = recipe.epochs - 1
    kept = _best_epoch(state.history) if recipe.keep == "best" else last
    history = pd.DataFrame(state.history)
    history["kept"] = history.index == kept
    return (state.best if recipe.keep == "best" else state.weights), history


def _check(training: TrainingSet, recipe: Recipe) -> None:
    """Raise if the training set cannot be trained on."""
    if training.size is None:
        raise DenobenchError(
            "Training the CDAE needs images of one size; set a size in pixels, such as 224."
        )
    if not training.train:
        raise DenobenchError("Training the CDAE needs at least one training image.")
    if not training.levels:
        raise DenobenchError("Training the CDAE needs at least one noise level.")
    if recipe.keep == "best" and not training.validation:
        raise DenobenchError("keep: best needs validation images; add some, or keep: last.")


def _run(
    model: keras.Model,
    training: TrainingSet,
    recipe: Recipe,
    state: State,
    key: str,
    folder: Path,
    progress: Progress,
) -> State:
    """Train the epochs that are missing."""
    _restore(model, recipe, state)
    clean = Images(training.train, training.size, folder)
    examined = _Validation(training, folder)
    for epoch in range(len(state.history), recipe.epochs):
        start = time.perf_counter()
        rate = recipe.rate(epoch)
        model.optimizer.learning_rate = rate
        loss = _epoch(model, training, recipe, clean, epoch, progress)
        speed = len(clean) / (time.perf_counter() - start)
        val_loss, val_psnr = examined.scores(model, recipe.batch_size)
        state.history.append(
            {
                "epoch": epoch + 1,
                "loss": loss,
                "val_loss": val_loss,
                "val_psnr": val_psnr,
                "learning_rate": rate,
                "seconds": time.perf_counter() - start,
                "images_per_second": speed,
            }
        )
        state.weights, state.optimiser = model.get_weights(), _optimiser(model)
        if recipe.keep == "best" and _best_epoch(state.history) == epoch:
            state.best = state.weights
        checkpoints.write(folder, key, state)
        progress(
            epoch + 1,
            recipe.epochs,
            f"epoch {epoch + 1}/{recipe.epochs} loss {loss:.4f} val {val_loss:.4f} "
            f"{val_psnr:.1f} dB {speed:.0f} img/s",
        )
    return state


def _best_epoch(history: list[dict[str, Any]]) -> int:
    """Return the index of the epoch of highest validation PSNR."""
    return int(np.argmax([record["val_psnr"] for record in history]))


def _optimiser(model: keras.Model) -> list[np.ndarray]:
    """Return the optimiser's variables."""
    from keras import ops

    return [np.array(ops.convert_to_numpy(variable)) for variable in model.optimizer.variables]


def _restore(model: keras.Model, recipe: Recipe, state: State) -> None:
    """Set the network, and a new optimiser, to a state; at the start that has no optimiser's."""
    import keras

    optimiser = keras.optimizers.RMSprop(recipe.learning_rate)
    model.compile(optimiser, loss="mean_squared_error", jit_compile=False)
    optimiser.build(model.trainable_variables)
    model.set_weights(state.weights)
    if state.optimiser:
        for variable, value in zip(optimiser.variables, state.optimiser, strict=True):
            variable.assign(value)


def _epoch(
    model: keras.Model,
    training: TrainingSet,
    recipe: Recipe,
    clean: Images,
    epoch: int,
    progress: Progress,
) -> float:
    """Train one epoch and return its mean loss."""
    count = len(clean)
    order = generator("order", training.seed, epoch).permutation(count)
    start = time.perf_counter()
    total, done = 0.0, 0
    for first in range(0, count, recipe.batch_size):
        chosen = order[first : first + recipe.batch_size]
        pairs = [training_pair(training, clean, index, epoch) for index in chosen]
        model.reset_metrics()  # so that the loss is this step's
        loss = float(
            model.train_on_batch(*(_three_channels(side) for side in zip(*pairs, strict=True)))
        )
        if not math.isfinite(loss):
            raise _diverged(f"the loss is {loss}", epoch, recipe)
        total, done = total + loss * len(chosen), done + len(chosen)
        if done < count:
            speed = done / (time.perf_counter() - start)
            text = f"epoch {epoch + 1}/{recipe.epochs} loss {total / done:.4f} {speed:.0f} img/s"
            progress(epoch + done / count, recipe.epochs, text)
    # A network with weights that are no numbers may still answer, and so have a finite loss.
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise _diverged("the weights are not finite", epoch, recipe)
    return total / count


def _diverged(what: str, epoch: int, recipe: Recipe) -> DenobenchError:
    return DenobenchError(
        f"Training the CDAE: {what} in epoch {epoch + 1}; a learning_rate below "
        f"{recipe.learning_rate:g} may help. The last good checkpoint is kept."
    )


def training_pair(
    training: TrainingSet, clean: Images, index: int, epoch: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return one image with the epoch's noise, and without."""
    digest = training.train[index].digest
    low, high = min(training.levels), max(training.levels)
    level = generator("level", training.seed, epoch, digest).uniform(low, high)
    return noisy_image(training, clean[index], digest, epoch, "train", level), clean[index]


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


def _three_channels(images: Any) -> np.ndarray:
    """Stack padded images to (batch, H, W, 3), the same grey three times."""
    stacked = np.stack([pad(image) for image in images])
    return np.repeat(stacked[..., np.newaxis], 3, axis=3)


class Images:
    """Resized images in a file, so that they are decoded once and memory does not grow."""

    def __init__(self, items: tuple[Item, ...], size: int | None, folder: Path) -> None:
        assert size is not None
        key = digest_of([size, *(item.digest for item in items)])
        path = folder / f"images-{key[:16]}.npy"
        if items and not path.exists():
            shape = (len(items), size, size)
            with replacing(path) as temporary:
                array = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
                for index, item in enumerate(items):
                    array[index] = item.read(size)
                array.flush()
        self._array = np.load(path, mmap_mode="r") if items else np.empty((0, size, size))

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._array[index]


class _Validation:
    """The validation images, each with one noise field for the whole training."""

    def __init__(self, training: TrainingSet, folder: Path) -> None:
        self.training = training
        self.clean = Images(training.validation, training.size, folder)

    def _pairs(self, chosen: range) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        levels = sorted(self.training.levels)
        for index in chosen:
            image, digest = self.clean[index], self.training.validation[index].digest
            level = levels[index % len(levels)]
            yield noisy_image(self.training, image, digest, 0, "validation", level), image

    def scores(self, model: keras.Model, batch_size: int) -> tuple[float, float]:
        """Return the mean squared error and the mean PSNR in dB, or NaN without images."""
        count = len(self.clean)
        losses, psnrs = [], []
        for first in range(0, count, batch_size):
            noisy, clean = zip(
                *self._pairs(range(first, min(first + batch_size, count))), strict=True
            )
            answers = model.predict_on_batch(_three_channels(noisy))
            for answer, image in zip(answers, clean, strict=True):
                answer = answer[: image.shape[0], : image.shape[1]].astype(np.float64)
                losses.append(np.mean((answer - image[..., np.newaxis]) ** 2))
                error = np.mean((answer.mean(axis=2) - image) ** 2)
                psnrs.append(-10 * np.log10(max(error, 1e-12)))
        return (float(np.mean(losses)), float(np.mean(psnrs))) if count else (math.nan, math.nan)
