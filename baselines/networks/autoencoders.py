"""Autoencoders that the paper names: plain, sparse, contractive and variational."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from denobench.errors import DenobenchError
from denobench.methods import Info
from denobench.networks import NetworkDenoiser, Recipe
from denobench.networks.method import Shape

if TYPE_CHECKING:
    import keras

FILTERS = (32, 64)
LATENT = 16

_NOTES = "Learns from the training images; blind unless trained for one level."


def _info(name: str, title: str, reference: str) -> Info:
    return Info(
        name=name,
        title=title,
        reference=reference,
        licence="BSD-3-Clause",
        tracks=("blind", "oracle"),
        assumes="",
        packages=("tensorflow", "keras"),
        notes=_NOTES,
    )


class CAE(NetworkDenoiser):
    """Thomas' convolutional autoencoder: two convolutions in the encoder, two in the decoder.

    These and the 30 epochs are the source's. Ours, where it is silent: 32 and 64 filters of 3 x 3,
    ReLU, a max pooling after each convolution of the encoder, nearest up-sampling before each of
    the decoder, a sigmoid at the end, Adam, and the mean squared error.

    Parameters
    ----------
    training
        ``blind``: one network for all levels. ``matched``: one network per level.
    supervision
        What a step's target is: see `denobench.networks.recipe.Recipe`.
    epochs
        Passes over the training images, with fresh noise in each; at least 1.
    batch_size
        Images per step; at least 1.
    learning_rate
        Adam's, at the start; it falls along half a cosine to a hundredth.

    References
    ----------
    Thomas, 2022, as the paper cites it: an autoencoder of two and two convolutions, 30 epochs.
    """

    info: ClassVar[Info] = _info(
        "cae", "CAE", "Thomas, convolutional autoencoder for denoising, 2022, as the paper cites it"
    )
    factor: ClassVar[int] = 4  # two poolings
    stated_epochs: ClassVar[int | None] = 30

    def __init__(
        self,
        *,
        training: str = "blind",
        supervision: str = "clean",
        epochs: int = 30,
        batch_size: int = 4,
        learning_rate: float = 1e-3,
    ) -> None:
        super().__init__(
            Recipe(epochs, batch_size, learning_rate, supervision=supervision), training
        )

    def build(self, input_shape: Shape) -> keras.Model:
        """Build the network; the layer ``code`` is the code."""
        import keras
        from keras import layers

        given = images = keras.Input(input_shape)
        for filters, name in zip(FILTERS, ("pool", "code"), strict=True):
            images = layers.Conv2D(filters, 3, padding="same", activation="relu")(images)
            images = layers.MaxPooling2D(2, name=name)(images)
        for filters, activation in ((FILTERS[0], "relu"), (1, "sigmoid")):
            images = layers.UpSampling2D(2)(images)
            images = layers.Conv2D(filters, 3, padding="same", activation=activation)(images)
        return keras.Model(given, images)


class Penalised(CAE):
    """The CAE with a term added to its loss while it is trained."""

    stated_epochs: ClassVar[int | None] = None

    def __init__(self, weight: float, name: str, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight >= 0:
            raise DenobenchError(
                f"{name} of method {self.info.name!r} is {weight!r}; give a number of at least 0."
            )
        self._penalty = {name: weight}

    def recipe(self) -> dict[str, Any]:
        """Add the term's weight to what makes the weights."""
        return super().recipe() | self._penalty

    @property
    def weight(self) -> float:
        """The term's weight beside the mean squared error."""
        return next(iter(self._penalty.values()))


class SparseDAE(Penalised):
    """The CAE whose code is penalised by the mean of its activations, so that few are not zero.

    The architecture, epochs and loss are those of `CAE`; the penalty is the L1 norm of the code,
    here divided by its size, as is the squared error by the image's.

    Parameters
    ----------
    training, supervision, epochs, batch_size, learning_rate
        As of `CAE`.
    sparsity
        Weight of the penalty beside the mean squared error; at least 0.

    References
    ----------
    M. Ranzato, Y.-L. Boureau and Y. LeCun, "Sparse feature learning for deep belief networks",
    NIPS 2007.
    """

    info: ClassVar[Info] = _info(
        "sparse-dae", "Sparse DAE", "M. Ranzato et al., Sparse feature learning, NIPS 2007"
    )

    def __init__(
        self,
        *,
        training: str = "blind",
        supervision: str = "clean",
        epochs: int = 30,
        batch_size: int = 4,
        learning_rate: float = 1e-3,
        sparsity: float = 1e-3,
    ) -> None:
        super().__init__(
            sparsity,
            "sparsity",
            training=training,
            supervision=supervision,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
        )

    def build_training(self, input_shape: Shape) -> keras.Model:
        """Build the network with the penalty of its code."""
        from baselines.networks.penalties import Sparse

        return Sparse(self.build(input_shape), self.weight)


class ContractiveDAE(Penalised):
    """The CAE whose code is penalised by the squared Frobenius norm of its Jacobian.

    The norm is estimated without bias as the squared length of the code's change along one random
    direction, drawn anew in each step: for u standard normal, E |J u|^2 is the norm squared. J u is
    a difference quotient of step 1e-3, exact but where a ReLU or a pooling switches in between. It
    is divided by the code's size.

    Parameters
    ----------
    training, supervision, epochs, batch_size, learning_rate
        As of `CAE`.
    contraction
        Weight of the penalty beside the mean squared error; at least 0.

    References
    ----------
    S. Rifai et al., "Contractive auto-encoders: explicit invariance during feature extraction",
    ICML 2011; the estimator is M. F. Hutchinson's, Communications in Statistics 18(3), 1989.
    """

    info: ClassVar[Info] = _info(
        "contractive-dae",
        "Contractive DAE",
        "S. Rifai et al., Contractive auto-encoders, ICML 2011",
    )
    draws: ClassVar[int] = 1

    def __init__(
        self,
        *,
        training: str = "blind",
        supervision: str = "clean",
        epochs: int = 30,
        batch_size: int = 4,
        learning_rate: float = 1e-3,
        contraction: float = 1e-3,
    ) -> None:
        super().__init__(
            contraction,
            "contraction",
            training=training,
            supervision=supervision,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
        )

    def build_training(self, input_shape: Shape) -> keras.Model:
        """Build the network with the penalty of its code's Jacobian."""
        from baselines.networks.penalties import Contractive

        return Contractive(self.build(input_shape), self.weight)


class VAE(Penalised):
    """A convolutional variational autoencoder; the answer is the decoder at the code's mean.

    Encoder and decoder are those of `CAE` but for the code: 16 channels at a quarter of the sides,
    as many values as the image has pixels, with a mean and a variance each. All of this is ours:
    the paper names the kind alone.

    Parameters
    ----------
    training, supervision, epochs, batch_size, learning_rate
        As of `CAE`.
    beta
        Weight of the Kullback-Leibler divergence per pixel beside the mean squared error; at least
        0. It is 2 s^2 for a decoder whose error has the standard deviation s.

    References
    ----------
    D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", ICLR 2014.
    """

    info: ClassVar[Info] = _info(
        "vae", "VAE", "D. P. Kingma and M. Welling, Auto-encoding variational Bayes, ICLR 2014"
    )
    draws: ClassVar[int] = 1

    def __init__(
        self,
        *,
        training: str = "blind",
        supervision: str = "clean",
        epochs: int = 30,
        batch_size: int = 4,
        learning_rate: float = 1e-3,
        beta: float = 1e-3,
    ) -> None:
        super().__init__(
            beta,
            "beta",
            training=training,
            supervision=supervision,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
        )

    def build(self, input_shape: Shape) -> keras.Model:
        """Build the network; ``moments`` are the code's means and log-variances."""
        from denobench.networks.layers import FirstChannels

        return _variational(input_shape, FirstChannels(LATENT, name="mean"))

    def plain(self, input_shape: Shape) -> keras.Model:
        """Build it with a layer of Keras' own in place of that which takes the means."""
        from denobench.networks.layers import plain_first

        return _variational(input_shape, partial(plain_first, count=LATENT))

    def build_training(self, input_shape: Shape) -> keras.Model:
        """Build the network that draws its code, with the divergence."""
        from baselines.networks.penalties import Variational

        return Variational(self.build(input_shape), self.weight)


def _variational(input_shape: Shape, means: Callable[[Any], Any]) -> keras.Model:
    """Build a variational autoencoder with what takes the means of the moments."""
    import keras
    from keras import layers

    given = images = keras.Input(input_shape)
    for filters in FILTERS:
        images = layers.Conv2D(filters, 3, padding="same", activation="relu")(images)
        images = layers.MaxPooling2D(2)(images)
    moments = layers.Conv2D(2 * LATENT, 3, padding="same", name="moments")(images)
    images = means(moments)
    images = layers.Conv2D(FILTERS[1], 3, padding="same", activation="relu")(images)
    for filters, activation in ((FILTERS[0], "relu"), (1, "sigmoid")):
        images = layers.UpSampling2D(2)(images)
        images = layers.Conv2D(filters, 3, padding="same", activation=activation)(images)
    return keras.Model(given, images)
