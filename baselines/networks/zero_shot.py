"""Zero-Shot Noise2Noise: a small network that learns from the one noisy image it is to denoise."""

from __future__ import annotations

from typing import Any

import numpy as np

from denobench.errors import DenobenchError
from denobench.methods import denoiser
from denobench.networks import weights as weights_module
from denobench.networks.device import compiles

HALVING = 1000  # steps after which the learning rate is halved


@denoiser(
    "zs-n2n",
    title="ZS-N2N",
    reference=(
        "Y. Mansour and R. Heckel, Zero-Shot Noise2Noise: efficient image denoising without any "
        "data, CVPR 2023"
    ),
    licence="BSD-3-Clause",
    tracks=("blind",),
    assumes="",
    packages=("tensorflow", "keras"),
    notes="Trains 21,313 parameters on each image anew: minutes an image on a CPU.",
)
def zero_shot(
    noisy: np.ndarray,
    sigma: float | None,  # noqa: ARG001  blind
    *,
    steps: int = 2000,
    learning_rate: float = 1e-3,
) -> np.ndarray:
    """Denoise with a network that is trained on the noisy image alone.

    Two images of half the sides are taken from the noisy one, each the mean of one diagonal of
    every 2 x 2 pixels: the same scene with independent noise. The network learns to find one from
    the other, and to answer alike before and after taking them. Layers, loss, steps and learning
    rate are the source's; the first weights are always the same.

    Parameters
    ----------
    noisy
        float32, (H, W), full scale 1.0.
    sigma
        Not used.
    steps
        Of Adam; at least 1. The time an image takes is proportional to it.
    learning_rate
        At the start; halved every 1,000 steps.

    References
    ----------
    Y. Mansour and R. Heckel, "Zero-Shot Noise2Noise: efficient image denoising without any data",
    CVPR 2023.
    """
    if steps < 1 or not 0 < learning_rate <= 1:
        raise DenobenchError(
            f"zs-n2n: steps {steps} and learning_rate {learning_rate:g}; give at least 1 step and "
            "a rate above 0 and at most 1."
        )
    import keras

    from baselines.networks.zero_shot_model import Pairs, build

    height, width = noisy.shape
    even = np.pad(noisy, ((0, height % 2), (0, width % 2)), mode="edge")
    image = even[np.newaxis, ..., np.newaxis].astype(np.float32)
    network = build()
    _begin(network)
    optimiser = keras.optimizers.Adam(learning_rate)
    model = Pairs(network)
    model.compile(optimiser, loss=None, jit_compile=compiles())
    for step in range(steps):
        optimiser.learning_rate = learning_rate * 0.5 ** (step // HALVING)
        model.train_on_batch(image)
    answer = image - np.asarray(network.predict_on_batch(image))
    return np.clip(answer[0, :height, :width, 0], 0, 1)


def _begin(network: Any) -> None:
    """Set weights that are the same in every process."""
    shapes = weights_module.shapes_of(network)
    built = dict(zip(shapes, network.get_weights(), strict=True))
    network.set_weights([*weights_module.draw(shapes, 0, built).values()])
