"""What the networks of tasks share: built once, trained from the same weights in seconds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import cv2
import numpy as np

from denobench.seeds import generator
from denobench.tasks.base import TaskModel


class NetworkModel(TaskModel):
    """A Keras network that says yes or no of small images.

    Every fit starts from the same weights, goes through the training images in an order that the
    seed draws, each mirrored half of the time, and keeps the last epoch: nothing is chosen on
    other images. Both labels count alike. The learning rate falls along half a cosine.
    """

    packages: ClassVar[tuple[str, ...]] = ("tensorflow", "keras")
    side: ClassVar[int] = 48
    epochs: ClassVar[int] = 25
    batch: ClassVar[int] = 32
    rate: ClassVar[float] = 4e-3

    @classmethod
    @abstractmethod
    def build(cls) -> Any:
        """Return the network, compiled, from (N, side, side, 1)."""

    @abstractmethod
    def step(self, network: Any, images: np.ndarray, labels: np.ndarray, weights: Any) -> None:
        """Train on one batch: images (n, side, side, 1), labels (n, 1), weights (n,)."""

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Return the image resized, float32, (side, side)."""
        return cv2.resize(image, (self.side, self.side), interpolation=cv2.INTER_AREA)

    def fit(self, prepared: np.ndarray, truths: Sequence[Any], *, seed: int) -> None:
        """Train from weights that the seed draws."""
        labels = np.asarray(truths, np.int64)
        self._mean, self._deviation = float(prepared.mean()), float(prepared.std()) or 1.0
        self._network, start = _built(type(self), seed)
        _set(self._network, start)
        counts = np.maximum(np.bincount(labels, minlength=2), 1)
        weights = (len(labels) / (2 * counts))[labels].astype(np.float32)
        images = self._scaled(prepared)
        rng = generator("task training", seed)
        for rate, chosen in self._batches(len(images), rng):
            self._network.optimizer.learning_rate = rate
            batch = images[chosen]
            mirrored = rng.uniform(size=len(batch)) < 0.5
            batch[mirrored] = batch[mirrored, :, ::-1]
            answers = labels[chosen, None].astype(np.float32)
            self.step(self._network, batch, answers, weights[chosen])

    def _batches(self, count: int, rng: np.random.Generator) -> Iterator[tuple[float, np.ndarray]]:
        """Yield the learning rate and the images of every step."""
        for epoch in range(self.epochs):
            rate = self.rate * (0.01 + 0.99 * (1 + np.cos(np.pi * epoch / self.epochs)) / 2)
            order = rng.permutation(count)
            # Batches of one size alone: another would be compiled anew.
            padded = np.resize(order, -(-count // self.batch) * self.batch)
            for chosen in padded.reshape(-1, self.batch):
                yield rate, chosen

    def outputs(self, prepared: np.ndarray) -> Any:
        """Return what the network says of prepared images."""
        return self._network.predict(self._scaled(prepared), batch_size=64, verbose=0)

    def _scaled(self, prepared: np.ndarray) -> np.ndarray:
        return ((prepared - self._mean) / self._deviation)[..., None].astype(np.float32)


@lru_cache(maxsize=8)
def _built(model: type[NetworkModel], seed: int) -> tuple[Any, list[np.ndarray]]:
    """Return a model's network and the state that every fit starts from."""
    import keras

    keras.utils.set_random_seed(seed)
    network = model.build()
    network.optimizer.build(network.trainable_variables)
    return network, [np.array(each) for each in _state(network)]


def _state(network: Any) -> list[Any]:
    """Return all that training changes."""
    return [*network.variables, *network.optimizer.variables]


def _set(network: Any, values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(_state(network), values, strict=True):
        variable.assign(value)
