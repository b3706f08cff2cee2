"""Methods that come as a file or as a command, without Python code."""

from denobench.foreign.command import Command
from denobench.foreign.model import (
    KerasModel,
    ModelFile,
    OnnxModel,
    TorchModel,
    config_line,
    inspect,
    method_of,
    name_of,
    open_network,
)
from denobench.foreign.opened import Opened, opened

__all__ = [
    "Command",
    "KerasModel",
    "ModelFile",
    "OnnxModel",
    "Opened",
    "TorchModel",
    "config_line",
    "inspect",
    "method_of",
    "name_of",
    "open_network",
    "opened",
]
