"""The pipeline of TumorAwareNet, as far as its abstract describes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from denobench.seeds import generator
from denobench.tasks.training import NetworkModel

_FILTERS = (8, 12, 16)  # of the encoder, each with a stride of 2
_CORRUPTION = 0.3  # deviations of the noise that the autoencoder takes away
_SPARSITY = 1e-4
_RECONSTRUCTION = 1.0  # weight of its loss beside the margin's


class TumourAware(NetworkModel):
    """Sparse convolutional denoising autoencoder, attention, and a support vector unit.

    From the abstract: the encoder of a sparse convolutional denoising autoencoder gives descriptors
    of lower dimension, an attention module puts those of the tumour first, and the autoencoder is
    trained jointly with a neural support vector classifier of maximum margin. Ours, where it is
    silent: images of 48 x 48 pixels; three convolutions of stride 2 and as many transposed ones;
    Gaussian noise of 0.3 standard deviations; an L1 penalty on the descriptors; attention as a
    softmax over the 36 places, from one unit with a hyperbolic tangent before it; the squared
    hinge loss with an L2 penalty; 25 epochs of Adam; and the logistic function of twice the margin
    as probability.

    References
    ----------
    "TumorAwareNet: Deep representation learning with attention based sparse convolutional denoising
    autoencoder for brain tumor recognition", Multimedia Tools and Applications, 2023,
    doi 10.1007/s11042-023-15557-w. M. Ilse et al., "Attention-based deep multiple instance
    learning", ICML 2018, for the attention. Y. Tang, "Deep learning using linear support vector
    machines", 2013, for the classifier.
    """

    name: ClassVar[str] = "tumour-aware"
    title: ClassVar[str] = "Sparse denoising autoencoder, attention, support vector unit"

    @classmethod
    def build(cls) -> Any:
        """Return the network, from noisy images to the clean ones and the margin."""
        import keras

        layers, regularizers = keras.layers, keras.regularizers
        code = image = keras.Input((cls.side, cls.side, 1))
        *outer, last = _FILTERS
        for filters in outer:
            code = layers.Conv2D(filters, 3, 2, "same", activation="relu")(code)
        code = layers.Conv2D(
            last, 3, 2, "same", activation="relu",
            activity_regularizer=regularizers.L1(_SPARSITY / cls.batch),
        )(code)  # fmt: skip
        maps = code
        for filters in reversed(outer):
            maps = layers.Conv2DTranspose(filters, 3, 2, "same", activation="relu")(maps)
        clean = layers.Flatten()(layers.Conv2DTranspose(1, 3, 2, "same")(maps))
        places = layers.Reshape((-1, last))(code)
        attention = layers.Dense(1)(layers.Dense(16, activation="tanh")(places))
        attention = layers.Softmax(axis=1)(attention)
        seen = layers.Flatten()(layers.Dot(axes=1)([attention, places]))
        penalty = regularizers.L2(1e-3)
        margin = layers.Dense(1, kernel_regularizer=penalty)(seen)
        network = keras.Model(image, [clean, margin])
        network.compile(
            keras.optimizers.Adam(cls.rate),
            loss=["mean_squared_error", "squared_hinge"],
            loss_weights=[_RECONSTRUCTION, 1.0],
            jit_compile=False,
        )
        return network

    def fit(self, prepared: np.ndarray, truths: Sequence[Any], *, seed: int) -> None:
        """Train autoencoder, attention and classifier together."""
        self._noise = generator("task corruption", seed)
        super().fit(prepared, truths, seed=seed)

    def step(self, network: Any, images: np.ndarray, labels: np.ndarray, weights: Any) -> None:
        """Train on one batch, with noise on it."""
        noise = self._noise.standard_normal(images.shape, np.float32)
        alike = np.ones_like(weights)
        network.train_on_batch(
            images + np.float32(_CORRUPTION) * noise,
            [images.reshape(len(images), -1), 2 * labels - 1],
            sample_weight=[alike, weights],
        )

    def score(self, prepared: np.ndarray) -> np.ndarray:
        """Return the logistic function of twice the margins."""
        _, margins = self.outputs(prepared)
        return 1 / (1 + np.exp(-2 * np.asarray(margins[:, 0], np.float64)))
