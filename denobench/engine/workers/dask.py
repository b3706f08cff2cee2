"""Cells on Dask workers: each of their threads drives one worker process as on this machine."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from denobench.datasets import FileItem, Item
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.sources import harness_versions, installed_version
from denobench.engine.workers.cells import Computed, row
from denobench.engine.workers.machine import cores
from denobench.engine.workers.pool import Finished, Limits, Pool, Running
from denobench.engine.workers.queue import Queue
from denobench.engine.workers.sent import SentFile, SentItem
from denobench.errors import DenobenchError
from denobench.rows import LOG

PATIENCE_SECONDS = 30  # with a scheduler that does not answer
IDLE_SECONDS = 60.0  # after which a worker process without cells ends
_LOOK_SECONDS = 0.5  # between two looks at workers that are silent
_IMAGES = 1000  # that Dask keeps at once


@dataclass(frozen=True)
class Session:
    """What a Dask worker has to know of the coordinator that its cells come from.

    Attributes
    ----------
    id
        No other coordinator's, nor an earlier run's.
    timeout, memory, plugins
        As of `DaskPool`.
    versions
        What reads, corrupts and scores images there, by distribution.
    """

    id: str
    timeout: float
    memory: float | None
    plugins: tuple[Path, ...]
    versions: Mapping[str, str]


class DaskPool:
    """Dask workers that compute cells; used like a `denobench.engine.workers.pool.Pool`.

    A worker that is lost is Dask's to notice: its cells are computed by another.

    Parameters
    ----------
    address
        The scheduler's, such as ``tcp://10.0.0.1:8786``; None starts workers on this machine.
    processes
        Number of workers that are started here.
    timeout, memory
        What one cell may take: seconds, and GiB or None for a share of its machine's memory.
    plugins
        Plugin files that workers register, under the same path there.

    Raises
    ------
    DenobenchError
        If Dask is not installed, or no scheduler answers.
    """

    def __init__(
        self,
        address: str | None,
        processes: int,
        *,
        timeout: float,
        memory: float | None,
        plugins: Sequence[Path],
    ) -> None:
        try:
            import distributed
        except ImportError:
            raise DenobenchError(
                "executor: dask needs Dask; install it with `pip install 'denobench[dask]'`."
            ) from None
        self._session = Session(
            uuid.uuid4().hex, timeout, memory, tuple(plugins), harness_versions()
        )
        self._here = None
        self._seen: dict[Path, bool] = {}
        self._files: dict[Path, Any] = {}
        self._images: dict[tuple[Item, int | None], Any] = {}
        if address is None:
            self._here = distributed.LocalCluster(
                n_workers=1, threads_per_worker=processes, processes=False, dashboard_address=None
            )
            address = self._here.scheduler_address
        self._address = address
        try:
            self._client = distributed.Client(self._address, timeout=PATIENCE_SECONDS)
        except (OSError, ValueError) as error:
            raise DenobenchError(
                f"--address {address}: no Dask scheduler answers there ({error}); "
                "give the address that `dask scheduler` prints, such as tcp://10.0.0.1:8786."
            ) from None

    def __enter__(self) -> DaskPool:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # a lost scheduler's workers end by themselves
            self._client.run(_end_session, self._session.id, on_error="ignore")
        # One that has lost its scheduler closes itself, too, and may fail where both meet: that
        # must not stand in the place of the error that says so.
        with suppress(OSError, RuntimeError):
            self._client.close()
        if self._here is not None:
            self._here.close()

    def compute(self, queue: Queue, finished: Finished, running: Running) -> None:
        """Compute all cells of a queue; see `denobench.engine.workers.pool.Pool.compute`."""
        waiting: dict[Any, Cell] = {}
        try:
            while queue or waiting:
                with self._naming_lost_scheduler():
                    threads = self._hand_out(queue, waiting)
                running(list(waiting.values())[:threads])
                with self._naming_lost_scheduler():
                    done = [
                        each
                        for future in _ended(waiting)
                        for each in _result(future, waiting.pop(future), queue)
                    ]
                for computed in list(done):
                    done += [Computed(skipped) for skipped in queue.learn(computed.row)]
                if done:
                    finished(done)
        finally:
            with suppress(OSError):
                self._client.cancel(list(waiting))

    def _hand_out(self, queue: Queue, waiting: dict[Any, Cell]) -> int:
        """Send two cells for each of the workers' threads, and return how many these are."""
        threads = sum(self._client.nthreads().values())
        while queue and len(waiting) < 2 * threads:
            cell = queue.next()
            assert cell is not None
            bare, image = self._sent(cell)
            file = self._sent_file(cell)
            future = self._client.submit(_compute, bare, image, file, self._session, pure=False)
            waiting[future] = cell
        return threads

    @contextmanager
    def _naming_lost_scheduler(self) -> Iterator[None]:
        try:
            yield
        except (OSError, CancelledError) as error:
            raise DenobenchError(
                f"The Dask scheduler at {self._address} was lost. What is "
                "finished is kept: run again, with the address of one that runs, to go on."
            ) from error

    def _sent(self, cell: Cell) -> tuple[Cell, Any]:
        """Return a cell, and its image unless all workers can read it themselves.

        An image is sent once, in the size of its cells; workers get it from each other.
        """
        item = cell.item
        if self._here or (isinstance(item, FileItem) and self._shared(item.path.parent)):
            return cell, None
        if (item, cell.size) not in self._images:
            if len(self._images) >= _IMAGES:
                del self._images[next(iter(self._images))]
            # A task, and not scattered: it is repeated where the worker that had it is lost.
            image = self._client.submit(_kept, SentItem.of(item, cell.size), pure=False)
            self._images[item, cell.size] = image
        return replace(cell, item=SentItem.without_image(item)), self._images[item, cell.size]

    def _sent_file(self, cell: Cell) -> Any:
        """Return a method's file of weights or its network's, unless all workers see it."""
        path = cell.weights
        if self._here or path is None or self._shared(path):
            return None
        if path not in self._files:
            self._files[path] = self._client.submit(_kept, SentFile.of(cell), pure=False)
        return self._files[path]

    def _shared(self, path: Path) -> bool:
        """Return whether all workers see a file or folder."""
        if path not in self._seen:
            self._seen[path] = all(self._client.run(os.path.exists, str(path)).values())
        return self._seen[path]


def _ended(waiting: Collection[Any]) -> Collection[Any]:
    """Return the futures that have ended; none if none does for a while, or there are none."""
    import distributed

    if not waiting:  # there is no worker yet
        time.sleep(_LOOK_SECONDS)
        return ()
    try:
        found = distributed.wait(list(waiting), _LOOK_SECONDS, return_when="FIRST_COMPLETED")
    except TimeoutError:
        return ()
    return found.done


def _result(future: Any, cell: Cell, queue: Queue) -> list[Computed]:
    """Return what became of a cell; nothing if it is tried once more."""
    from distributed import KilledWorker

    try:
        return [future.result()]
    except KilledWorker as error:
        if queue.try_again(cell):
            return []
        return [Computed(row(cell, "crashed", f"several Dask workers died of it: {error}"))]


class _Seat:
    """The worker process that one of a Dask worker's threads drives.

    It ends when its coordinator says so, and by itself when there is nothing to do for a while,
    since a coordinator that was killed says nothing.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._busy = threading.Lock()
        self._pool: Pool | None = None
        self._timer = threading.Timer(0, self._rest)

    def compute(self, cell: Cell) -> Computed:
        """Compute a cell in a process that can be killed."""
        from distributed import get_worker

        with self._busy:
            self._timer.cancel()
            if self._pool is None:
                limits = Limits.of(self.session.timeout, self.session.memory, cores())
                log = Path(get_worker().local_directory) / LOG
                self._pool = Pool(1, limits, plugins=self.session.plugins, log=log)
            found: list[Computed] = []
            self._pool.compute(Queue([cell]), found.extend, lambda _: None)
            self._timer = threading.Timer(IDLE_SECONDS, self._rest)
            self._timer.daemon = True
            self._timer.start()
        return found[0]

    def end(self) -> None:
        """End the process, also in the middle of a cell."""
        self._timer.cancel()
        if self._pool is not None:
            self._pool.close()

    def _rest(self) -> None:
        if self._busy.acquire(blocking=False):
            self.end()
            self._pool = None
            self._busy.release()


def _kept(sent: SentItem | SentFile) -> SentItem | SentFile:
    """Return what is sent, for Dask to keep."""
    return sent


# On a Dask worker: by thread.
_seats: dict[int, _Seat] = {}


def _compute(
    cell: Cell, image: SentItem | None, file: SentFile | None, session: Session
) -> Computed:
    """Compute a cell on a Dask worker, with an image and a file that were sent or lie there."""
    from distributed import get_worker

    seat = _seats.get(threading.get_ident())
    if seat is None or seat.session.id != session.id:
        _check_versions(session.versions)
        if seat:
            seat.end()
        seat = _seats[threading.get_ident()] = _Seat(session)
    if image is not None:
        cell = replace(cell, item=image)
    if file is not None:
        cell = replace(cell, weights=file.written(Path(get_worker().local_directory)))
    return seat.compute(cell)


def _check_versions(planned: Mapping[str, str]) -> None:
    """Raise if this Dask worker computes with other libraries than its coordinator."""
    from distributed import get_worker

    for name, expected in planned.items():
        if (here := installed_version(name)) != expected:
            raise DenobenchError(
                f"Dask worker {get_worker().address} has {name} {here}, the coordinator "
                f"{expected}: install the same versions on all machines."
            )


def _end_session(session: str) -> None:
    """End the processes of a coordinator's cells."""
    for thread, seat in list(_seats.items()):
        if seat.session.id == session:
            seat.end()
            del _seats[thread]
