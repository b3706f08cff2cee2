"""A residual U-Net that is told the noise's level, and its blind twin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from denobench.errors import DenobenchError
from denobench.methods import Info
from denobench.networks import NetworkDenoiser, Recipe, symmetries
from denobench.networks.method import Shape
from denobench.networks.symmetries import turned, turned_back

if TYPE_CHECKING:
    import keras

Layer = Callable[[Any], Any]

WIDTHS = (40, 80, 128)
BLOCKS = 2


class UNet(NetworkDenoiser):
    """A residual U-Net that is told sigma: one network for all levels of a noise model.

    It works at half the image's sides (pixels are rearranged, not lost) and at two coarser scales,
    with residual blocks without normalisation and sums as skip connections; its answer is the
    noisy image less what it finds. Sigma is a second channel, the same in every pixel.

    Parameters
    ----------
    training
        ``told``: sigma is the network's second channel. ``blind``: its twin without.
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
    widths
        Channels at each of its three scales; at least 1.
    learning_rate
        That of `denobench.networks.optimisers.Muon`, after the first half epoch, in which it rises
        from 0; it then falls along half a cosine to a hundredth.
    keep
        ``last``: the weights of the last epoch. ``best``: those of the highest validation PSNR.
    ensemble
        Ways of flipping and turning the image, 1 to 8, whose answers, turned back, are averaged
        (self-ensemble); each takes the time of one. The weights are the same.

    References
    ----------
    O. Ronneberger et al., "U-Net", MICCAI 2015; the map of sigma is K. Zhang et al.'s, "FFDNet",
    IEEE TIP 2018, and their "Plug-and-play image restoration with deep denoiser prior", TPAMI 2021;
    the self-ensemble is R. Timofte, R. Rothe and L. Van Gool's, "Seven ways to improve
    example-based single image super resolution", CVPR 2016.
    """

    info: ClassVar[Info] = Info(
        name="unet",
        title="U-Net",
        reference=(
            "O. Ronneberger et al., U-Net, MICCAI 2015; K. Zhang et al., Plug-and-play image "
            "restoration with deep denoiser prior, IEEE TPAMI 2021"
        ),
        licence="BSD-3-Clause",
        tracks=("oracle", "estimated", "blind"),
        assumes="",
        packages=("tensorflow", "keras"),
        notes="Learns from the training images; one network for all levels of a noise model.",
    )
    factor: ClassVar[int] = 8  # rearranged once, halved twice
    levels: tuple[float, ...] = (0.01, 0.05, 0.1, 0.15, 0.2, 0.25)

    def __init__(
        self,
        *,
        training: str = "told",
        supervision: str = "clean",
        epochs: int = 30,
        crops: int = 8,
        crop: int = 64,
        batch_size: int = 8,
        widths: Sequence[int] = WIDTHS,
        learning_rate: float = 2e-3,
        keep: str = "last",
        ensemble: int = 1,
    ) -> None:
        recipe = Recipe(
            epochs,
            batch_size,
            learning_rate,
            keep=keep,
            loss="rmse",
            crop=crop,
            crops=crops,
            turns=True,
            warm_up=0.5,
            average=0.998,
            optimiser="muon",
            supervision=supervision,
        )
        super().__init__(recipe, training)
        self._widths = _scales(widths)
        self._ways = _ways(ensemble)

    def recipe(self) -> dict[str, Any]:
        """Return what can change the weights; the usual widths go without saying."""
        usual = self._widths == WIDTHS
        return super().recipe() | ({} if usual else {"widths": [*self._widths]})

    @property
    def passes(self) -> int:
        """As often as there are ways."""
        return len(self._ways)

    def denoise(self, noisy: np.ndarray, sigma: float | None) -> np.ndarray:
        """Return the mean of the network's answers to the image, flipped and turned."""
        answers = [
            turned_back(super(UNet, self).denoise(turned(noisy, way), sigma), way)
            for way in self._ways
        ]
        return np.mean(answers, axis=0)

    def build(self, input_shape: Shape) -> keras.Model:
        """Build the network: the first channel is the image, a second one the map of sigma."""
        from denobench.networks.layers import Shuffle, Unshuffle

        return self._network(input_shape, Unshuffle(), Shuffle(), lambda images: images[..., :1])

    def plain(self, input_shape: Shape) -> keras.Model:
        """Build it with Keras' own layers in place of those that rearrange pixels."""
        from denobench.networks.layers import plain_first, plain_shuffle, plain_unshuffle

        return self._network(input_shape, plain_unshuffle, plain_shuffle, plain_first)

    def _network(
        self, input_shape: Shape, unshuffle: Layer, shuffle: Layer, first: Layer
    ) -> keras.Model:
        """Build the network with what rearranges pixels, and what gives the noisy image."""
        import keras
        from keras import layers

        from denobench.networks.layers import residual_block

        def blocks(images: object, width: int, name: str) -> object:
            for number in range(1, BLOCKS + 1):
                images = residual_block(images, width, f"{name}_block_{number}")
            return images

        given = keras.Input(input_shape)
        images = layers.Conv2D(self._widths[0], 3, padding="same", name="head")(unshuffle(given))
        passed = []
        for scale, (width, wider) in enumerate(pairwise(self._widths), 1):
            images = blocks(images, width, f"down_{scale}")
            passed.append(images)
            images = layers.Conv2D(wider, 2, strides=2, name=f"halve_{scale}")(images)
        images = blocks(images, self._widths[-1], "middle")
        for scale in range(len(self._widths) - 1, 0, -1):
            width = self._widths[scale - 1]
            images = layers.Conv2DTranspose(width, 2, strides=2, name=f"double_{scale}")(images)
            images = layers.Add(name=f"skip_{scale}")([images, passed.pop()])
            images = blocks(images, width, f"up_{scale}")
        found = layers.Conv2D(4, 3, padding="same", kernel_initializer="zeros", name="tail")(images)
        rest = layers.Subtract(name="rest")([first(given), shuffle(found)])
        return keras.Model(given, rest)


def _scales(widths: Sequence[int]) -> tuple[int, ...]:
    """Return the channels at each scale, or raise if they are none."""
    if len(widths) != len(WIDTHS) or min(widths) < 1:
        raise DenobenchError(
            f"widths of method 'unet' is {widths!r}; give {len(WIDTHS)} whole numbers of at least "
            f"1, such as {[*WIDTHS]}."
        )
    return tuple(widths)


def _ways(ensemble: int) -> range:
    """Return the first ways of flipping and turning, or raise if there are not so many."""
    if isinstance(ensemble, bool) or ensemble not in range(1, symmetries.COUNT + 1):
        raise DenobenchError(
            f"ensemble of method 'unet' is {ensemble!r}; give a whole number from 1 to "
            f"{symmetries.COUNT}."
        )
    return range(ensemble)
