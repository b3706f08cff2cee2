"""A network so small that a test can train it."""

from __future__ import annotations

from typing import ClassVar

from denobench.methods import Info
from denobench.networks import NetworkDenoiser, Recipe


class Tiny(NetworkDenoiser):
    """Two convolutions around a halving, trained as its options say."""

    info: ClassVar[Info] = Info(
        "tiny", "Tiny", tracks=("blind", "estimated", "oracle"), assumes="", packages=("keras",)
    )
    factor: ClassVar[int] = 4

    def __init__(self, *, training="blind", epochs=6, batch_size=5, learning_rate=1e-2, **recipe):
        super().__init__(Recipe(epochs, batch_size, learning_rate, **recipe), training)

    def build(self, input_shape):
        import keras
        from keras import layers

        given = keras.Input(input_shape)
        code = layers.Conv2D(8, 4, strides=4, activation="relu")(given)
        found = layers.Conv2DTranspose(1, 4, strides=4)(code)
        smooth = layers.Conv2D(1, 3, padding="same")(given)
        return keras.Model(given, layers.Add()([found, smooth]))
