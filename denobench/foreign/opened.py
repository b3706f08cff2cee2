"""What a config's ``model:`` or ``command:`` stands for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from denobench.device import DEVICES, Device
from denobench.errors import unknown
from denobench.foreign import command as commands
from denobench.foreign.model import inspect
from denobench.methods import Info


@dataclass(frozen=True)
class Opened:
    """A model's file or a command, as a method.

    Attributes
    ----------
    registered
        The method that runs it.
    parameters
        All of that method's parameters.
    info
        What a table tells of it.
    path, digest
        The model's file, and the digest of its contents; None of a command.
    remark
        What a table must say of it; may be empty.
    """

    registered: str
    parameters: Mapping[str, Any]
    info: Info
    path: Path | None = None
    digest: str = ""
    remark: str = ""


def opened(
    name: str,
    model: Path | None,
    command: str | None,
    stated: Mapping[str, Any],
    device: Device = "auto",
) -> Opened:
    """Return what a config's entry stands for.

    Parameters
    ----------
    name
        The entry's.
    model, command
        The file, or the command: one of them.
    stated
        How a model is used, as far as that is not to be found by trying; a command's ``format``;
        the ``device`` of either.
    device
        A model's where that is not stated: a command has the CPU then, as what it would use is
        not known.

    Raises
    ------
    DenobenchError
        If the file is no network or does not denoise, or the command is malformed;
        `UnavailableError` if what runs it is not here.
    """
    device = stated.get("device", "cpu" if model is None else device)
    if device not in DEVICES:
        raise unknown("device", str(device), DEVICES)
    stated = {key: value for key, value in stated.items() if key != "device"}
    if model is not None:
        file = inspect(model, stated)
        parameters = asdict(file.found.reading) | {"device": device}
        info = file.info(name, name)
        return Opened(file.registered, parameters, info, file.path, file.digest, file.found.remark)
    assert command is not None
    for each in stated:
        if each != "format":
            raise unknown("setting of a command", each, ["format", "device"])
    format_ = str(stated.get("format", "nii"))
    words = commands.check(command, format_)
    parameters = {
        "command": shlex.join(shlex.split(command)),
        "format": format_,
        "files": commands.files_digest(command),
        "device": device,
    }
    told = any("{sigma}" in word for word in words)
    info = Info(
        name,
        name,
        tracks=("oracle", "estimated") if told else ("blind",),
        assumes="",
        packages=commands.Command.info.packages,
        notes=f"command {Path(words[0]).name}; its runtime includes writing and reading files",
    )
    remark = "is given PNG files of 16 bits: noise below black and above white is cut off"
    return Opened("command", parameters, info, remark=remark if format_ == "png" else "")
