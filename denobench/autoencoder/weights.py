"""The network's weights as plain arrays: drawn, written and read without Keras.

A weights file is an npz archive of 16 float32 arrays, ``conv_1/kernel`` (height, width, input
channels, filters) and ``conv_1/bias`` to ``conv_8/bias``, in the order of Keras' ``get_weights``.
"""

from __future__ import annotations

import math
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from denobench import seeds
from denobench.errors import DenobenchError
from denobench.files import replacing

Weights = list[np.ndarray]

CHANNELS = (3, 32, 64, 128, 128, 128, 128, 64, 3)
SHAPES: dict[str, tuple[int, ...]] = {
    f"conv_{number}/{part}": shape
    for number, (inputs, filters) in enumerate(pairwise(CHANNELS), 1)
    for part, shape in (("kernel", (3, 3, inputs, filters)), ("bias", (filters,)))
}


def draw(seed: int) -> Weights:
    """Draw the initial weights: Glorot's uniform kernels, Keras' default, and biases of zero.

    Drawn with NumPy from the seed alone, so that they are the same with every backend of Keras.

    References
    ----------
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.
    """
    generator = seeds.generator("weights", seed)
    weights = []
    for inputs, filters in pairwise(CHANNELS):
        limit = math.sqrt(6 / (9 * (inputs + filters)))
        kernel = generator.uniform(-limit, limit, (3, 3, inputs, filters))
        weights += [kernel.astype(np.float32), np.zeros(filters, np.float32)]
    return weights


def write(path: Path, weights: Weights) -> None:
    """Write weights to a file; the same weights give the same bytes."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **dict(zip(SHAPES, weights, strict=True)))  # type: ignore[arg-type]


def read(path: Path) -> Weights:
    """Read weights from a file, executing nothing in it.

    Raises
    ------
    DenobenchError
        If the file is missing, damaged, or holds the weights of another network.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except FileNotFoundError:
        raise DenobenchError(f"{path}: no such file of weights.") from None
    except (OSError, ValueError, KeyError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise DenobenchError(f"{path}: cannot be read as weights ({error}).") from None
    if {name: array.shape for name, array in arrays.items()} != SHAPES:
        raise DenobenchError(
            f"{path}: not the weights of a CDAE, which are {len(SHAPES)} arrays from "
            f"conv_1/kernel {SHAPES['conv_1/kernel']} to conv_8/bias {SHAPES['conv_8/bias']}."
        )
    weights = [arrays[name] for name in SHAPES]
    if not all(array.dtype == np.float32 and np.isfinite(array).all() for array in weights):
        raise DenobenchError(f"{path}: the weights are not all finite float32 numbers.")
    return weights
