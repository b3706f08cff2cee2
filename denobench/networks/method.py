"""A network as a method of the benchmark."""

from __future__ import annotations

import logging
from abc import abstractmethod
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from denobench.errors import DenobenchError, unknown
from denobench.methods import FittedDenoiser, TrainingSet
from denobench.networks import device as devices
from denobench.networks import trainer
from denobench.networks import weights as weights_module
from denobench.networks.inference.graph import Graph
from denobench.networks.padding import pad
from denobench.networks.recipe import Recipe
from denobench.networks.weights import Shapes, Weights
from denobench.progress import Progress

if TYPE_CHECKING:
    import keras
    import pandas as pd

Shape = tuple[int | None, int | None, int]

log = logging.getLogger(__name__)


class Predictor(Protocol):
    """What a trained network is asked by."""

    def predict_on_batch(self, images: np.ndarray) -> np.ndarray:
        """Return the network's outputs, (batch, H, W, outputs), for its inputs."""
        ...


class NetworkDenoiser(FittedDenoiser):
    """A method that is a Keras network: training, checkpoints, weights and prediction are shared.

    A subclass builds the network (`build`) and says how it is trained (the recipe). Where the
    network takes more than one grey channel, `encode`, `target` and `decode` say of what.

    Parameters
    ----------
    recipe
        How to train.
    training
        ``blind``: one network for all levels; each sample's level is drawn uniformly between the
        lowest and the highest. ``told``: the same, and the network gets the noise's standard
        deviation as a second channel, the same in every pixel. ``matched``: one network per level.

    Attributes
    ----------
    factor
        The network takes images whose sides are multiples of it; others are reflected at their
        bottom and right, and the answer is cut.
    draws
        Channels of standard normal numbers, drawn anew for each sample, that `build_training` gets
        behind those of `encode`.
    stated_epochs
        Epochs of training that the method's source states, if it states any.
    """

    factor: ClassVar[int] = 1
    draws: ClassVar[int] = 0
    stated_epochs: ClassVar[int | None] = None

    def __init__(self, recipe: Recipe, training: str = "blind") -> None:
        name = self.info.name
        valid = tuple(
            kind
            for kind, track in (("blind", "blind"), ("told", "estimated"), ("matched", "oracle"))
            if track in self.info.tracks
        )
        if training not in valid:
            raise unknown(f"training of method {name!r}", str(training), valid)
        recipe.check(name)
        self.training = training
        self._recipe = recipe
        self._weights: Weights | None = None
        self._graph: Graph | None = None
        self._model: Predictor | None = None

    @abstractmethod
    def build(self, input_shape: Shape) -> keras.Model:
        """Build the network, not trained.

        Parameters
        ----------
        input_shape
            Height, width and channels; the sides are multiples of `factor`, or None for any.

        Returns
        -------
        keras.Model
            From (batch, H, W, channels) to (batch, H, W, outputs).
        """

    def build_training(self, input_shape: Shape) -> keras.Model:
        """Build what is trained: the network, or one around it that adds to its loss.

        Its weights are the network's, in the same order. ``input_shape`` is that of `build`; the
        inputs have the channels of `draws` besides.
        """
        return self.build(input_shape)

    def compile(self, model: keras.Model, optimiser: keras.Optimizer) -> None:
        """Give a network its optimiser and its loss."""
        from denobench.networks import losses

        loss = losses.find(self._recipe.loss, self._recipe.supervision)
        model.compile(optimiser, loss=loss, jit_compile=devices.compiles())

    @property
    def channels(self) -> int:
        """Channels of the network's input."""
        return 2 if self.training == "told" else 1

    @property
    def passes(self) -> int:
        """How often the network is computed for one image."""
        return 1

    def encode(self, noisy: np.ndarray, sigma: float | None) -> np.ndarray:
        """Return the network's input, (H, W, channels), for a noisy image, (H, W)."""
        if self.training != "told":
            return noisy[..., np.newaxis]
        return np.stack([noisy, np.full_like(noisy, sigma)], axis=-1)

    def target(self, clean: np.ndarray) -> np.ndarray:
        """Return what the network's output, (H, W, outputs), should be for a clean image."""
        return clean[..., np.newaxis]

    def decode(self, output: np.ndarray) -> np.ndarray:
        """Return the denoised image, (H, W), of the network's output, (H, W, outputs)."""
        return output.mean(axis=2)

    def shapes(self) -> Shapes:
        """Return the names and shapes of the network's weights, in Keras' order."""
        return weights_module.shapes_of(self.build((None, None, self.channels)))

    def initial_weights(self, seed: int) -> Weights:
        """Return the network's weights before training, in Keras' order."""
        model = self.build((None, None, self.channels))
        shapes = weights_module.shapes_of(model)
        built = dict(zip(shapes, model.get_weights(), strict=True))
        return weights_module.draw(shapes, seed, built)

    def recipe(self) -> dict[str, Any]:
        """Return what, besides the training set, can change the weights."""
        return {**asdict(self._recipe), "told": self.training == "told"}

    def fit(self, training: TrainingSet, *, folder: Path, progress: Progress) -> pd.DataFrame:
        """Train, or go on from the folder's checkpoint; see `denobench.networks.trainer`."""
        if self.training == "matched" and len(training.levels) != 1:
            raise DenobenchError(
                f"Method {self.info.name!r} with training: matched is fitted for one level at a "
                f"time, not for {len(training.levels)}; use training: blind for a range."
            )
        self._weights, history = trainer.train(
            self,
            training,
            self._recipe,
            initial=self.initial_weights(training.seed),
            key=self.weights_key(training),
            folder=folder,
            progress=progress,
        )
        self._model = self._graph = None
        return history

    def save(self, path: Path) -> None:
        """Write the weights to a file, as `denobench.networks.weights` describes it."""
        weights_module.write(path, self._fitted(), self.graph())

    def load(self, path: Path) -> None:
        """Read the weights from a file, and the network, where the file describes it."""
        graph = weights_module.read_graph(path)
        if graph and (graph.name, graph.channels) != (self._name(), self.channels):
            graph = None
        shapes = graph.shapes if graph else self.shapes()
        self._weights = weights_module.read(path, shapes, self.info.title)
        self._graph, self._model = graph, None

    def _name(self) -> str:
        """Return what tells the network from others, and from what it was before an edit."""
        return f"{self.info.name} {self.version}"

    def graph(self) -> Graph | None:
        """Return the network as data, or None if a layer is none that graphs know."""
        if self._graph is None:
            from denobench.networks.inference.tracing import UntraceableError, trace

            try:
                self._graph = trace(self.build((None, None, self.channels)), self._name())
            except UntraceableError as error:
                log.info("%s is computed by Keras: it has %s.", self.info.title, error)
        return self._graph

    def described(self, path: Path) -> Graph | None:
        """Return the network of a file of weights as data, where that is known without Keras."""
        return weights_module.read_graph(path)

    def _fitted(self) -> Weights:
        if self._weights is None:
            raise DenobenchError(
                f"Method {self.info.name!r} has no weights yet: train it, or load some, first."
            )
        return self._weights

    def denoise(self, noisy: np.ndarray, sigma: float | None) -> np.ndarray:
        """Return the network's answer; sigma is used where the network is told it."""
        if self._model is None:
            self._model = self.predictor(self._fitted())
        height, width = noisy.shape
        padded = pad(np.asarray(noisy, np.float32), self.factor)
        output = self._model.predict_on_batch(self.encode(padded, sigma)[np.newaxis])
        return self.decode(output[0, :height, :width])

    def plain(self, input_shape: Shape) -> keras.Model:
        """Build the same network of Keras' own layers alone, for other programs."""
        return self.build(input_shape)

    def trained(self) -> keras.Model:
        """Return the network with its weights, of Keras' own layers where there is such a form."""
        from denobench.networks.layers import FIXED

        model = self.plain((None, None, self.channels))
        own = iter(self._fitted().values())
        for layer in model.layers:
            if not layer.name.startswith(FIXED):
                layer.set_weights([next(own) for _ in layer.weights])
        return model

    def predictor(self, weights: Weights) -> Predictor:
        """Return what computes the network with given weights: its graph, or Keras."""
        graph = self.graph()
        if graph is not None:
            from denobench.networks.inference.predictor import Predictor as Compiled

            return Compiled(graph, weights, self.factor)
        model = self.build((None, None, self.channels))
        model.compile(jit_compile=devices.compiles())
        model.set_weights(list(weights.values()))
        return model
