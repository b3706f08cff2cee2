"""Keras files (.keras, .h5) and SavedModels, by Keras, without running code that a file brings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from denobench.device import show
from denobench.errors import DenobenchError, UnavailableError, reason
from denobench.foreign.keras_config import WAY_OUT, checked
from denobench.foreign.network import Network, Port, threads
from denobench.foreign.recognise import SAVED_MODEL

# Operations of a SavedModel's graph that reach outside of it.
_REACHING = (
    b"PyFunc",
    b"EagerPyFunc",
    b"PyFuncStateless",
    b"WriteFile",
    b"ReadFile",
    b"MatchingFiles",
    b"InitializeTableFromTextFileV2",
    b"LookupTableImportV2File",
    b"WholeFileReaderV2",
    b"TextLineDatasetV2",
    b"TFRecordDatasetV2",
    b"SymbolicGradient",
)


class KerasNetwork(Network):
    """A network in a Keras file or a SavedModel's folder, on one of `denobench.device.DEVICES`."""

    packages = ("tensorflow", "keras")

    def __init__(self, path: Path, kind: str, device: str = "cpu") -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            import keras
            import tensorflow as tf
        except ImportError as error:
            raise UnavailableError(f"Model {path} needs TensorFlow: {error}.") from None
        if threads():
            try:
                tf.config.threading.set_intra_op_parallelism_threads(threads())
                tf.config.threading.set_inter_op_parallelism_threads(1)
            except RuntimeError:  # TensorFlow runs already
                pass
        self.device = _found(tf, device)
        if kind == SAVED_MODEL:
            self._call = self._saved_model(path, tf)
            return
        try:
            with checked(path, kind) as readable:
                model = keras.saving.load_model(readable, compile=False, safe_mode=True)
        except DenobenchError:
            raise
        except Exception as error:
            raise DenobenchError(
                f"Model {path} cannot be made by Keras {keras.__version__} in safe mode: "
                f"{reason(error)[:400]} {WAY_OUT}"
            ) from error
        self.inputs = tuple(
            Port(tensor.name, tuple(tensor.shape), str(tensor.dtype)) for tensor in model.inputs
        )
        one = len(self.inputs) == 1

        def call(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
            found = graph(arrays[0] if one else list(arrays))
            return [
                np.asarray(each) for each in (found if isinstance(found, list | tuple) else [found])
            ]

        graph = tf.function(lambda given: model(given, training=False), reduce_retracing=True)
        self._call = call

    def __call__(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the outputs for the inputs."""
        return self._call(arrays)

    def _saved_model(self, path: Path, tf: Any) -> Any:
        """Return the call of a SavedModel's signature for serving."""
        try:
            content = (path / "saved_model.pb").read_bytes()
        except OSError as error:
            raise DenobenchError(
                f"Model {path}: saved_model.pb cannot be read ({error})."
            ) from None
        reaching = sorted({name.decode() for name in _REACHING if name in content})
        if reaching:
            raise DenobenchError(
                f"Model {path} reaches outside of itself ({', '.join(reaching)}), and is not "
                f"loaded. {WAY_OUT}"
            )
        try:
            loaded = tf.saved_model.load(str(path))
            signatures = dict(loaded.signatures)
        except Exception as error:
            raise DenobenchError(
                f"Model {path} cannot be read as a SavedModel: {reason(error)[:400]}"
            ) from error
        serving: Any = signatures.get("serving_default") or signatures.get("serve")
        if serving is None:
            names = ", ".join(sorted(signatures)) or "none"
            raise DenobenchError(
                f"Model {path} has no signature serving_default (it has {names}). {WAY_OUT}"
            )
        specs = serving.structured_input_signature[1]
        self.inputs = tuple(
            Port(name, tuple(spec.shape) if spec.shape.rank is not None else None, spec.dtype.name)
            for name, spec in specs.items()
        )
        self._loaded = loaded  # it owns the variables

        def call(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
            given = {
                port.name: tf.constant(array)
                for port, array in zip(self.inputs, arrays, strict=True)
            }
            return [np.asarray(each) for each in serving(**given).values()]

        return call


def _found(tf: Any, device: str) -> str:
    """Return where TensorFlow computes.

    Raises
    ------
    UnavailableError
        If an accelerator is wanted and it has none.
    """
    if device != "cpu":
        show()
    found = tf.config.list_physical_devices("GPU")
    if device == "gpu" and not found:
        raise UnavailableError(
            f"device: gpu, and TensorFlow {tf.__version__} has no accelerator here: "
            "pip install 'tensorflow[and-cuda]', or use device: auto"
        )
    with suppress(RuntimeError):  # TensorFlow runs already
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        for each in found:  # others need some of its memory, too
            tf.config.experimental.set_memory_growth(each, True)
    tf.config.experimental.enable_tensor_float_32_execution(False)  # as exact as on a CPU
    return "gpu" if found and device != "cpu" else "cpu"
