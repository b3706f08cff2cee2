"""Where a training stands, as one file that is always whole."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from denobench.errors import DenobenchError
from denobench.files import replacing

FILE = "checkpoint.npz"


@dataclass
class State:
    """All that the next epoch depends on, and what is reported of the past ones.

    Attributes
    ----------
    weights, optimiser
        The network's weights and the optimiser's variables, in Keras' order.
    average
        The running average of the weights; empty if none is kept.
    best
        The weights of the best epoch so far; empty if none is kept.
    history
        One record per finished epoch.
    """

    weights: list[np.ndarray]
    optimiser: list[np.ndarray]
    average: list[np.ndarray] = field(default_factory=list)
    best: list[np.ndarray] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)


_LISTS = ("weights", "optimiser", "average", "best")


def write(folder: Path, key: str, state: State) -> None:
    """Replace the folder's checkpoint at once: killed at any moment, the old or new one is there.

    Parameters
    ----------
    folder
        Where the checkpoint lies.
    key
        Digest of what is being trained; `read` refuses the checkpoint of another one.
    state
        What to write.
    """
    arrays = {
        f"{name}/{number:03}": array
        for name in _LISTS
        for number, array in enumerate(getattr(state, name))
    }
    arrays["key"] = np.array(key)
    arrays["history"] = np.array(json.dumps(state.history))
    with replacing(folder / FILE) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path, key: str) -> State | None:
    """Return the folder's checkpoint, or None if there is none.

    Raises
    ------
    DenobenchError
        If it cannot be read, or is of another training.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
        found, history = str(arrays.pop("key")), json.loads(str(arrays.pop("history")))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DenobenchError(
            f"{path}: cannot be read as a checkpoint ({error}); remove it to train from the start."
        ) from None
    if found != key:
        raise DenobenchError(
            f"{path}: the checkpoint of another training ({found[:12]}, not {key[:12]}); "
            "give another folder, or remove it to train from the start."
        )
    lists = {
        name: [arrays[k] for k in sorted(arrays) if k.startswith(f"{name}/")] for name in _LISTS
    }
    return State(history=history, **lists)
