"""Optimisers besides Keras' own. This module imports Keras."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

_FEWEST = 8  # channels on both sides of a kernel that is taken as a matrix
# A polynomial of odd powers that takes singular values from 0 to 1 near 1, in so many turns.
_FIRST, _THIRD, _FIFTH, _TURNS = 3.4445, -4.7750, 2.0315, 5
_SIZE = 0.2  # root mean square of a step over the learning rate: about that of Adam's


class Muon(keras.optimizers.Adam):
    """Adam, but kernels of convolutions between many channels take orthogonal steps.

    Such a kernel is a matrix, (rows * columns * channels, filters). Its momentum's singular values
    are all set near 1, so that a step changes every direction alike, where Adam's steps mostly
    follow a few.

    Parameters
    ----------
    learning_rate
        Of both kinds of steps.
    momentum
        Share that the running sum of gradients keeps, below 1.

    References
    ----------
    K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024 (with the
    polynomial); the size of steps, so that Adam's learning rates serve, is J. Liu et al.'s, "Muon
    is scalable for LLM training", arXiv:2502.16982, 2025.
    """

    def __init__(self, learning_rate: float = 0.001, momentum: float = 0.95) -> None:
        super().__init__(learning_rate)
        self.momentum = momentum

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Take one step of one variable."""
        if len(variable.shape) != 4 or min(variable.shape[2:]) < _FEWEST:
            super().update_step(gradient, variable, learning_rate)
            return
        mean = self._momentums[self._get_variable_index(variable)]
        self.assign(mean, ops.add(ops.multiply(mean, self.momentum), gradient))
        ahead = ops.add(gradient, ops.multiply(mean, self.momentum))  # Nesterov's
        matrix = ops.reshape(ahead, (-1, variable.shape[-1]))
        step = ops.reshape(orthogonal(matrix), variable.shape)
        size = _SIZE * max(matrix.shape) ** 0.5
        self.assign_sub(variable, ops.multiply(step, size * ops.cast(learning_rate, "float32")))


def orthogonal(matrix: Any) -> Any:
    """Return nearly the orthogonal matrix next to one, (M, N): its singular values near 1.

    Newton and Schulz' iteration, done on the smaller matrix of products of its rows or columns
    alone. Values far below the largest, by a thousand and more, stay below 1.
    """
    wide = matrix.shape[0] < matrix.shape[1]
    tall = ops.transpose(matrix) if wide else matrix
    tall = tall / (ops.norm(tall) + 1e-7)
    gram = ops.matmul(ops.transpose(tall), tall)
    unit = ops.eye(tall.shape[1], dtype=tall.dtype)
    total = unit
    for _ in range(_TURNS):
        turn = _FIRST * unit + ops.matmul(_THIRD * unit + _FIFTH * gram, gram)
        total = ops.matmul(total, turn)
        gram = ops.matmul(ops.matmul(turn, gram), turn)
    answer = ops.matmul(tall, total)
    return ops.transpose(answer) if wide else answer
