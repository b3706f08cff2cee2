"""A small convolutional network that says yes or no."""

from __future__ import annotations

from typing import Any, ClassVar

import cv2
import numpy as np

from denobench.tasks.base import TaskModel

_SIDE = 64
_EPOCHS = 30
_BATCH = 16
_FILTERS = (16, 32, 32)


class SmallNetwork(TaskModel):
    """Three convolutions with pooling, the mean of each map, and one unit.

    Trained by Adam for 30 epochs on images of 64 x 64 pixels, mirrored at random; labels count
    alike. Nothing is chosen on other images: the last epoch is kept.
    """

    name: ClassVar[str] = "network"
    title: ClassVar[str] = "Small convolutional network"

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Return the image resized, float32, (64, 64)."""
        return cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)

    def fit(self, prepared: np.ndarray, labels: np.ndarray, *, seed: int) -> None:
        """Train from weights that the seed draws."""
        import keras

        keras.utils.set_random_seed(seed)
        self._mean, self._deviation = float(prepared.mean()), float(prepared.std()) or 1.0
        self._network = _network(seed)
        counts = np.maximum(np.bincount(labels, minlength=2), 1)
        self._network.fit(
            self._scaled(prepared),
            labels[:, None].astype(np.float32),
            sample_weight=(len(labels) / (2 * counts))[labels],
            batch_size=_BATCH,
            epochs=_EPOCHS,
            verbose=0,
        )

    def score(self, prepared: np.ndarray) -> np.ndarray:
        """Return the network's probabilities."""
        answers = self._network.predict(self._scaled(prepared), batch_size=64, verbose=0)
        return np.asarray(answers[:, 0], np.float64)

    def _scaled(self, prepared: np.ndarray) -> np.ndarray:
        return ((prepared - self._mean) / self._deviation)[..., None].astype(np.float32)


def _network(seed: int) -> Any:
    import keras

    layers = keras.layers
    network = keras.Sequential([keras.Input((_SIDE, _SIDE, 1))])
    network.add(layers.RandomFlip("horizontal", seed=seed))
    for filters in _FILTERS:
        network.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        network.add(layers.MaxPooling2D(2))
    network.add(layers.GlobalAveragePooling2D())
    network.add(layers.Dense(1, activation="sigmoid"))
    network.compile(
        optimizer=keras.optimizers.Adam(1e-3), loss="binary_crossentropy", steps_per_execution=8
    )
    return network
