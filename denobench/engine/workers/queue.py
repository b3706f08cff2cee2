"""Which cell is computed next, and when a method is given up."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from denobench.engine.planning.cell import Cell
from denobench.engine.workers.cells import row
from denobench.rows import HARNESS, Row

# So many failures of one kind in a row, and a method with its setting is given up for the rest of
# the run; what the harness failed at does not count.
PATIENCE = 5

Setting = tuple[str, str, float | None]  # a method, its parameters, its multiple of sigma


class Queue:
    """Cells still to be computed; those of the slowest method come first.

    How slow a method is, is learnt from its cells.
    """

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._waiting: dict[str, deque[Cell]] = {}
        for cell in cells:
            self._waiting.setdefault(cell.method, deque()).append(cell)
        self._seconds: dict[str, float] = {}
        self._tried: set[str] = set()
        self._failures: dict[Setting, tuple[str, int]] = {}
        self._died: set[str] = set()

    def __bool__(self) -> bool:
        return any(self._waiting.values())

    def seconds(self, cell: Cell) -> float:
        """Return how long a cell is expected to take; infinity before its method's first."""
        return self._seconds.get(cell.method, float("inf"))

    def next(self, beside: Cell | None = None) -> Cell | None:
        """Return the next cell: an untried method's, else the slowest's; None if there is none.

        Parameters
        ----------
        beside
            A cell whose worker process it is to share; else any will do.
        """
        ready = [
            name
            for name, cells in self._waiting.items()
            if cells and (beside is None or cells[0].stranger == beside.stranger)
        ]
        if not ready:
            return None
        untried = [name for name in ready if name not in self._tried]
        chosen = untried[0] if untried else max(ready, key=lambda n: self._seconds.get(n, 0.0))
        self._tried.add(chosen)
        return self._waiting[chosen].popleft()

    def put_back(self, cell: Cell) -> None:
        """Take back a cell that was not begun."""
        self._waiting[cell.method].appendleft(cell)

    def try_again(self, cell: Cell) -> bool:
        """Take back a cell whose worker died, once: somebody else may have killed it."""
        if cell.key in self._died:
            return False
        self._died.add(cell.key)
        self.put_back(cell)
        return True

    def learn(self, done: Row) -> list[Row]:
        """Take note of a row, and return those of the cells that are given up with it."""
        if done.seconds is not None:
            self._seconds[done.method] = done.seconds
        if done.status == HARNESS:
            return []
        setting = done.method, done.parameters, done.sigma_factor
        if done.status == "ok":
            self._failures.pop(setting, None)
            return []
        if done.status == "skipped":
            return self._give_up(done.method, done.error)
        kind, count = self._failures.get(setting, ("", 0))
        count = count + 1 if kind == done.status else 1
        self._failures[setting] = done.status, count
        if count < PATIENCE:
            return []
        reason = f"given up after {count} in a row were {done.status}; the last: {done.error}"
        return self._give_up(done.method, reason, setting)

    def _give_up(self, method: str, reason: str, setting: Setting | None = None) -> list[Row]:
        """Return the rows of a method's waiting cells: all, or those of one setting."""
        waiting = self._waiting[method]
        given_up = [cell for cell in waiting if setting in (None, cell.setting)]
        self._waiting[method] = deque(
            cell for cell in waiting if setting not in (None, cell.setting)
        )
        return [row(cell, "skipped", reason) for cell in given_up]
