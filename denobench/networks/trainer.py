"""Train a network so that it can be stopped at any moment and goes on bit for bit.

Every step depends only on the seed, the number of the epoch and the images, and a checkpoint after
every epoch holds the weights and the optimiser's state.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from denobench.errors import DenobenchError
from denobench.methods import TrainingSet
from denobench.networks import checkpoints
from denobench.networks import device as devices
from denobench.networks.acquisitions import Acquired, AcquiredValidation
from denobench.networks.checkpoints import State
from denobench.networks.padding import pad
from denobench.networks.recipe import Recipe
from denobench.networks.samples import Batch, Samples, Validation
from denobench.networks.weights import Weights
from denobench.noise import MEASURED
from denobench.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

    from denobench.networks.method import NetworkDenoiser

Element = TypeVar("Element")


def train(
    network: NetworkDenoiser,
    training: TrainingSet,
    recipe: Recipe,
    *,
    initial: Weights,
    key: str,
    folder: Path,
    progress: Progress,
) -> tuple[Weights, pd.DataFrame]:
    """Train from the start or from the folder's checkpoint.

    Parameters
    ----------
    network
        What builds the network, and what its input and target are.
    training
        Images and noise.
    recipe
        How to train.
    initial
        The network's weights at the start.
    key
        Digest of all of these, against mistaking one training's checkpoint for another's.
    folder
        Holds the checkpoint and the resized images while training.
    progress
        Told after every step.

    Returns
    -------
    weights
        Those of the kept epoch.
    history
        One row per epoch: epoch (from 1), loss, val_loss (mean squared error over the network's
        outputs), val_psnr (dB, mean over images), learning_rate, seconds, images_per_second,
        in_step (share of the time, without validation, that the steps themselves took), device,
        backend, kept.

    Raises
    ------
    DenobenchError
        If the training set cannot be trained on, the loss is no longer finite, or memory is too
        little.
    """
    _check(network.info.title, training, recipe)
    import pandas as pd  # here: what only denoises need not wait for it

    folder.mkdir(parents=True, exist_ok=True)
    state = checkpoints.read(folder, key)
    if state is None or len(state.history) < recipe.epochs:
        state = state or State(list(initial.values()), [])
        with devices.naming_too_little_memory(network.info.title, recipe):
            trainer = _Trainer(network, training, recipe, state, folder)
            trainer.run(key, folder, progress)
    last = recipe.epochs - 1
    kept = _best_epoch(state.history) if recipe.keep == "best" else last
    history = pd.DataFrame(state.history)
    history["kept"] = history.index == kept
    final = state.best if recipe.keep == "best" else state.average or state.weights
    return dict(zip(initial, final, strict=True)), history


def _check(title: str, training: TrainingSet, recipe: Recipe) -> None:
    """Raise if the training set cannot be trained on."""
    if training.size is None:
        raise DenobenchError(
            f"Training {title} needs images of one size; set a size in pixels, such as 224."
        )
    if not training.train:
        raise DenobenchError(f"Training {title} needs at least one training image.")
    if not training.levels:
        raise DenobenchError(f"Training {title} needs at least one noise level.")
    if recipe.keep == "best" and not training.validation:
        raise DenobenchError("keep: best needs validation images; add some, or keep: last.")


def _best_epoch(history: list[dict[str, Any]]) -> int:
    """Return the index of the epoch of highest validation PSNR."""
    return int(np.argmax([record["val_psnr"] for record in history]))


class _Trainer:
    """A network between two epochs."""

    def __init__(
        self,
        network: NetworkDenoiser,
        training: TrainingSet,
        recipe: Recipe,
        state: State,
        folder: Path,
    ) -> None:
        assert training.size is not None
        self.network, self.recipe, self.state = network, recipe, state
        measured = training.noise == MEASURED
        samples, validation = (Acquired, AcquiredValidation) if measured else (Samples, Validation)
        self.samples = samples(network, training, recipe, folder)
        self.validation = validation(network, training, folder)
        side = min(recipe.crop or training.size, training.size)
        self.model = network.build_training(self._shape(side))
        self._restore()
        # Validated are whole images, with the weights' average where there is one.
        self.examined = network.build(self._shape(training.size))
        self.examined.compile(jit_compile=devices.compiles())
        self.place = {"device": devices.used_by(self.model), "backend": devices.backend()}
        self.step_seconds = 0.0  # of the epoch that runs

    def _shape(self, side: int) -> tuple[int, int, int]:
        height, width = pad(np.empty((side, side)), self.network.factor).shape
        return height, width, self.network.channels

    def _restore(self) -> None:
        """Set the network, and a new optimiser, to the state; at the start that has none of it."""
        import keras

        from denobench.networks.optimisers import Muon

        chosen = self.recipe.optimiser
        optimiser = Muon() if chosen == "muon" else keras.optimizers.get(chosen)
        self.network.compile(self.model, optimiser)
        optimiser.build(self.model.trainable_variables)
        self.model.set_weights(self.state.weights)
        if self.state.optimiser:
            for variable, value in zip(optimiser.variables, self.state.optimiser, strict=True):
                variable.assign(value)

    def run(self, key: str, folder: Path, progress: Progress) -> None:
        """Train the epochs that are missing."""
        state, recipe = self.state, self.recipe
        epochs = range(len(state.history), recipe.epochs)
        # Of all epochs at once, so that the next one's first is made while this one is validated.
        batches = _ahead(chain.from_iterable(map(self.samples.batches, epochs)))
        for epoch in epochs:
            start = time.perf_counter()
            loss = self._epoch(epoch, batches, progress)
            passed = time.perf_counter() - start
            state.weights = self.model.get_weights()
            state.optimiser = _values(self.model.optimizer.variables)
            self.examined.set_weights(state.average or state.weights)
            val_loss, val_psnr = self.validation.scores(self.examined, recipe.batch_size)
            state.history.append(
                {
                    "epoch": epoch + 1,
                    "loss": loss,
                    "val_loss": val_loss,
                    "val_psnr": val_psnr,
                    "learning_rate": recipe.rate(epoch),
                    "seconds": time.perf_counter() - start,
                    "images_per_second": len(self.samples) / passed,
                    "in_step": self.step_seconds / passed,
                    **self.place,
                }
            )
            if recipe.keep == "best" and _best_epoch(state.history) == epoch:
                state.best = [np.array(w) for w in state.average or state.weights]
            checkpoints.write(folder, key, state)
            progress(
                epoch + 1,
                recipe.epochs,
                f"epoch {epoch + 1}/{recipe.epochs} loss {loss:.4f} val {val_loss:.4f} "
                f"{val_psnr:.1f} dB {len(self.samples) / passed:.0f} img/s",
            )

    def _epoch(self, epoch: int, batches: Iterator[Batch], progress: Progress) -> float:
        """Train one epoch and return its mean loss."""
        model, recipe, count = self.model, self.recipe, len(self.samples)
        start = time.perf_counter()
        total, done, self.step_seconds = 0.0, 0, 0.0
        while done < count:
            inputs, targets = next(batches)
            began = time.perf_counter()
            model.optimizer.learning_rate = recipe.rate(epoch, (done + len(inputs)) / count)
            model.reset_metrics()  # so that the loss is this step's
            loss = float(model.train_on_batch(inputs, targets))
            self.step_seconds += time.perf_counter() - began
            if not math.isfinite(loss):
                raise self._diverged(f"the loss is {loss}", epoch)
            total, done = total + loss * len(inputs), done + len(inputs)
            if recipe.average:
                self._average((epoch * count + done) / recipe.batch_size)
            if done < count:
                speed = done / (time.perf_counter() - start)
                text = (
                    f"epoch {epoch + 1}/{recipe.epochs} loss {total / done:.4f} {speed:.0f} img/s"
                )
                progress(epoch + done / count, recipe.epochs, text)
        # A network with weights that are no numbers may still answer, and so have a finite loss.
        if not all(np.isfinite(weight).all() for weight in model.get_weights()):
            raise self._diverged("the weights are not finite", epoch)
        return total / count

    def _average(self, steps: float) -> None:
        """Add a step's weights, the first of which are far from the last, to their average."""
        share = min(self.recipe.average, steps / (steps + 10))
        weights = [np.array(weight) for weight in self.model.get_weights()]
        if not self.state.average:
            self.state.average = weights
            return
        for mean, new in zip(self.state.average, weights, strict=True):
            mean += np.float32(1 - share) * (new - mean)

    def _diverged(self, what: str, epoch: int) -> DenobenchError:
        return DenobenchError(
            f"Training {self.network.info.title}: {what} in epoch {epoch + 1}; a learning_rate "
            f"below {self.recipe.learning_rate:g} may help. The last good checkpoint is kept."
        )


def _ahead(elements: Iterable[Element]) -> Iterator[Element]:
    """Yield what is made in a thread while the one before is used: no step waits for its input."""
    waiting = iter(elements)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, waiting, None)
        while (element := coming.result()) is not None:
            coming = pool.submit(next, waiting, None)
            yield element


def _values(variables: Iterable[Any]) -> list[np.ndarray]:
    """Return what variables hold."""
    from keras import ops

    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]
