"""The autoencoder as a method of the benchmark."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from denobench.autoencoder.weights import FACTOR, SHAPES, graph
from denobench.methods import Info
from denobench.networks import NetworkDenoiser, Recipe
from denobench.networks import weights as weights_module
from denobench.networks.inference.graph import Graph
from denobench.networks.method import Shape
from denobench.networks.weights import Shapes, Weights

if TYPE_CHECKING:
    import keras
    import pandas as pd

PAPER_EPOCHS = 200


class CDAE(NetworkDenoiser):
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
    factor: ClassVar[int] = FACTOR
    stated_epochs: ClassVar[int | None] = PAPER_EPOCHS

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
        recipe = Recipe(epochs, batch_size, learning_rate, decay, keep, optimiser="rmsprop")
        super().__init__(recipe, training)

    def build(self, input_shape: Shape) -> keras.Model:
        """Build the network of three channels; a subclass may build another one."""
        from denobench.autoencoder.architecture import build_cdae

        return build_cdae(input_shape, fast=True)

    def plain(self, input_shape: Shape) -> keras.Model:
        """Build Table 1 of the paper, layer by layer."""
        if not self._is_the_papers():
            return self.build(input_shape)
        from denobench.autoencoder.architecture import build_cdae

        return build_cdae(input_shape)

    @property
    def channels(self) -> int:
        """The three channels of the paper's images."""
        return 3

    def encode(self, noisy: np.ndarray, sigma: float | None) -> np.ndarray:  # noqa: ARG002
        """Return the same noisy image three times; sigma is not used."""
        return np.repeat(noisy[..., np.newaxis], 3, axis=2)

    def target(self, clean: np.ndarray) -> np.ndarray:
        """Return the same clean image three times."""
        return np.repeat(clean[..., np.newaxis], 3, axis=2)

    def shapes(self) -> Shapes:
        """Return the names and shapes of the weights, without Keras."""
        return SHAPES if self._is_the_papers() else super().shapes()

    def initial_weights(self, seed: int) -> Weights:
        """Return the weights before training, drawn without Keras."""
        if not self._is_the_papers():
            return super().initial_weights(seed)
        return weights_module.draw(SHAPES, seed)

    def recipe(self) -> dict[str, Any]:
        """Return what, besides the training set, can change the weights.

        ``training`` cannot: a network for one level is the same one on either track.
        """
        choices = ("epochs", "batch_size", "learning_rate", "decay", "keep")
        return {name: asdict(self._recipe)[name] for name in choices}

    def remark(self, history: pd.DataFrame) -> str:
        """Return "undertrained" and the number of epochs where they are fewer than the paper's."""
        epochs = len(history)
        if epochs >= PAPER_EPOCHS:
            return ""
        return f"undertrained, {epochs} epoch{'s' if epochs > 1 else ''}"

    def graph(self) -> Graph | None:
        """Return the paper's network as data, without Keras, or that which a subclass builds."""
        return graph() if self._is_the_papers() else super().graph()

    def described(self, path: Path) -> Graph | None:
        """Return the paper's network whatever the file says, or that which a subclass builds."""
        return graph() if self._is_the_papers() else super().described(path)

    def _is_the_papers(self) -> bool:
        """Return whether the network is the paper's, and not one that a subclass builds."""
        return type(self).build is CDAE.build
