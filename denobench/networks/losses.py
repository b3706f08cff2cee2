"""What a step of training makes smaller. This module imports Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

Loss = str | Callable[[Any, Any], Any]

_PIXELS = (1, 2, 3)


def rmse(target: Any, output: Any) -> Any:
    """Return the root of the mean squared error of each image."""
    return ops.sqrt(ops.mean(ops.square(output - target), _PIXELS) + 1e-12)


def hidden_error(target: Any, output: Any, loss: str) -> Any:
    """Return the error at an image's hidden pixels alone.

    Parameters
    ----------
    target
        (batch, H, W, 2 outputs): the noisy image, and behind it 1 where a pixel is hidden.
    output
        (batch, H, W, outputs).
    loss
        As of a recipe.
    """
    outputs = ops.shape(output)[-1]
    noisy, hidden = target[..., :outputs], target[..., outputs:]
    error = hidden * (ops.abs if loss == "mae" else ops.square)(output - noisy)
    mean = ops.sum(error, _PIXELS) / ops.maximum(ops.sum(hidden, _PIXELS), 1)
    return ops.sqrt(mean + 1e-12) if loss == "rmse" else mean


def find(loss: str, supervision: str) -> Loss:
    """Return the loss of a recipe."""
    if supervision == "noise2void":
        return lambda target, output: hidden_error(target, output, loss)
    losses: dict[str, Loss] = {
        "mse": "mean_squared_error",
        "mae": "mean_absolute_error",
        "rmse": rmse,
    }
    return losses[loss]
