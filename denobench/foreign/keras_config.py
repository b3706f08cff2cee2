"""How a Keras file describes its layers: looked through before it is loaded, renewed if old."""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from denobench.errors import DenobenchError, reason
from denobench.foreign.recognise import H5, KERAS

WAY_OUT = (
    "Export it where you have its code: model.export('net.onnx', format='onnx'), or in Keras 2 "
    "model.save('folder', save_format='tf')."
)
_ENGINE = re.compile(r"(tf_)?keras(\.src)?\.engine\.\w+")
_NOW = {"Functional": "keras.src.models.functional", "Sequential": "keras"}


@contextmanager
def checked(path: Path, kind: str) -> Iterator[Path]:
    """Give a Keras file in a form that Keras 3 reads, if its layers are Keras' own.

    Raises
    ------
    DenobenchError
        If the file is damaged, holds no network, or brings code.
    """
    described = _read(path, kind)
    if isinstance(described, dict):
        described.pop("compile_config", None)  # losses and the like, which are not loaded
    old = kind == KERAS and _is_old(described)
    if old:
        described = _renewed(described)
    _check(path, described)
    with _rewritten(path, described) if old else nullcontext(path) as readable:
        yield readable


def _is_old(described: Any) -> bool:
    """Return whether a network's description is Keras 2's."""
    return isinstance(described, dict) and bool(_ENGINE.fullmatch(str(described.get("module"))))


def _renewed(described: Any) -> Any:
    """Return a description with Keras 3's names, and axes that are numbers as numbers."""
    if isinstance(described, list):
        return [_renewed(each) for each in described]
    if not isinstance(described, dict):
        return described
    found = {name: _renewed(value) for name, value in described.items()}
    if _ENGINE.fullmatch(str(found.get("module"))):
        found["module"] = _NOW.get(str(found.get("class_name")), found["module"])
    match found.get("axis"):
        case [int(axis)]:
            found["axis"] = axis
    return found


@contextmanager
def _rewritten(path: Path, described: Any) -> Iterator[Path]:
    """Give a copy of a file with another description."""
    with tempfile.TemporaryDirectory(prefix="denobench-") as folder:
        copy = Path(folder) / "net.keras"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
            for name in {*old.namelist()} - {"config.json"}:
                new.writestr(name, old.read(name))
            new.writestr("config.json", json.dumps(described))
        yield copy


def _read(path: Path, kind: str) -> Any:
    """Return how a file describes its layers."""
    try:
        if kind == H5:
            import h5py

            with h5py.File(path, "r") as file:
                text = file.attrs.get("model_config")
            if text is None:
                raise DenobenchError(
                    f"Model {path} holds weights without the network that they belong to: save it "
                    "by model.save(...), not by save_weights(...)."
                )
        else:
            with zipfile.ZipFile(path) as archive:
                text = archive.read("config.json")
        return json.loads(text)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DenobenchError(
            f"Model {path} is damaged ({reason(error)[:200]}): copy or download it again."
        ) from None


def _check(path: Path, config: Any) -> None:
    """Raise if a network's layers bring code of their own, or are not Keras' own."""
    for part in _parts(config):
        name, module = part.get("class_name"), part.get("module")
        if name in ("Lambda", "__lambda__"):
            raise DenobenchError(
                f"Model {path} has a Lambda layer, whose Python code would run: replace it by "
                f"layers or keras.ops. {WAY_OUT}"
            )
        own = (
            module is None or module == "keras" or str(module).startswith(("keras.", "keras_core."))
        )
        plain = module == "builtins" and name in (
            "slice",
            "dict",
            "list",
            "tuple",
            "set",
            "Ellipsis",
        )
        if not (own or plain) or part.get("registered_name") not in (None, name, ""):
            raise DenobenchError(
                f"Model {path} has a part {part.get('registered_name') or name!r} of "
                f"{module or 'a library of its own'}, whose code is not in Keras. {WAY_OUT}"
            )


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for value in config.values():
            yield from _parts(value)
    elif isinstance(config, list):
        for value in config:
            yield from _parts(value)
