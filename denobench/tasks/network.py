"""A small convolutional network that says yes or no."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from denobench.tasks.training import NetworkModel

_FILTERS, _SIZES = (8, 16, 32), (5, 3, 3)


class SmallNetwork(NetworkModel):
    """Three convolutions of stride 2, the mean and the highest of each map, and one unit.

    Trained by Adam for 25 epochs on images of 48 x 48 pixels.
    """

    name: ClassVar[str] = "network"
    title: ClassVar[str] = "Small convolutional network"
    version: ClassVar[int] = 2

    @classmethod
    def build(cls) -> Any:
        """Return the network."""
        import keras

        layers = keras.layers
        maps = image = keras.Input((cls.side, cls.side, 1))
        for filters, size in zip(_FILTERS, _SIZES, strict=True):
            maps = layers.Conv2D(filters, size, 2, "same", activation="relu")(maps)
        pooled = [layers.GlobalAveragePooling2D()(maps), layers.GlobalMaxPooling2D()(maps)]
        answer = layers.Dense(1, activation="sigmoid")(layers.Concatenate()(pooled))
        network = keras.Model(image, answer)
        network.compile(keras.optimizers.Adam(cls.rate), "binary_crossentropy", jit_compile=False)
        return network

    def step(self, network: Any, images: np.ndarray, labels: np.ndarray, weights: Any) -> None:
        """Train on one batch."""
        network.train_on_batch(images, labels, sample_weight=weights)

    def score(self, prepared: np.ndarray) -> np.ndarray:
        """Return the network's probabilities."""
        return np.asarray(self.outputs(prepared)[:, 0], np.float64)
