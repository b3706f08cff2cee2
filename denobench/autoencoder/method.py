"""The autoencoder as a method of the benchmark."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from denobench.autoencoder import training as training_module
from denobench.autoencoder import weights as weights_module
from denobench.autoencoder.padding import pad
from denobench.autoencoder.training import Recipe
from denobench.autoencoder.weights import Weights
from denobench.errors import DenobenchError, unknown
from denobench.methods import FittedDenoiser, Info, TrainingSet
from denobench.progress import Progress

if TYPE_CHECKING:
    import keras

    from denobench.autoencoder.inference import Predictor

PAPER_EPOCHS = 200


class CDAE(FittedDenoiser):
    """The paper's convolutional denoising autoencoder.

    The architecture (Table 1), RMSprop, the mean squared error and 200 epochs are the paper's;
    the other values here are ours, where the paper is silent. The network takes three channels:
    it gets the same noisy image three times, and the mean of its three outputs is the answer.

    Parameters
    ----------
    training
        ``blind``: one network for all levels; each step's level is drawn uniformly between the
        lowest and the highest. ``matched``: one network per level.
    epochs
        Passes over the training images, with fresh noise in each; at least 1.
    batch_size
        Images per step; at least 1.
    learning_rate
        RMSprop's, at the start; above 0.
    decay
        ``cosine``: the learning rate falls along half a cosine to a hundredth of its start.
        ``none``: it stays.
    keep
        ``last``: the weights of the last epoch. ``best``: those of the highest validation PSNR.

    References
    ----------
    Shylaja P., "An implementation of denoising auto-encoder based deep learning approach on
    magnetic resonance imaging".
    """

    info: ClassVar[Info] = Info(
        name="cdae",
        title="CDAE",
        reference=(
            "Shylaja P., An implementation of denoising auto-encoder based deep learning approach "
            "on magnetic resonance imaging"
        ),
        licence="BSD-3-Clause",
        tracks=("blind", "oracle"),
        assumes="",
        packages=("tensorflow", "keras", "numba"),
        notes="Learns from the training images; blind unless trained for one level.",
    )
    version: ClassVar[int] = 1

    def __init__(
        self,
        *,
        training: str = "blind",
        epochs: int = PAPER_EPOCHS,
        batch_size: int = 4,
        learning_rate: float = 1e-3,
        decay: str = "cosine",
        keep: str = "last",
    ) -> None:
        choices = {
            "training": (training, ("blind", "matched")),
            "decay": (decay, ("cosine", "none")),
            "keep": (keep, ("last", "best")),
        }
        for name, (value, valid) in choices.items():
            if value not in valid:
                raise unknown(f"{name} of method 'cdae'", str(value), valid)
        for name, count in {"epochs": epochs, "batch_size": batch_size}.items():
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise DenobenchError(
                    f"{name} of method 'cdae' is {count!r}; give a whole number of at least 1."
                )
        if not 0 < learning_rate <= 1:
            raise DenobenchError(
                f"learning_rate of method 'cdae' is {learning_rate!r}; give a number above 0 and "
                "at most 1."
            )
        self.training = training
        self._recipe = Recipe(epochs, batch_size, learning_rate, decay, keep)
        self._weights: Weights | None = None
        self._model: keras.Model | Predictor | None = None

    def network(self, input_shape: tuple[int | None, int | None, int]) -> keras.Model:
        """Build the network, not trained; a subclass may build another one.

        Parameters
        ----------
        input_shape
            Height, width and channels (3); the sides are multiples of 8, or None for any.

        Returns
        -------
        keras.Model
            From (batch, H, W, 3) to (batch, H, W, 3).
        """
        from denobench.autoencoder.architecture import build_cdae

        return build_cdae(input_shape, fast=True)

    def initial_weights(self, seed: int) -> Weights:
        """Return the network's weights before training, in Keras' order."""
        return weights_module.draw(seed)

    def recipe(self) -> dict[str, Any]:
        """Return what, besides the training set, can change the weights.

        ``training`` cannot: a network for one level is the same one on either track.
        """
        return asdict(self._recipe)

    def fit(self, training: TrainingSet, *, folder: Path, progress: Progress) -> pd.DataFrame:
        """Train, or go on from the folder's checkpoint; see `denobench.autoencoder.training`."""
        if self.training == "matched" and len(training.levels) != 1:
            raise DenobenchError(
                f"Method 'cdae' with training: matched is fitted for one level at a time, not for "
                f"{len(training.levels)}; use training: blind for a range."
            )
        self._weights, history = training_module.train(
            training,
            self._recipe,
            build=self.network,
            initial=self.initial_weights(training.seed),
            key=self.weights_key(training),
            folder=folder,
            progress=progress,
        )
        self._model = None
        return history

    def remark(self, history: pd.DataFrame) -> str:
        """Return "undertrained" and the number of epochs where they are fewer than the paper's."""
        epochs = len(history)
        if epochs >= PAPER_EPOCHS:
            return ""
        return f"undertrained, {epochs} epoch{'s' if epochs > 1 else ''}"

    def save(self, path: Path) -> None:
        """Write the weights to a file, as `denobench.autoencoder.weights` describes it."""
        weights_module.write(path, self._fitted())

    def load(self, path: Path) -> None:
        """Read the weights from a file."""
        self._weights, self._model = weights_module.read(path), None

    def _fitted(self) -> Weights:
        if self._weights is None:
            raise DenobenchError("Method 'cdae' has no weights yet: train it, or load some, first.")
        return self._weights

    def denoise(self, noisy: np.ndarray, sigma: float | None) -> np.ndarray:  # noqa: ARG002
        """Return the mean of the network's three outputs; sigma is not used."""
        if self._model is None:
            self._model = self._predictor()
        height, width = noisy.shape
        padded = pad(np.asarray(noisy, np.float32))
        three = np.repeat(padded[np.newaxis, ..., np.newaxis], 3, axis=3)
        answer = self._model.predict_on_batch(three)[0, :height, :width]
        return answer.mean(axis=2)

    def _predictor(self) -> keras.Model | Predictor:
        """Return the paper's network without Keras, or the network that a subclass builds."""
        if type(self).network is CDAE.network:
            from denobench.autoencoder.inference import Predictor

            return Predictor(self._fitted())
        model = self.network((None, None, 3))
        model.compile(jit_compile=False)  # would compile anew for every size of image
        model.set_weights(self._fitted())
        return model
