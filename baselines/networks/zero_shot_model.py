"""The network of Zero-Shot Noise2Noise, and its loss. This module imports Keras."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

FILTERS = 48


def build() -> keras.Model:
    """Return the network of 21,313 parameters: it finds the noise of an image of any size."""
    given = images = keras.Input((None, None, 1))
    for _ in range(2):
        images = layers.Conv2D(FILTERS, 3, padding="same")(images)
        images = layers.LeakyReLU(negative_slope=0.2)(images)
    return keras.Model(given, layers.Conv2D(1, 1)(images))


def halves(images: Any) -> tuple[Any, Any]:
    """Return the means of both diagonals of every 2 x 2 pixels, (batch, H / 2, W / 2, 1) each."""
    one, two = images[:, ::2, ::2], images[:, 1::2, 1::2]
    three, four = images[:, 1::2, ::2], images[:, ::2, 1::2]
    return (one + two) / 2, (three + four) / 2


class Pairs(keras.Model):
    """The network with the loss of a pair: residual and consistency terms."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self.network = network

    def call(self, images: Any) -> Any:
        """Add the loss of noisy images of shape (batch, H, W, 1), and return them denoised."""
        first, second = halves(images)
        clean_first, clean_second = first - self.network(first), second - self.network(second)
        denoised = images - self.network(images)
        wanted_first, wanted_second = halves(denoised)
        self.add_loss(
            (_error(clean_first, second) + _error(clean_second, first)) / 2
            + (_error(clean_first, wanted_first) + _error(clean_second, wanted_second)) / 2
        )
        return denoised


def _error(one: Any, two: Any) -> Any:
    return ops.mean(ops.square(one - two))
