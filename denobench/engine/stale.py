"""What lies in a run's folder that its current plan does not use any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from denobench.engine.workers.answers import USED
from denobench.errors import DenobenchError
from denobench.files import (
    damaged,
    files_below,
    in_place,
    left_in_part,
    read_json,
    remove_below,
)
from denobench.rows import RunFolder


@dataclass(frozen=True)
class Stale:
    """What a folder could do without.

    Attributes
    ----------
    rows
        Keys of the rows that the plan does not ask for.
    methods
        How many they are, by method.
    files
        Pictures and copies of weights that the plan does not ask for, and what a kill left in part.
    """

    rows: frozenset[str]
    methods: dict[str, int]
    files: tuple[Path, ...]


def find(folder: RunFolder) -> Stale:
    """Return what is stale in a run's folder: left from an earlier source, parameter or config."""
    planned = folder.planned()
    used = (planned or set()) | folder.tried()
    rows = [row for row in folder.rows() if planned is not None and row.key not in used]
    return Stale(
        frozenset(row.key for row in rows),
        dict(sorted(Counter(row.method for row in rows).items())),
        tuple(sorted(_files(folder))),
    )


def remove(folder: RunFolder, stale: Stale) -> None:
    """Remove what is stale.

    Raises
    ------
    DenobenchError
        If a denobench is filling the folder.
    """
    try:
        with FileLock(in_place(folder.path / ".lock"), timeout=0):
            if stale.rows:
                folder.store.remove(stale.rows)
            for path in stale.files:
                remove_below(folder.path, path)
    except Timeout:
        raise DenobenchError(
            f"{folder.path} is being filled; clean it when that is done."
        ) from None


def _files(folder: RunFolder) -> Iterator[Path]:
    about = folder.manifest()
    yield from _of_tasks(folder.path / "tasks")
    shown, planned = [each.observation for each in about.gallery], folder.planned()
    # Where the plan is not known, whatever has a row may be of it.
    keys = (row.key for row in folder.rows()) if planned is None else planned
    yield from folder.gallery.stale(shown, keys)
    models = folder.path / "models"
    for found in files_below(models):
        if found.relative_to(models).as_posix() not in about.models:
            yield found
    for place in ("", "tables", "figures"):
        if not (folder.path / place).is_symlink() or not place:
            yield from left_in_part(folder.path / place)


def _of_tasks(root: Path) -> Iterator[Path]:
    """Yield the answers and prepared images that no task of the current plan looks at."""
    if not root.is_dir():
        return
    used = read_json(root / USED) if (root / USED).is_file() else []
    if not isinstance(used, list):
        raise damaged(root / USED, ValueError("it does not list files"))
    wanted = {USED, *map(str, used)}
    for found in files_below(root):
        if found.relative_to(root).as_posix() not in wanted:
            yield found
