"""DnCNN: residual learning with batch normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from denobench.methods import Info
from denobench.networks import NetworkDenoiser, Recipe
from denobench.networks.method import Shape

if TYPE_CHECKING:
    import keras

DEPTH = 17
FILTERS = 64


class DnCNN(NetworkDenoiser):
    """Zhang's denoising network of 17 layers, which Jifara et al. took to medical images.

    The layers (convolutions of 64 filters with batch normalisation but in the first and the last)
    and squares of 40 pixels are the sources'. The number of steps, the decay, the range of levels
    and Muon are ours: the sources train by Adam for 50 epochs of 1,600 and more batches of 128 on a
    GPU, and where a processor takes a hundredth of these steps, Muon's lead further.

    Parameters
    ----------
    training
        ``blind``: one network for all levels. ``matched``: one network per level.
    supervision
        What a step's target is: see `denobench.networks.recipe.Recipe`.
    epochs
        Passes over the training images, with fresh squares and noise in each; at least 1.
    crops
        Squares per image and epoch; at least 1.
    crop
        Their side in pixels; 0 takes whole images.
    batch_size
        Squares per step; at least 1.
    learning_rate
        That of `denobench.networks.optimisers.Muon`, at the start; it falls along half a cosine to
        a hundredth.

    References
    ----------
    K. Zhang et al., "Beyond a Gaussian denoiser: residual learning of deep CNN for image
    denoising", IEEE TIP 26(7), 2017; W. Jifara et al., "Medical image denoising using
    convolutional neural network: a residual learning approach", The Journal of Supercomputing
    75(2), 2019.
    """

    info: ClassVar[Info] = Info(
        name="dncnn",
        title="DnCNN",
        reference=(
            "K. Zhang et al., Beyond a Gaussian denoiser, IEEE TIP 26(7), 2017; W. Jifara et al., "
            "Medical image denoising using convolutional neural network: a residual learning "
            "approach, The Journal of Supercomputing 75(2), 2019"
        ),
        licence="BSD-3-Clause",
        tracks=("blind", "oracle"),
        assumes="",
        packages=("tensorflow", "keras"),
        notes="Learns from the training images; blind unless trained for one level.",
    )

    def __init__(
        self,
        *,
        training: str = "blind",
        supervision: str = "clean",
        epochs: int = 50,
        crops: int = 8,
        crop: int = 40,
        batch_size: int = 16,
        learning_rate: float = 1e-3,
    ) -> None:
        recipe = Recipe(
            epochs,
            batch_size,
            learning_rate,
            optimiser="muon",
            crop=crop,
            crops=crops,
            turns=True,
            supervision=supervision,
        )
        super().__init__(recipe, training)

    def build(self, input_shape: Shape) -> keras.Model:
        """Build the network: it finds the noise, which is subtracted."""
        import keras
        from keras import layers

        def convolve(images: object, filters: int, bias: bool) -> object:
            return layers.Conv2D(filters, 3, padding="same", use_bias=bias)(images)

        given = keras.Input(input_shape)
        images = layers.ReLU()(convolve(given, FILTERS, True))
        for _ in range(DEPTH - 2):
            images = layers.BatchNormalization()(convolve(images, FILTERS, False))
            images = layers.ReLU()(images)
        return keras.Model(given, layers.Subtract()([given, convolve(images, 1, True)]))
