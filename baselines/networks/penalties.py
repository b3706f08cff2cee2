"""Networks as they are trained, with a term added to the loss. This module imports Keras.

Each is a model around the network, whose weights are its weights. What is random comes with the
input, in channels behind the image's, so that a training can go on bit for bit.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from denobench.networks.layers import Unshuffle

STEP = 1e-3


class _Around(keras.Model):
    """A network with a penalty."""

    def __init__(self, network: keras.Model, weight: float) -> None:
        super().__init__()
        self.network = network
        self.weight = weight
        self.given = network.input_shape[-1]

    def _part(self, first: str | None, last: str) -> keras.Model:
        """Return the network from behind one layer to behind another, with the same weights."""
        start = self.network.get_layer(first).output if first else self.network.input
        end = self.network.get_layer(last).output if last else self.network.output
        return keras.Model(start, end)


class Sparse(_Around):
    """With the mean of the code's absolute values."""

    def __init__(self, network: keras.Model, weight: float) -> None:
        super().__init__(network, weight)
        self.both = keras.Model(network.input, [network.get_layer("code").output, network.output])

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the network's output."""
        code, output = self.both(inputs, training=training)
        self.add_loss(self.weight * ops.mean(ops.abs(code)))
        return output


class Contractive(_Around):
    """With the squared norm of the code's Jacobian, estimated along the drawn direction."""

    def __init__(self, network: keras.Model, weight: float) -> None:
        super().__init__(network, weight)
        self.encoder = self._part(None, "code")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the network's output for all channels but the last, which is the direction."""
        images, direction = inputs[..., : self.given], inputs[..., self.given :]
        moved = self.encoder(images + STEP * direction) - self.encoder(images)
        self.add_loss(self.weight * ops.mean(ops.square(moved / STEP)))
        return self.network(images, training=training)


class Variational(_Around):
    """With a code that is drawn, and its divergence from the standard normal distribution."""

    def __init__(self, network: keras.Model, weight: float) -> None:
        super().__init__(network, weight)
        self.encoder = self._part(None, "moments")
        self.decoder = self._part("mean", "")
        self.latent = network.get_layer("mean").output.shape[-1]
        self.rearranged = [Unshuffle(), Unshuffle()]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the decoder's answer to a code drawn around its mean."""
        images, drawn = inputs[..., : self.given], inputs[..., self.given :]
        for rearrange in self.rearranged:
            drawn = rearrange(drawn)
        moments = self.encoder(images, training=training)
        mean, log_variance = moments[..., : self.latent], moments[..., self.latent :]
        divergence = ops.square(mean) + ops.exp(log_variance) - log_variance - 1
        # The code has as many values as the image: a mean over them is one per pixel.
        self.add_loss(self.weight * ops.mean(divergence) / 2)
        return self.decoder(mean + ops.exp(log_variance / 2) * drawn, training=training)
