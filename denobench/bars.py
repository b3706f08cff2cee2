"""Progress bars of a run, one per stage."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from denobench.printable import printable
from denobench.screen import Screen

_SECONDS = 60.0  # between two lines on a stage, where there is no terminal to draw bars on


class Bars:
    """A watcher that draws a bar per stage: what runs, how far it is, and the time left.

    Where it does not draw on a terminal but into a log, it writes a line per stage and minute.

    Parameters
    ----------
    console
        Where to draw; standard error if left out.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}", style="dim", markup=False),
            console=console or Screen(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}
        self._lines: dict[str, float] = {}

    def __enter__(self) -> Bars:
        if self._progress.console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress.console.is_terminal:
            self._progress.stop()

    def stage(self, name: str, done: float, total: float, text: str = "") -> None:
        """Move a stage's bar, or write a line on it."""
        if not self._progress.console.is_terminal:
            self._line(name, done, total, text)
            return
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(printable(name), total=total, text="")
        text = "" if done >= total else text
        self._progress.update(self._tasks[name], completed=done, total=total, text=printable(text))

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(Text("!", "yellow"), text)

    def _line(self, name: str, done: float, total: float, text: str) -> None:
        """Write how far a stage is, at its end, and before that once a minute."""
        now = time.monotonic()
        ended = done >= total
        if self._lines.get(name) == float("inf") or (
            not ended and now - self._lines.setdefault(name, now) < _SECONDS
        ):
            return
        self._lines[name] = float("inf") if ended else now
        self._progress.console.print(
            f"{name} {done:g}/{total:g}{f': {text}' * bool(text and not ended)}",
            soft_wrap=True,
        )
