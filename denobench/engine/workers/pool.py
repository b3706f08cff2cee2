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

import psutil

from denobench.engine.planning.cell import Cell
from denobench.engine.workers.cells import Computed, compute, row
from denobench.engine.workers.child import Child, ChildDiedError, ChildError, kill_all
from denobench.engine.workers.machine import memory
from denobench.engine.workers.queue import Queue
from denobench.errors import DenobenchError, reason

Finished = Callable[[Sequence[Computed]], None]
Running = Callable[[Sequence[Cell]], None]

_LOOK_SECONDS = 0.1  # between looks at the workers' clocks and memory
_TREE_SECONDS = 1.0  # between looks at the memory of what methods have started
_START_SECONDS = 120.0  # that a worker may take to import what it needs, plugins too
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
    """A worker, the cells it was given (the first is running), and since when that runs.

    ``since`` is None until the process is ready. ``stranger`` is the stranger's method that the
    process has run, empty for methods of denobench's own, None before the first.
    """

    child: Child
    cells: deque[Cell] = field(default_factory=deque)
    begun: float = field(default_factory=time.monotonic)
    since: float | None = None
    stranger: str | None = None


class Pool:
    """Worker processes of one thread each.

    One that dies, takes too long or takes too much memory is replaced, and its cell becomes a row.
    A stranger's method shares no process with another method, which it might change.

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
    lanes
        How many slices of a volume a worker may denoise at a time, each with one thread.
    """

    def __init__(
        self,
        processes: int,
        limits: Limits,
        *,
        plugins: Sequence[Path],
        log: Path,
        lanes: int = 1,
    ) -> None:
        self._limits = limits
        self._lanes = lanes
        self._plugins = tuple(plugins)
        self._log = log
        self._stillborn = 0
        self._looked_at_trees = 0.0
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

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all workers at once."""
        self._closed = True
        kill_all([worker.child for worker in self._workers])

    def compute(self, queue: Queue, finished: Finished, running: Running) -> None:
        """Compute all cells of a queue.

        Parameters
        ----------
        queue
            What to compute.
        finished
            Called with what has been computed since the last call.
        running
            Called now and then with what runs.

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
                running([worker.cells[0] for worker in self._workers if worker.cells])
            for computed in list(done):
                done += [Computed(skipped) for skipped in queue.learn(computed.row)]
            if done:
                finished(done)

    def _start(self) -> Child:
        if self._closed:
            raise DenobenchError("The worker processes were ended from outside.")
        return Child(_serve, self._lanes, threads=1, plugins=self._plugins, log=self._log)

    def _hand_out(self, queue: Queue) -> None:
        """Give every worker a cell, and short ones ahead of time."""
        for share in range(_AHEAD_CELLS):
            for worker in self._workers:
                ahead = sum(queue.seconds(cell) for cell in worker.cells)
                if len(worker.cells) != share or (share and ahead >= _AHEAD_SECONDS):
                    continue
                cell = queue.next(worker.cells[-1] if share else None)
                if cell is None:
                    continue
                if not share:
                    self._prepare(worker, cell.stranger, queue)
                worker.cells.append(cell)
                with suppress(OSError):  # it has died, which shows when its answer is read
                    worker.child.connection.send(cell)

    def _prepare(self, worker: _Worker, stranger: str, queue: Queue) -> None:
        """Give an idle worker a fresh process if the next method may not have its old one."""
        if worker.stranger not in (None, stranger):
            self._replace(worker, queue)
        worker.stranger = stranger
        if worker.since is not None:
            worker.since = time.monotonic()

    def _collect(self, worker: _Worker, queue: Queue) -> list[Computed]:
        """Return what a worker has sent; replace it if it has died."""
        done = []
        try:
            while worker.child.connection.poll():
                computed = worker.child.receive()
                if worker.since is not None:
                    self._check(worker, computed)
                    done.append(computed)
                    worker.cells.popleft()
                worker.since = time.monotonic()
                self._stillborn = 0
        except ChildDiedError as error:
            done += self._bury(worker, queue, error)
        except ChildError as error:
            raise DenobenchError(f"Worker processes cannot be started: {error}.") from error
        return done

    def _check(self, worker: _Worker, computed: object) -> None:
        """Raise if an answer is not that to a worker's question."""
        asked = worker.cells[0].key if worker.cells else None
        if not isinstance(computed, Computed) or computed.row.key != asked:
            worker.child.kill()
            raise ChildDiedError("it wrote into the pipe of its process")

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
        now = time.monotonic()
        trees = now - self._looked_at_trees >= _TREE_SECONDS
        if trees:
            self._looked_at_trees = now
        for worker in self._workers:
            if worker.child.died():
                error = ChildDiedError(f"its process died ({worker.child.kill()})")
                done += self._bury(worker, queue, error)
            elif worker.since is None and now - worker.begun > _START_SECONDS:
                worker.child.kill()
                error = ChildDiedError(f"not ready within {_START_SECONDS:g} s")
                done += self._bury(worker, queue, error)
            elif worker.cells and worker.since is not None:
                found = self._excess(worker, trees)
                if found:
                    done.append(Computed(row(worker.cells.popleft(), *found)))
                    self._replace(worker, queue)
        with suppress(OSError):
            if self._log.stat().st_size > _LOG_BYTES:
                os.truncate(self._log, 0)
        return done

    def _excess(self, worker: _Worker, tree: bool) -> tuple[str, str] | None:
        """Return status and reason of a worker that exceeds a limit, by what it started too."""
        assert worker.since is not None
        limits = self._limits
        if time.monotonic() - worker.since > limits.seconds:
            return "timeout", f"took longer than the limit of {limits.seconds:g} s (timeout)"
        used = 0
        with suppress(psutil.Error):  # it has just died
            process = psutil.Process(worker.child.pid)
            for each in (process, *(process.children(recursive=True) if tree else ())):
                used += each.memory_info().rss
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
        worker.begun, worker.since, worker.stranger = time.monotonic(), None, None
        worker.child = self._start()


def _serve(connection: Connection, lanes: int) -> None:
    """Compute the cells that come, in the child."""
    connection.send(("ready", None))
    while True:
        cell = connection.recv()
        try:
            computed = compute(cell, lanes)
        except BaseException as error:  # such as sys.exit(); Ctrl-C is not for this process
            computed = Computed(row(cell, "failed", reason(error)))
        connection.send(("computed", computed))
