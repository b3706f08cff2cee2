"""Cells in worker processes on this machine."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, TimeoutError, wait
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from denobench.engine import workers
from denobench.engine.cells import compute, row
from denobench.engine.plan import Cell
from denobench.errors import DenobenchError
from denobench.rows import LOG, Row


class Queue:
    """Cells still to be computed; those of the slowest method come first.

    How slow a method is, is learnt from its first cell.
    """

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._waiting: dict[str, deque[Cell]] = defaultdict(deque)
        for cell in cells:
            self._waiting[cell.method].append(cell)
        self._seconds: dict[str, float] = dict.fromkeys(self._waiting, float("inf"))

    def __bool__(self) -> bool:
        return any(self._waiting.values())

    def next(self) -> Cell:
        """Return the next cell."""
        ready = [name for name, cells in self._waiting.items() if cells]
        slowest = max(ready, key=lambda name: self._seconds[name])
        if self._seconds[slowest] == float("inf"):
            self._seconds[slowest] = 1e-9  # one trial, then others' turn until it is known
        return self._waiting[slowest].popleft()

    def learn(self, done: Row) -> None:
        """Remember how long a cell took."""
        if done.seconds is not None:
            self._seconds[done.method] = done.seconds


def compute_all(
    cells: Sequence[Cell],
    *,
    folder: Path,
    processes: int,
    timeout: float,
    plugins: Sequence[Path],
    finished: Callable[[Row], None],
) -> None:
    """Compute cells in worker processes of one thread each.

    A worker that crashes or exceeds the time limit is replaced, and its cell becomes a row.

    Parameters
    ----------
    cells
        What to compute.
    folder
        The run's folder.
    processes
        Number of workers.
    timeout
        Seconds that one cell may take.
    plugins
        Plugin files that workers register.
    finished
        Called in this process with each row, in the order in which cells finish.
    """
    queue = Queue(cells)
    running: dict[Future[Row], Cell] = {}
    with ProcessPool(
        max_workers=processes,
        context=workers.CONTEXT,
        initializer=workers.start,
        initargs=[1, tuple(plugins), folder / LOG],
    ) as pool:
        try:
            while queue or running:
                # One cell waits behind each worker's, so that no worker waits for us.
                while queue and len(running) < 2 * processes:
                    cell = queue.next()
                    future = pool.schedule(compute, args=[cell, folder], timeout=timeout)
                    running[future] = cell
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for ended in done:
                    found = _outcome(ended, running.pop(ended), timeout)
                    queue.learn(found)
                    finished(found)
        except RuntimeError as error:
            pool.stop()
            raise DenobenchError(f"Worker processes cannot be started ({error}).") from error
        except BaseException:
            pool.stop()
            raise


def _outcome(future: Future[Row], cell: Cell, timeout: float) -> Row:
    """Return a cell's row, whatever became of it."""
    try:
        return future.result()
    except TimeoutError:
        return row(cell, "timeout", f"took longer than the limit of {timeout:g} s")
    except ProcessExpired as error:
        return row(cell, "crashed", f"the worker process died ({error})")
    except Exception as error:
        return row(cell, "failed", f"{type(error).__name__}: {error}")
