"""ONNX files, by onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from denobench.device import show
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


_CPU = "CPUExecutionProvider"
# Accelerators that onnxruntime may have, the first that it has is used, with what keeps float32 as
# exact as on a CPU. CoreML is not among them: it computes in half precision.
_ACCELERATORS: dict[str, tuple[str, dict[str, str]]] = {
    "CUDAExecutionProvider": ("cuda", {"use_tf32": "0"}),
    "ROCMExecutionProvider": ("rocm", {}),
    "MIGraphXExecutionProvider": ("migraphx", {}),
    "DmlExecutionProvider": ("directml", {}),
}


class OnnxNetwork(Network):
    """A network in an ONNX file, on one of `denobench.device.DEVICES`.

    Operators of strangers' libraries are not loaded.
    """

    packages = ("onnxruntime",)

    def __init__(self, path: Path, device: str = "cpu") -> None:
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
        if device != "cpu":
            show()
        wanted = providers(device, onnxruntime.get_available_providers())
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
        except Exception as error:
            raise _explained(path, error) from error
        used = self._session.get_providers()[0]
        if device == "gpu" and used == _CPU:
            raise UnavailableError(f"onnxruntime has {wanted[0][0]} but cannot start it here")
        self.device = "cpu" if used == _CPU else _ACCELERATORS[used][0]
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


def providers(device: str, here: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Return what onnxruntime is asked to compute with, of what it has here; the CPU comes last.

    Raises
    ------
    UnavailableError
        If an accelerator is wanted and it has none.
    """
    found = [
        (name, options)
        for name, (_, options) in _ACCELERATORS.items()
        if name in here and device != "cpu"
    ]
    if device == "gpu" and not found:
        raise UnavailableError(
            f"device: gpu, and onnxruntime has no accelerator here (it has {', '.join(here)}): "
            "pip install onnxruntime-gpu in place of onnxruntime, or use device: auto"
        )
    return [*found[:1], (_CPU, {})]


def _explained(path: Path, error: Exception) -> DenobenchError:
    text = str(error)
    if "is not a registered function/op" in text or "custom" in text.lower():
        return DenobenchError(
            f"Model {path} uses operators that ONNX itself does not have, which would need a "
            f"stranger's library; export it with standard operators alone. ({reason(error)[:300]})"
        )
    return DenobenchError(f"Model {path} cannot be read as ONNX: {reason(error)[:500]}")
