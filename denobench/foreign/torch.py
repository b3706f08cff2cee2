"""TorchScript and torch.export files, by torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from denobench.device import show
from denobench.errors import DenobenchError, UnavailableError, reason
from denobench.foreign.network import NUMBER, Network, Port, threads
from denobench.foreign.recognise import TORCHSCRIPT


class TorchNetwork(Network):
    """A network as TorchScript or as torch.export has written it, on one of `DEVICES`."""

    packages = ("torch",)

    def __init__(self, path: Path, kind: str, device: str = "cpu") -> None:
        try:
            import torch
        except ImportError:
            raise UnavailableError(
                f"Model {path} needs PyTorch: pip install 'denobench[torch]'."
            ) from None
        if threads():
            torch.set_num_threads(threads())
        self._torch = torch
        self.device = _found(torch, device)
        try:
            if kind == TORCHSCRIPT:
                self._module = torch.jit.load(str(path), map_location=self.device).eval()
                self.inputs = tuple(_script_inputs(self._module))
            else:
                program = torch.export.load(path)
                self._module = _moved(program, self.device).module()
                self.inputs = tuple(_exported_inputs(program))
        except DenobenchError:
            raise
        except Exception as error:
            raise DenobenchError(
                f"Model {path} cannot be read by torch {torch.__version__}: {reason(error)[:400]}"
            ) from error

    def __call__(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the outputs for the inputs."""
        torch = self._torch
        with torch.inference_mode():
            found = self._module(*map(self._given, arrays, self.inputs))
        if isinstance(found, dict):
            found = list(found.values())
        outputs = found if isinstance(found, list | tuple) else [found]
        return [each.cpu().numpy() for each in outputs if isinstance(each, torch.Tensor)]

    def _given(self, array: np.ndarray, port: Port) -> Any:
        """Return an input as torch takes it: a tensor, or a plain number."""
        if port.dtype == NUMBER:
            return float(array)
        return self._torch.from_numpy(np.ascontiguousarray(array)).to(self.device)


def _found(torch: Any, device: str) -> str:
    """Return where torch computes.

    Raises
    ------
    UnavailableError
        If an accelerator is wanted and it has none.
    """
    if device == "cpu":
        return "cpu"
    show()
    if torch.cuda.is_available():
        torch.backends.cudnn.allow_tf32 = False  # float32 as exact as on a CPU
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    if device == "gpu":
        raise UnavailableError(
            f"device: gpu, and torch {torch.__version__} has no accelerator here: install a build "
            "of torch for yours, or use device: auto"
        )
    return "cpu"


def _moved(program: Any, device: str) -> Any:
    """Return an exported program for a device; the one that it was written on is in its code."""
    if device == "cpu":
        return program
    from torch.export.passes import move_to_device_pass

    return move_to_device_pass(program, device)


def _script_inputs(module: Any) -> list[Port]:
    """Return the inputs of TorchScript, which tells no shapes."""
    arguments = module.forward.schema.arguments[1:]
    dtype = next(
        (str(each.dtype).removeprefix("torch.") for each in module.parameters()), "float32"
    )
    needed = [each for each in arguments if not each.has_default_value()]
    numbers = [each.type.kind() in ("FloatType", "NumberType") for each in needed]
    return [
        Port(each.name, (), NUMBER) if number else Port(each.name, None, dtype)
        for each, number in zip(needed, numbers, strict=True)
    ]


def _exported_inputs(program: Any) -> list[Port]:
    """Return the inputs of an exported program, with the sides that are fixed."""
    signature = program.graph_signature
    ports = []
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in signature.user_inputs:
            value = node.meta["val"]
            shape = tuple(side if isinstance(side, int) else None for side in value.shape)
            ports.append(Port(node.name, shape, str(value.dtype).removeprefix("torch.")))
    return ports
