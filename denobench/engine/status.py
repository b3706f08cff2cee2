"""How far a run is: kept in its folder as it goes, and read from another terminal."""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import TracebackType

import psutil

from denobench.files import damaged, in_place, read_json, write_text
from denobench.progress import Watcher
from denobench.rows import RunFolder

_FILE = "progress.json"
_SECONDS = 0.5  # between two writings of it
_LOGGER = logging.getLogger("denobench")


class _LogFile(logging.FileHandler):
    """A log that a full disk only cuts short: the store of rows is what reports it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say nothing."""


@dataclass
class _Now:
    """What ``progress.json`` tells: the process, and how far it is."""

    pid: int = 0
    process_started: float = 0.0
    state: str = "finished"
    stage: str = ""
    done: float = 0.0
    total: float = 0.0
    text: str = ""

    @classmethod
    def read(cls, path: Path) -> _Now:
        """Return what a file tells; where it is missing, a run that is finished.

        Raises
        ------
        DenobenchError
            If the file was left in part, or a value is of another type.
        """
        if not path.is_file():
            return cls()
        told = read_json(path)
        kinds = {field.name: type(field.default) for field in fields(cls)}
        if not isinstance(told, dict):
            raise damaged(path, ValueError("it is no mapping"))
        for name, kind in kinds.items():
            value = told.get(name)
            right = isinstance(value, (int, float) if kind is float else kind)
            if name in told and (not right or value in (math.inf, -math.inf) or value != value):
                raise damaged(path, ValueError(f"{name} is {value!r:.60}"))
        return cls(**{name: told[name] for name in kinds if name in told})


class Journal:
    """A watcher that passes on what it is told, logs it, and keeps it for `read`.

    Parameters
    ----------
    path
        The run's folder; ``run.log`` and ``progress.json`` are written there.
    watcher
        Who is told, too.
    """

    def __init__(self, path: Path, watcher: Watcher) -> None:
        self._path = path
        self._watcher = watcher
        self._written = 0.0
        self._now = _Now(os.getpid(), psutil.Process().create_time(), "running")

    def __enter__(self) -> Journal:
        self._handler = _LogFile(in_place(self._path / "run.log"), encoding="utf-8")
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._before = _LOGGER.level
        _LOGGER.setLevel(logging.INFO)
        _LOGGER.addHandler(self._handler)
        _LOGGER.info("started, process %d", os.getpid())
        self._write()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is not None:
                _LOGGER.error("stopped: %s", error, exc_info=None if kind is None else error)
            if self._now.state == "running":
                self._now.state = "finished" if error is None else "stopped"
            _LOGGER.info("%s", self._now.state)
            with suppress(*(() if error is None else (OSError,))):  # the error that counts is told
                self._write()
        finally:
            _LOGGER.removeHandler(self._handler)
            _LOGGER.setLevel(self._before)
            with suppress(OSError):
                self._handler.close()

    def stage(self, name: str, done: float, total: float, text: str = "") -> None:
        """Note how far a stage is."""
        if name != self._now.stage:
            _LOGGER.info("%s: %g of %g", name, done, total)
            self._written = 0.0
        self._now = replace(self._now, stage=name, done=done, total=total, text=text)
        if time.monotonic() - self._written > _SECONDS or done >= total:
            self._write()
        self._watcher.stage(name, done, total, text)

    def say(self, text: str) -> None:
        """Note something that is not as it should be."""
        _LOGGER.warning("%s", text)
        self._watcher.say(text)

    def interrupted(self) -> None:
        """Note that Ctrl-C has ended the run."""
        self._now.state = "interrupted"

    def _write(self) -> None:
        self._written = time.monotonic()
        write_text(self._path / _FILE, json.dumps(asdict(self._now)))


@dataclass(frozen=True)
class Failure:
    """Cells of a method that have no score for one reason."""

    method: str
    status: str
    reason: str
    cells: int


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes
    ----------
    run
        Its name.
    state
        ``running``, ``finished``, ``interrupted`` (by Ctrl-C) or ``stopped`` (otherwise).
    stage, done, total, text
        The last stage: how many of its steps are finished, and what runs.
    cells
        How many cells the plan has.
    statuses
        How many of them have each status, by method.
    failures
        Why cells have no score.
    """

    run: str
    state: str
    stage: str
    done: float
    total: float
    text: str
    cells: int
    statuses: dict[str, dict[str, int]]
    failures: tuple[Failure, ...]

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), indent=2)


def read(path: Path) -> Status:
    """Return how far the run in a folder is.

    Raises
    ------
    DenobenchError
        If there is no run in the folder, or one of its files is damaged.
    """
    folder = RunFolder.open(path)
    folder.manifest()  # one that is damaged is named, rather than a run of nothing told
    now = _Now.read(path / _FILE)
    state = now.state
    if state == "running" and not _alive(now.pid, now.process_started):
        state = "stopped"
    planned = folder.planned()
    rows = folder.current()
    statuses: dict[str, Counter[str]] = {}
    failures: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        statuses.setdefault(row.method, Counter())[row.status] += 1
        if row.status != "ok":
            failures[row.method, row.status, row.error] += 1
    return Status(
        run=folder.name,
        state=state,
        stage=now.stage,
        done=now.done,
        total=now.total,
        text=now.text,
        cells=len(planned) if planned is not None else len(rows),
        statuses={name: dict(counts) for name, counts in sorted(statuses.items())},
        failures=tuple(Failure(*about, cells) for about, cells in sorted(failures.items())),
    )


def _alive(pid: int, started: float) -> bool:
    """Return whether a process still runs, and is not another one of the same number."""
    try:
        return abs(psutil.Process(pid).create_time() - started) < 1
    except (psutil.Error, OverflowError, ValueError):
        return False
