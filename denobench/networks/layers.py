"""Layers that networks are made of besides Keras' own. This module imports Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

# Begins the names of layers whose numbers are no weights of the network: they take the place of
# layers of ours where other programs are to read it.
FIXED = "fixed_"


@keras.saving.register_keras_serializable("denobench")
class Unshuffle(layers.Layer):
    """Every 2 x 2 pixels become one pixel of four times the channels.

    References
    ----------
    W. Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
    convolutional neural network", CVPR 2016, whose layer this inverts.
    """

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return half the sides and four times the channels."""
        batch, *sides, channels = input_shape
        return (batch, *(side and side // 2 for side in sides), 4 * (channels or 1))

    def call(self, images: Any) -> Any:
        """Rearrange images of shape (batch, H, W, channels)."""
        _, height, width, channels = ops.shape(images)
        split = ops.reshape(images, (-1, height // 2, 2, width // 2, 2, channels))
        moved = ops.transpose(split, (0, 1, 3, 2, 4, 5))
        return ops.reshape(moved, (-1, height // 2, width // 2, 4 * channels))


@keras.saving.register_keras_serializable("denobench")
class Shuffle(layers.Layer):
    """Every pixel becomes 2 x 2 pixels of a quarter of the channels: `Unshuffle` undone."""

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return twice the sides and a quarter of the channels."""
        batch, *sides, channels = input_shape
        return (batch, *(side and 2 * side for side in sides), (channels or 4) // 4)

    def call(self, images: Any) -> Any:
        """Rearrange images of shape (batch, H, W, channels)."""
        _, height, width, channels = ops.shape(images)
        split = ops.reshape(images, (-1, height, width, 2, 2, channels // 4))
        moved = ops.transpose(split, (0, 1, 3, 2, 4, 5))
        return ops.reshape(moved, (-1, 2 * height, 2 * width, channels // 4))


def plain_unshuffle(images: Any) -> Any:
    """Do what `Unshuffle` does, by Keras' own layers alone."""
    parts = []
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        shifted = layers.Cropping2D(((row, 0), (column, 0)))(images)
        parts.append(layers.AveragePooling2D(1, strides=2)(shifted))
    return layers.Concatenate()(parts)


def plain_shuffle(images: Any) -> Any:
    """Do what `Shuffle` does to four channels, by Keras' own layers alone."""
    name = f"{FIXED}shuffle"
    layer = layers.Conv2DTranspose(1, 2, strides=2, use_bias=False, trainable=False, name=name)
    shuffled = layer(images)
    layer.set_weights([np.eye(4, dtype=np.float32).reshape(2, 2, 1, 4)])
    return shuffled


def plain_first(images: Any, count: int = 1) -> Any:
    """Do what `FirstChannels` does, by Keras' own layers alone."""
    if images.shape[-1] == count:
        return images
    layer = layers.Conv2D(count, 1, use_bias=False, trainable=False, name=f"{FIXED}first")
    first = layer(images)
    layer.set_weights([np.eye(images.shape[-1], count, dtype=np.float32)[None, None]])
    return first


def residual_block(images: Any, channels: int, name: str) -> Any:
    """Add to images what two 3 x 3 convolutions make of them, at first nothing.

    No normalisation: it would lose the level of the noise, which the network is told.

    References
    ----------
    B. Lim et al., "Enhanced deep residual networks for single image super-resolution", CVPR
    Workshops 2017; the second kernel begins at zero as in H. Zhang et al., "Fixup initialization",
    ICLR 2019.
    """
    first = layers.Conv2D(channels, 3, padding="same", activation="relu", name=f"{name}_1")
    second = layers.Conv2D(
        channels, 3, padding="same", kernel_initializer="zeros", name=f"{name}_2"
    )
    return layers.Add(name=f"{name}_sum")([images, second(first(images))])


@keras.saving.register_keras_serializable("denobench")
class FirstChannels(layers.Layer):
    """The first channels of images.

    Parameters
    ----------
    count
        How many.
    **options
        Options of every Keras layer.
    """

    def __init__(self, count: int, **options: Any) -> None:
        super().__init__(**options)
        self.count = count

    def call(self, images: Any) -> Any:
        """Return the first channels of images of shape (batch, H, W, channels)."""
        return images[..., : self.count]

    def get_config(self) -> dict[str, Any]:
        """Return what makes the layer again."""
        return {**super().get_config(), "count": self.count}
