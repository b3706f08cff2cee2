"""How a network is trained, apart from the images and their noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

from denobench.errors import DenobenchError, unknown

_CHOICES = {
    "decay": ("cosine", "none"),
    "keep": ("last", "best"),
    "optimiser": ("adam", "muon", "rmsprop", "sgd"),
    "loss": ("mse", "rmse", "mae"),
    "supervision": ("clean", "noise2noise", "noise2void"),
}


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes
    ----------
    epochs
        Passes over the training images, with fresh noise in each; at least 1.
    batch_size
        Images, or crops of them, per step; at least 1.
    learning_rate
        The optimiser's, at its highest; above 0.
    decay
        ``cosine``: the learning rate falls from epoch to epoch along half a cosine to a hundredth
        of its start. ``none``: it stays.
    keep
        ``last``: the weights of the last epoch. ``best``: those of the highest validation PSNR.
    optimiser
        ``adam``, ``rmsprop`` or ``sgd``, with Keras' defaults but for the learning rate, or
        ``muon``: `denobench.networks.optimisers.Muon`.
    loss
        ``mse``: mean squared error. ``rmse``: its root per image, so that strong noise does not
        outweigh faint noise. ``mae``: mean absolute error.
    crop
        Side in pixels of the squares that a step takes from the images; 0 takes whole images.
    crops
        Squares per image and epoch; 1 for whole images.
    turns
        Whether squares are flipped and turned by multiples of 90 degrees at random.
    warm_up
        Epochs, or a part of one, in which the learning rate rises linearly from 0, step by step.
    average
        Share that the running average of the weights keeps in each step, below 1; the average is
        what is validated and kept. 0 keeps the weights themselves.
    supervision
        What a step's target is. ``clean``: the clean image. ``noise2noise``: the same image with
        other noise of the same level. ``noise2void``: the noisy image itself, at pixels that are
        hidden from the network. With the last two no clean pixel reaches a step.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    decay: str = "cosine"
    keep: str = "last"
    optimiser: str = "adam"
    loss: str = "mse"
    crop: int = 0
    crops: int = 1
    turns: bool = False
    warm_up: float = 0.0
    average: float = 0.0
    supervision: str = "clean"

    def rate(self, epoch: int, part: float = 1.0) -> float:
        """Return the learning rate of an epoch, counted from 0, when a part of it is done."""
        rate = self.learning_rate
        if self.decay == "cosine":
            cosine = (1 + math.cos(math.pi * epoch / self.epochs)) / 2
            rate *= 0.01 + 0.99 * cosine
        return rate * min(1.0, (epoch + part) / self.warm_up) if self.warm_up else rate

    def check(self, method: str) -> None:
        """Raise a `DenobenchError` that names the method if a value is not one of those above."""
        for name, valid in _CHOICES.items():
            if getattr(self, name) not in valid:
                raise unknown(f"{name} of method {method!r}", str(getattr(self, name)), valid)
        for name, least in {"epochs": 1, "batch_size": 1, "crop": 0, "crops": 1}.items():
            count = getattr(self, name)
            if isinstance(count, bool) or not isinstance(count, int) or count < least:
                raise DenobenchError(
                    f"{name} of method {method!r} is {count!r}; give a whole number of at least "
                    f"{least}."
                )
        if self.keep == "best" and self.supervision != "clean":
            raise DenobenchError(
                f"Method {method!r}: keep: best chooses the epoch by clean images, which "
                f"supervision: {self.supervision} does without; use keep: last."
            )
        for name, (fits, right) in {
            "learning_rate": (lambda rate: 0 < rate <= 1, "above 0 and at most 1"),
            "warm_up": (lambda epochs: 0 <= epochs < math.inf, "of at least 0"),
            "average": (lambda share: 0 <= share < 1, "from 0 to below 1"),
        }.items():
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int | float) or not fits(number):
                raise DenobenchError(
                    f"{name} of method {method!r} is {number!r}; give a number {right}."
                )
        if not isinstance(self.turns, bool):
            raise DenobenchError(
                f"turns of method {method!r} is {self.turns!r}; give true or false."
            )
