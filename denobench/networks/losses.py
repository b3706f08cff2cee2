"""What a step of training makes smaller. This module imports Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops


def rmse(target: Any, output: Any) -> Any:
    """Return the root of the mean squared error of each image."""
    squares = ops.mean(ops.square(output - target), axis=(1, 2, 3))
    return ops.sqrt(squares + 1e-12)  # whose gradient at 0 is finite


LOSSES: dict[str, str | Callable[[Any, Any], Any]] = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "rmse": rmse,
}
