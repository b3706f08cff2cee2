"""Progress bars of a run, one per stage."""

from __future__ import annotations

from types import TracebackType

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


class Bars:
    """A watcher that draws a bar per stage: what runs, how far it is, and the time left.

    Parameters
    ----------
    console
        Where to draw; standard error if left out.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[text]}"),
            console=console or Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def stage(self, name: str, done: float, total: float, text: str = "") -> None:
        """Move a stage's bar."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total, text="")
        text = "" if done >= total else text
        self._progress.update(self._tasks[name], completed=done, total=total, text=text)

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(f"[yellow]![/] {text}", highlight=False)
