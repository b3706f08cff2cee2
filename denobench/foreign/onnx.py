"""ONNX files, by onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from denobench.errors import DenobenchError, UnavailableError, reason
from denobench.foreign.beside import beside
from denobench.foreign.network import Network, Port, threads

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
}


class OnnxNetwork(Network):
    """A network in an ONNX file.

    Operators of strangers' libraries are not loaded; CUDA is used where onnxruntime has it.
    """

    packages = ("onnxruntime",)

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise UnavailableError(
                f"Model {path} needs onnxruntime: pip install onnxruntime."
            ) from None
        beside(path)  # refuses weights outside of its folder
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what fails is said by the exception
        here = onnxruntime.get_available_providers()
        wanted = [
            name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in here
        ]
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
        except Exception as error:
            raise _explained(path, error) from error
        if self._session.get_providers()[0].startswith("CUDA"):
            self.device = "cuda"
        self.inputs = tuple(
            Port(
                found.name,
                tuple(side if isinstance(side, int) and side > 0 else None for side in found.shape),
                _DTYPES.get(found.type, found.type),
            )
            for found in self._session.get_inputs()
        )
        self._names = [port.name for port in self.inputs]

    def __call__(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the outputs for the inputs."""
        return self._session.run(None, dict(zip(self._names, arrays, strict=True)))


def _explained(path: Path, error: Exception) -> DenobenchError:
    text = str(error)
    if "is not a registered function/op" in text or "custom" in text.lower():
        return DenobenchError(
            f"Model {path} uses operators that ONNX itself does not have, which would need a "
            f"stranger's library; export it with standard operators alone. ({reason(error)[:300]})"
        )
    return DenobenchError(f"Model {path} cannot be read as ONNX: {reason(error)[:500]}")
