"""Cells in worker processes on this machine."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType

import psutil

from denobench.engine.cells import Computed, compute, row
from denobench.engine.machine import memory
from denobench.engine.plan import Cell
from denobench.engine.queue import Queue
from denobench.engine.workers import Child, ChildDiedError, ChildError
from denobench.errors import DenobenchError

Finished = Callable[[Sequence[Computed]], None]

_LOOK_SECONDS = 0.1  # between looks at the workers' clocks and memory
_AHEAD_SECONDS = 0.2  # of work that waits behind a worker's cell, so that no worker waits for us
_AHEAD_CELLS = 32
_LOG_BYTES = 64 * 2**20
_STILLBORN = 3  # so many workers that die before their first cell are no accident


@dataclass(frozen=True)
class Limits:
    """What one cell may take: ``seconds`` of wall time and ``memory``, resident, in bytes."""

    seconds: float
    memory: int

    @classmethod
    def of(cls, seconds: float, gigabytes: float | None, processes: int) -> Limits:
        """Return the limits of a config; each process has a share of the machine's memory."""
        given = 0.9 * memory() / processes if gigabytes is None else gigabytes * 2**30
        return cls(seconds, int(given))


@dataclass
class _Worker:
    """A worker, the cells it was given (the first is running), and since when that runs."""

    child: Child
    cells: deque[Cell] = field(default_factory=deque)
    since: float | None = None


class Pool:
    """Worker processes of one thread each.

    One that dies, takes too long or takes too much memory is replaced, and its cell becomes a row.

    Parameters
    ----------
    processes
        Number of workers.
    limits
        What one cell may take.
    plugins
        Plugin files that workers register.
    log
        File that takes what methods print; emptied when it gets too long.
    """

    def __init__(
        self, processes: int, limits: Limits, *, plugins: Sequence[Path], log: Path
    ) -> None:
        self._limits = limits
        self._plugins = tuple(plugins)
        self._log = log
        self._stillborn = 0
        self._closed = False
        self._workers: list[_Worker] = []
        try:
            for _ in range(processes):
                self._workers.append(_Worker(self._start()))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers at once."""
        self._closed = True
        for worker in self._workers:
            worker.child.kill()

    def compute(self, queue: Queue, finished: Finished) -> None:
        """Compute all cells of a queue.

        Parameters
        ----------
        queue
            What to compute.
        finished
            Called with what has been computed since the last call.

        Raises
        ------
        DenobenchError
            If workers cannot be started, or the disk is full.
        """
        looked = time.monotonic()
        while True:
            self._hand_out(queue)
            by_connection = {worker.child.connection: worker for worker in self._workers}
            if not any(worker.cells for worker in self._workers):
                return
            done: list[Computed] = []
            for ready in wait(list(by_connection), timeout=_LOOK_SECONDS):
                assert isinstance(ready, Connection)
                done += self._collect(by_connection[ready], queue)
            if time.monotonic() - looked >= _LOOK_SECONDS:
                looked = time.monotonic()
                done += self._enforce(queue)
            for computed in list(done):
                done += [Computed(skipped) for skipped in queue.learn(computed.row)]
            if done:
                finished(done)

    def _start(self) -> Child:
        if self._closed:
            raise DenobenchError("The worker processes were ended from outside.")
        return Child(_serve, threads=1, plugins=self._plugins, log=self._log)

    def _hand_out(self, queue: Queue) -> None:
        """Give every worker a cell, and short ones ahead of time."""
        for share in range(_AHEAD_CELLS):
            for worker in self._workers:
                ahead = sum(queue.seconds(cell) for cell in worker.cells)
                if queue and len(worker.cells) == share and (not share or ahead < _AHEAD_SECONDS):
                    if not share and worker.since is not None:
                        worker.since = time.monotonic()
                    cell = queue.next()
                    worker.cells.append(cell)
                    with suppress(OSError):  # it has died, which shows when its answer is read
                        worker.child.connection.send(cell)

    def _collect(self, worker: _Worker, queue: Queue) -> list[Computed]:
        """Return what a worker has sent; replace it if it has died."""
        done = []
        try:
            while worker.child.connection.poll():
                computed = worker.child.receive()
                if worker.since is not None:
                    done.append(computed)
                    worker.cells.popleft()
                worker.since = time.monotonic()
                self._stillborn = 0
        except ChildDiedError as error:
            done += self._bury(worker, queue, error)
        except ChildError as error:
            raise DenobenchError(f"Worker processes cannot be started: {error}.") from error
        return done

    def _bury(self, worker: _Worker, queue: Queue, error: ChildError) -> list[Computed]:
        """Replace a dead worker, and return its cell's row unless that is tried once more."""
        if worker.since is None:
            self._stillborn += 1
            if self._stillborn >= _STILLBORN:
                raise DenobenchError(
                    f"Worker processes cannot be started: {error}; see {self._log}."
                )
        running = worker.cells.popleft() if worker.cells and worker.since is not None else None
        self._replace(worker, queue)
        if running is None or queue.try_again(running):
            return []
        return [Computed(row(running, "crashed", f"the worker process died twice: {error}"))]

    def _enforce(self, queue: Queue) -> list[Computed]:
        """Kill the workers that exceed a limit, and return the rows of their cells."""
        done = []
        for worker in self._workers:
            if worker.child.died():
                error = ChildDiedError(f"its process died ({worker.child.kill()})")
                done += self._bury(worker, queue, error)
            elif worker.cells and worker.since is not None:
                found = self._excess(worker)
                if found:
                    done.append(Computed(row(worker.cells.popleft(), *found)))
                    self._replace(worker, queue)
        with suppress(OSError):
            if self._log.stat().st_size > _LOG_BYTES:
                os.truncate(self._log, 0)
        return done

    def _excess(self, worker: _Worker) -> tuple[str, str] | None:
        """Return status and reason of a worker that exceeds a limit."""
        assert worker.since is not None
        limits = self._limits
        if time.monotonic() - worker.since > limits.seconds:
            return "timeout", f"took longer than the limit of {limits.seconds:g} s (timeout)"
        try:
            used = psutil.Process(worker.child.pid).memory_info().rss
        except psutil.Error:
            return None  # it has just died
        if used > limits.memory:
            return "crashed", (
                f"killed: its worker used {used / 2**30:.1f} GiB of memory, "
                f"more than the limit of {limits.memory / 2**30:.1f} GiB (memory)"
            )
        return None

    def _replace(self, worker: _Worker, queue: Queue) -> None:
        """Put a fresh process in a worker's place; cells that it had not begun go back."""
        worker.child.kill()
        while worker.cells:
            queue.put_back(worker.cells.pop())
        worker.since = None
        worker.child = self._start()


def _serve(connection: Connection) -> None:
    """Compute the cells that come, in the child."""
    connection.send(("ready", None))
    while True:
        cell = connection.recv()
        connection.send(("computed", compute(cell)))
