"""R2U-Net: a U-Net of recurrent residual blocks, as an autoencoder for denoising."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from denobench.methods import Info
from denobench.networks import NetworkDenoiser, Recipe
from denobench.networks.method import Shape

if TYPE_CHECKING:
    import keras

WIDTHS = (16, 32, 64, 128)
TIMES = 2


class R2UNet(NetworkDenoiser):
    """Nasrin et al.'s recurrent residual U-Net, an autoencoder from noisy to clean images.

    Its blocks are the source's: a 1 x 1 convolution to the block's width, two recurrent 3 x 3
    convolutions with batch normalisation and ReLU that see their own answer twice again, and a sum
    around both; poolings between them, up-sampling convolutions and concatenations on the way back.
    Each time that a convolution is used has its own normalisation: the mean and variance of one for
    all would be those of none, and the network of no use after training.
    The widths, 16 to 128 where the source has 16 to 1024 on a GPU, and the recipe are ours.

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
    S. Nasrin et al., "Medical image denoising with recurrent residual U-Net (R2U-Net) base
    auto-encoder", NAECON 2019; M. Z. Alom et al., "Recurrent residual U-Net for medical image
    segmentation", Journal of Medical Imaging 6(1), 2019.
    """

    info: ClassVar[Info] = Info(
        name="r2unet",
        title="R2U-Net",
        reference=(
            "S. Nasrin et al., Medical image denoising with recurrent residual U-Net (R2U-Net) "
            "base auto-encoder, NAECON 2019"
        ),
        licence="BSD-3-Clause",
        tracks=("blind", "oracle"),
        assumes="",
        packages=("tensorflow", "keras"),
        notes="Learns from the training images; blind unless trained for one level.",
    )
    factor: ClassVar[int] = 8  # three poolings
    version: ClassVar[int] = 2  # 1 had one normalisation for all passes of a convolution

    def __init__(
        self,
        *,
        training: str = "blind",
        supervision: str = "clean",
        epochs: int = 50,
        crops: int = 4,
        crop: int = 64,
        batch_size: int = 8,
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
        """Build the network."""
        import keras
        from keras import layers

        given = images = keras.Input(input_shape)
        passed = []
        for width in WIDTHS[:-1]:
            images = _block(images, width)
            passed.append(images)
            images = layers.MaxPooling2D(2)(images)
        images = _block(images, WIDTHS[-1])
        for width in reversed(WIDTHS[:-1]):
            images = layers.UpSampling2D(2)(images)
            images = _normalised(layers.Conv2D(width, 3, padding="same", use_bias=False)(images))
            images = _block(layers.Concatenate()([passed.pop(), images]), width)
        return keras.Model(given, layers.Conv2D(1, 1)(images))


def _block(images: Any, width: int) -> Any:
    """Add to images, brought to a width, what two recurrent convolutions make of them."""
    from keras import layers

    start = found = layers.Conv2D(width, 1)(images)
    for _ in range(2):
        convolve = layers.Conv2D(width, 3, padding="same", use_bias=False)
        given, found = found, _normalised(convolve(found))
        for _ in range(TIMES):
            found = _normalised(convolve(layers.Add()([given, found])))
    return layers.Add()([start, found])


def _normalised(images: Any) -> Any:
    """Normalise what one pass gives: of another pass the mean and variance differ."""
    from keras import layers

    # The running mean follows in tens of steps, not hundreds: a processor takes few.
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(images))
