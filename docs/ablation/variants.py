"""The paper's network with one thing changed, to see where its errors come from.

A plugin that shows how to try a network of your own: subclass `CDAE`, build another network, and
training, resuming, caching and scoring stay the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from denobench.autoencoder import CDAE
from denobench.methods import Info
from denobench.networks.method import Shape

if TYPE_CHECKING:
    import keras


class Variant(CDAE):
    """The CDAE with skip connections, a residual output, or fewer poolings.

    Parameters
    ----------
    skip
        Each up-sampled image is joined with what the encoder had at that size before pooling.
    residual
        The network's last layer is linear, and its answer is subtracted from the noisy image.
    poolings
        How many of the three poolings, from the first, and of the up-samplings, from the last, are
        kept; 1 to 3.
    epochs
        Passes over the training images.
    """

    info = Info(
        name="cdae-variant",
        title="CDAE variant",
        tracks=("blind", "oracle"),
        assumes="",
        packages=("tensorflow", "keras"),
    )

    def __init__(
        self, *, skip: bool = False, residual: bool = False, poolings: int = 3, epochs: int = 200
    ) -> None:
        super().__init__(epochs=epochs)
        self._changes = {"skip": skip, "residual": residual, "poolings": poolings}

    def recipe(self) -> dict[str, Any]:
        """Add what is changed to what makes the weights."""
        return super().recipe() | self._changes

    def build(self, input_shape: Shape) -> keras.Model:
        """Build the changed network."""
        from keras import Input, Model, layers

        skip, residual, poolings = self._changes.values()

        def convolve(image: Any, filters: int, activation: str | None = "relu") -> Any:
            return layers.Conv2D(filters, 3, padding="same", activation=activation)(image)

        noisy = image = Input(input_shape)
        passed = []
        for number, filters in enumerate((32, 64, 128)):
            image = convolve(image, filters)
            if number < poolings:
                passed.append(image)
                image = layers.MaxPooling2D(2)(image)
        for filters in (128, 128):
            image = convolve(image, filters)
        for number, filters in enumerate((128, 64, 3)):
            if number >= 3 - poolings:
                image = layers.UpSampling2D(2)(image)
                if skip:
                    image = layers.Concatenate()([image, passed.pop()])
            last = number == 2
            linear = None if residual else "sigmoid"
            image = convolve(image, filters, linear if last else "relu")
        return Model(noisy, layers.Subtract()([noisy, image]) if residual else image)
