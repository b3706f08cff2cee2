"""TorchScript and torch.export files, by torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from denobench.errors import DenobenchError, UnavailableError, reason
from denobench.foreign.network import Network, Port, threads
from denobench.foreign.recognise import TORCHSCRIPT


class TorchNetwork(Network):
    """A network as TorchScript or as torch.export has written it."""

    packages = ("torch",)

    def __init__(self, path: Path, kind: str) -> None:
        try:
            import torch
        except ImportError:
            raise UnavailableError(
                f"Model {path} needs PyTorch: pip install 'denobench[torch]'."
            ) from None
        if threads():
            torch.set_num_threads(threads())
        self._torch = torch
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            if kind == TORCHSCRIPT:
                self._module = torch.jit.load(str(path), map_location=self.device).eval()
                self.inputs = tuple(_script_inputs(self._module))
            else:
                program = torch.export.load(path)
                self._module = program.module().to(self.device)
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
            given = [
                torch.from_numpy(np.ascontiguousarray(each)).to(self.device) for each in arrays
            ]
            found = self._module(*given)
        if isinstance(found, dict):
            found = list(found.values())
        outputs = found if isinstance(found, list | tuple) else [found]
        return [each.cpu().numpy() for each in outputs if isinstance(each, torch.Tensor)]


def _script_inputs(module: Any) -> list[Port]:
    """Return the inputs of TorchScript, which tells no shapes."""
    arguments = module.forward.schema.arguments[1:]
    dtype = next(
        (str(each.dtype).removeprefix("torch.") for each in module.parameters()), "float32"
    )
    needed = [each for each in arguments if not each.has_default_value()]
    return [Port(each.name, None, dtype) for each in needed]


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
