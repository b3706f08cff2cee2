"""The paper's network, plain and fast.

This module imports Keras; it is itself imported only when a network is built.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from denobench.autoencoder import gradients

ENCODER = (32, 64, 128)
CODE = (128, 128)
DECODER = (128, 64, 3)


@keras.saving.register_keras_serializable("denobench")
class FastConv2D(layers.Conv2D):
    """A 3 x 3 'same' convolution that trains faster: the gradient of `gradients.convolve`."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Convolve images of shape (batch, height, width, channels)."""
        return gradients.convolve(inputs, ops.copy(kernel))


@keras.saving.register_keras_serializable("denobench")
class PhaseConv2D(layers.Layer):
    """Nearest 2 x 2 up-sampling followed by a 3 x 3 'same' convolution, in one step.

    Each output pixel sees only 2 x 2 different pixels of the small image, so the pair of layers
    equals four 2 x 2 convolutions of the small image, one per phase (row and column parity) of the
    output, with kernels that are sums of the 3 x 3 taps. The four are computed as one transpose
    convolution of stride 2: 16 multiplications where the plain layers spend 36, without the
    up-sampled image in memory. The weights are the plain convolution's own kernel and bias.

    Parameters
    ----------
    filters
        Number of output channels.
    activation
        Name of a Keras activation.
    **options
        Options of every Keras layer.
    """

    def __init__(self, filters: int, activation: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.filters = filters
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the kernel, (3, 3, channels, filters), and the bias, (filters,)."""
        shape = (3, 3, input_shape[-1], self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return twice the height and width."""
        batch, *sides, _ = input_shape
        return (batch, *(side and 2 * side for side in sides), self.filters)

    def call(self, images: Any) -> Any:
        """Convolve images of shape (batch, height, width, channels)."""
        result = gradients.upsample_and_convolve(images, ops.copy(self.kernel))
        return self.activation(result + self.bias)

    def get_config(self) -> dict[str, Any]:
        """Return what makes the layer again."""
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "filters": self.filters, "activation": activation}


def build_cdae(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    *,
    fast: bool = False,
) -> keras.Model:
    """Return the paper's network, not trained.

    Parameters
    ----------
    input_shape
        Height, width and channels (3). The sides are multiples of 8, or None: the network is fully
        convolutional.
    fast
        False gives Table 1 of the paper, layer by layer. True replaces each up-sampling and the
        convolution after it by one `PhaseConv2D`, and the other convolutions by `FastConv2D`: the
        same function of the same 611,523 weights in the same order, so that
        ``plain.set_weights(fast.get_weights())`` works both ways.

    Returns
    -------
    keras.Model
        From (batch, H, W, 3) to (batch, H, W, 3), values in (0, 1).

    Notes
    -----
    The paper's text calls the last layer a transpose convolution, its Table 1 a convolution. At
    stride 1 with 'same' padding a transpose convolution is a convolution with its kernel flipped
    and its two channel axes exchanged: the same family of functions with the same 1,731 weights.

    The code has 28 x 28 x 128 = 100,352 values, twice the pixels of a grey image.

    References
    ----------
    Shylaja P., "An implementation of denoising auto-encoder based deep learning approach on
    magnetic resonance imaging", Table 1.
    """
    stack: list[layers.Layer] = [keras.Input(input_shape)]
    names = (f"conv_{number}" for number in range(1, 9))

    def convolution(filters: int, activation: str = "relu") -> layers.Layer:
        return layers.Conv2D(filters, 3, padding="same", activation=activation, name=next(names))

    for number, filters in enumerate(ENCODER, 1):
        stack += [convolution(filters), layers.MaxPooling2D(2, name=f"pool_{number}")]
    stack += [convolution(filters) for filters in CODE]
    for number, filters in enumerate(DECODER, 1):
        activation = "sigmoid" if number == len(DECODER) else "relu"
        if fast:
            stack += [PhaseConv2D(filters, activation, name=next(names))]
        else:
            stack += [layers.UpSampling2D(2, name=f"up_{number}"), convolution(filters, activation)]
    return keras.Sequential(stack, name="cdae")
