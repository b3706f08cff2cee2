"""Files of Keras 2 with the suffix .keras, as Keras 3 reads them: some of its names are others."""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ENGINE = re.compile(r"(tf_)?keras(\.src)?\.engine\.\w+")
_NOW = {"Functional": "keras.src.models.functional", "Sequential": "keras"}


def is_old(described: Any) -> bool:
    """Return whether a network's description is Keras 2's."""
    return isinstance(described, dict) and bool(_ENGINE.fullmatch(str(described.get("module"))))


def renewed(described: Any) -> Any:
    """Return a description with Keras 3's names, and axes that are numbers as numbers."""
    if isinstance(described, list):
        return [renewed(each) for each in described]
    if not isinstance(described, dict):
        return described
    found = {name: renewed(value) for name, value in described.items()}
    if _ENGINE.fullmatch(str(found.get("module"))):
        found["module"] = _NOW.get(str(found.get("class_name")), found["module"])
    match found.get("axis"):
        case [int(axis)]:
            found["axis"] = axis
    return found


@contextmanager
def rewritten(path: Path, described: Any) -> Iterator[Path]:
    """Give a copy of a file with another description."""
    with tempfile.TemporaryDirectory(prefix="denobench-") as folder:
        copy = Path(folder) / "net.keras"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
            for name in {*old.namelist()} - {"config.json"}:
                new.writestr(name, old.read(name))
            new.writestr("config.json", json.dumps(described))
        yield copy
