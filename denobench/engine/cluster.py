"""Cells on a Dask cluster: each of its threads drives one worker process as on this machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from denobench import images
from denobench.datasets import FileItem, Item
from denobench.engine.cells import Computed, row
from denobench.engine.local import Finished, Limits, Pool
from denobench.engine.plan import Cell
from denobench.engine.queue import Queue
from denobench.errors import DenobenchError
from denobench.rows import LOG

PATIENCE_SECONDS = 30  # with a scheduler that does not answer


@dataclass(frozen=True)
class SentItem(Item):
    """An image that travels with its cell, to machines that do not see its file."""

    pixels: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), compare=False, repr=False)
    tumour: np.ndarray | None = field(default=None, compare=False, repr=False)

    def read(self, size: int | None = None) -> np.ndarray:
        """Return the image, float32, (H, W)."""
        return images.resize(self.pixels, size)

    def mask(self, size: int | None = None) -> np.ndarray | None:
        """Return the tumour's mask where it is known, uint8, (H, W), sized as the image."""
        return None if self.tumour is None else images.resize_labels(self.tumour, size)


class Cluster:
    """A Dask cluster that computes cells; used like a `denobench.engine.local.Pool`.

    A worker that is lost is Dask's to notice: its cells are computed by another.

    Parameters
    ----------
    address
        The scheduler's, such as ``tcp://10.0.0.1:8786``; None starts a cluster on this machine.
    processes
        Number of workers of a cluster that is started here.
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
        self._settings = timeout, memory, tuple(plugins)
        self._cluster = None
        self._folders: dict[Path, bool] = {}
        if address is None:
            self._cluster = distributed.LocalCluster(
                n_workers=1, threads_per_worker=processes, processes=False, dashboard_address=None
            )
        try:
            self._client = distributed.Client(address or self._cluster, timeout=PATIENCE_SECONDS)
        except (OSError, ValueError) as error:
            raise DenobenchError(
                f"--address {address}: no Dask scheduler answers there ({error}); "
                "give the address that `dask scheduler` prints, such as tcp://10.0.0.1:8786."
            ) from None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.run(_close_pools, on_error="ignore")
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def compute(self, queue: Queue, finished: Finished) -> None:
        """Compute all cells of a queue; see `denobench.engine.local.Pool.compute`."""
        import distributed

        self._client.wait_for_workers(1)
        running: dict[Any, Cell] = {}
        while queue or running:
            threads = sum(self._client.nthreads().values())
            while queue and len(running) < max(1, 2 * threads):
                cell = queue.next()
                assert cell is not None
                future = self._client.submit(
                    _compute, self._sent(cell), *self._settings, pure=False
                )
                running[future] = cell
            ended, _ = distributed.wait(list(running), return_when="FIRST_COMPLETED")
            done = [
                each for future in ended for each in _result(future, running.pop(future), queue)
            ]
            for computed in list(done):
                done += [Computed(skipped) for skipped in queue.learn(computed.row)]
            if done:
                finished(done)

    def _sent(self, cell: Cell) -> Cell:
        """Return a cell with its image, unless all workers see the file."""
        if isinstance(cell.item, FileItem) and self._shared(cell.item.path.parent):
            return cell
        return with_pixels(cell)

    def _shared(self, folder: Path) -> bool:
        """Return whether all workers see a folder."""
        if folder not in self._folders:
            self._folders[folder] = all(self._client.run(os.path.isdir, str(folder)).values())
        return self._folders[folder]


def with_pixels(cell: Cell) -> Cell:
    """Return a cell whose image travels with it."""
    item = cell.item
    known = {name: getattr(item, name) for name in ("id", "label", "cluster", "digest", "part")}
    return replace(cell, item=SentItem(**known, pixels=item.read(), tumour=item.mask()))


def _result(future: Any, cell: Cell, queue: Queue) -> list[Computed]:
    """Return what became of a cell; nothing if it is tried once more."""
    from distributed import KilledWorker

    try:
        return [future.result()]
    except KilledWorker as error:
        if queue.try_again(cell):
            return []
        return [Computed(row(cell, "crashed", f"several Dask workers died of it: {error}"))]


# On a Dask worker: one pool of one process for each of its threads.
_pools: dict[tuple[Any, ...], Pool] = {}


def _compute(
    cell: Cell, timeout: float, memory: float | None, plugins: tuple[Path, ...]
) -> Computed:
    """Compute a cell on a Dask worker, in a process that can be killed."""
    from distributed import get_worker

    from denobench.engine.machine import cores

    key = (threading.get_ident(), timeout, memory, plugins)
    if key not in _pools:
        limits = Limits.of(timeout, memory, cores())
        log = Path(get_worker().local_directory) / LOG
        _pools[key] = Pool(1, limits, plugins=plugins, log=log)
    found: list[Computed] = []
    _pools[key].compute(Queue([cell]), found.extend)
    return found[0]


def _close_pools() -> None:
    while _pools:
        _pools.popitem()[1].close()
