"""Networks' weights as plain arrays with names: drawn, written and read without Keras.

A weights file is an npz archive of one array for each of the network's weights, such as
``conv_1/kernel``, in the order of Keras' ``get_weights``.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from denobench import seeds
from denobench.errors import DenobenchError
from denobench.files import replacing

if TYPE_CHECKING:
    import keras

Shapes = Mapping[str, tuple[int, ...]]
Weights = dict[str, np.ndarray]

_HEADER = 1000  # bytes of an array's header in a file, at most
_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError)


def shapes_of(model: keras.Model) -> Shapes:
    """Return the names and shapes of a network's weights, in Keras' order.

    Layers are numbered, as the names that Keras gives them differ from one build to the next.
    """
    layers: dict[str, int] = {}
    shapes = {}
    for variable in model.weights:
        layer = variable.path.rpartition("/")[0]
        number = layers.setdefault(layer, len(layers) + 1)
        shapes[f"layer_{number}/{variable.name}"] = tuple(variable.shape)
    return shapes


def draw(shapes: Shapes, seed: int, constants: Weights | None = None) -> Weights:
    """Draw initial weights: Glorot's uniform kernels, Keras' default, and zeros for biases.

    Drawn with NumPy from the seed alone, so that they are the same with every backend of Keras.

    Parameters
    ----------
    shapes
        The weights' names and shapes; those of at least two axes are kernels, whose last two axes
        are channels.
    seed
        Of the run.
    constants
        Weights as Keras builds them; those that are all the same number stay.

    References
    ----------
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.
    """
    generator = seeds.generator("weights", seed)
    weights = {}
    for name, shape in shapes.items():
        built = np.zeros(shape) if constants is None else constants[name]
        if len(shape) < 2 or (constants and np.ptp(built) == 0):
            weights[name] = built.astype(np.float32)
            continue
        limit = math.sqrt(6 / (math.prod(shape[:-2]) * (shape[-2] + shape[-1])))
        weights[name] = generator.uniform(-limit, limit, shape).astype(np.float32)
    return weights


def write(path: Path, weights: Weights) -> None:
    """Write weights to a file; the same weights give the same bytes."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **weights)  # type: ignore[arg-type]


def read(path: Path, shapes: Shapes, title: str) -> Weights:
    """Read a network's weights from a file, executing nothing in it.

    Parameters
    ----------
    path
        The file.
    shapes
        Names and shapes of the network's weights.
    title
        Of the network, for the error.

    Returns
    -------
    dict
        float32 arrays by name, in the order of the shapes; half precision in the file is widened.

    Raises
    ------
    DenobenchError
        If the file is missing, damaged, or holds the weights of another network.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            # Of another network nothing is unpacked: a small archive may hold any amount.
            size = sum(entry.file_size for entry in file.zip.infolist())
            most = sum(8 * math.prod(shape) + _HEADER for shape in shapes.values())
            ours = {*file.files} == {*shapes} and size <= most
            arrays = {name: np.asarray(file[name]) for name in file.files if ours}
    except FileNotFoundError:
        raise DenobenchError(f"{path}: no such file of weights.") from None
    except (*_DAMAGE, zipfile.BadZipFile) as error:
        raise DenobenchError(f"{path}: cannot be read as weights ({error}).") from None
    if {name: array.shape for name, array in arrays.items()} != dict(shapes):
        first, *_, last = shapes
        raise DenobenchError(
            f"{path}: not the weights of {title}, which are {len(shapes)} arrays from "
            f"{first} {shapes[first]} to {last} {shapes[last]}."
        )
    for array in arrays.values():
        if array.dtype not in (np.float32, np.float16) or not np.isfinite(array).all():
            raise DenobenchError(
                f"{path}: the weights are not all finite float32 or float16 numbers."
            )
    return {name: arrays[name].astype(np.float32) for name in shapes}
