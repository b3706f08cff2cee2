"""Networks' weights as plain arrays with names: drawn, written and read without Keras.

A weights file is an npz archive of one array for each of the network's weights, such as
``conv_1/kernel``, in the order of Keras' ``get_weights``; and, as ``graph``, the network itself as
data (JSON), so that it can be computed without Keras.
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
from denobench.networks.inference.graph import Graph
from denobench.networks.inference.graph import read as graph_of

if TYPE_CHECKING:
    import keras

Shapes = Mapping[str, tuple[int, ...]]
Weights = dict[str, np.ndarray]

_HEADER = 1000  # bytes of an array's header in a file, at most
_GRAPH = "graph"  # its array's name
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


def write(path: Path, weights: Weights, graph: Graph | None = None) -> None:
    """Write weights, and the network, to a file; the same give the same bytes."""
    described = {} if graph is None else {_GRAPH: np.frombuffer(graph.written().encode(), np.uint8)}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **weights, **described)  # type: ignore[arg-type]


def read_graph(path: Path) -> Graph | None:
    """Return the network that a file of weights describes, or None if it describes none.

    Nothing is unpacked of a file that is compressed, and so may hold any amount.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = all(each.compress_type == zipfile.ZIP_STORED for each in file.zip.filelist)
            return graph_of(bytes(file[_GRAPH]).decode()) if stored and _GRAPH in file else None
    except (*_DAMAGE, zipfile.BadZipFile):
        return None  # reading the weights says what is wrong


def parameters(path: Path) -> int:
    """Return how many numbers the weights in a file are."""
    with np.load(path, allow_pickle=False) as file:
        return sum(file[name].size for name in file.files if name != _GRAPH)


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
            entries = (each for each in file.zip.infolist() if each.filename != f"{_GRAPH}.npy")
            size = sum(entry.file_size for entry in entries)
            most = sum(8 * math.prod(shape) + _HEADER for shape in shapes.values())
            named = {*file.files} - {_GRAPH}
            ours = named == {*shapes} and size <= most
            arrays = {name: np.asarray(file[name]) for name in shapes if ours}
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
