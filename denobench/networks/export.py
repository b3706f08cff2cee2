"""A trained network as a file that other programs read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from denobench.errors import DenobenchError
from denobench.networks import torchscript
from denobench.networks.method import NetworkDenoiser
from denobench.surroundings import quiet

TORCH = (".pt", ".pt2")
SUFFIXES = (".onnx", ".keras", ".h5", *TORCH, "")


def export(method: NetworkDenoiser, path: Path) -> None:
    """Write a trained network, with its weights, in Keras' own layers.

    Parameters
    ----------
    method
        The network, with weights.
    path
        The file: ``.onnx``, ``.keras`` or ``.h5``; ``.pt`` (TorchScript) or ``.pt2``
        (torch.export), with channels before the sides; without a suffix the folder of a SavedModel.

    Raises
    ------
    DenobenchError
        If the suffix is another one, what writes it is not installed, or the network has parts that
        the format does not.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(filter(None, SUFFIXES))
        raise DenobenchError(f"{path}: a network is written as {known}, or a folder.")
    if suffix in TORCH:
        _to_torch(method, path)
        return
    try:
        with quiet():
            _by_keras(method, path)
    except ImportError as error:
        raise DenobenchError(
            f"{path}: pip install 'denobench[export]', which writes ONNX ({error})."
        ) from None
    except DenobenchError:
        raise
    except Exception as error:
        raise DenobenchError(f"{path}: cannot be written: {error}") from error


def _by_keras(method: NetworkDenoiser, path: Path) -> None:
    """Write a network as Keras does."""
    model = method.trained()
    side = 8 * method.factor
    model(np.zeros((1, side, side, method.channels), np.float32))  # ONNX asks for a first call
    if path.suffix.lower() == ".onnx":
        model.export(path, format="onnx", verbose=False)
    elif path.suffix:
        model.save(path)
    else:
        model.export(path, format="tf_saved_model", verbose=False)


def _to_torch(method: NetworkDenoiser, path: Path) -> None:
    """Write a network for torch, if its graph can be told."""
    graph = method.graph()
    if graph is None:
        raise DenobenchError(
            f"{path}: {method.info.title} has layers that are written for Keras alone; use .keras "
            "or .onnx."
        )
    try:
        torchscript.write(graph, method._fitted(), method.factor, path)
    except ImportError as error:
        raise DenobenchError(
            f"{path}: pip install 'denobench[torch]', which writes it ({error})."
        ) from None
