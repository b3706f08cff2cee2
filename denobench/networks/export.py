"""A trained network as a file that other programs read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from denobench.errors import DenobenchError
from denobench.networks.method import NetworkDenoiser

SUFFIXES = (".onnx", ".keras", ".h5", "")


def export(method: NetworkDenoiser, path: Path) -> None:
    """Write a trained network, with its weights, in Keras' own layers.

    Parameters
    ----------
    method
        The network, with weights.
    path
        The file: ``.onnx``, ``.keras`` or ``.h5``; without a suffix the folder of a SavedModel.

    Raises
    ------
    DenobenchError
        If the suffix is another one, what writes it is not installed, or the network has parts that
        the format does not.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DenobenchError(f"{path}: a network is written as .onnx, .keras, .h5, or a folder.")
    model = method.trained()
    side = 8 * method.factor
    model(np.zeros((1, side, side, method.channels), np.float32))  # ONNX asks for a first call
    try:
        if suffix == ".onnx":
            model.export(path, format="onnx", verbose=False)
        elif suffix:
            model.save(path)
        else:
            model.export(path, format="tf_saved_model", verbose=False)
    except ImportError as error:
        raise DenobenchError(
            f"{path}: pip install 'denobench[export]', which writes ONNX ({error})."
        ) from None
    except Exception as error:
        raise DenobenchError(f"{path}: cannot be written: {error}") from error
