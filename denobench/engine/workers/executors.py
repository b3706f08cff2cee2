"""What computes cells: worker processes here, or Dask."""

from __future__ import annotations

from collections.abc import Sequence

from denobench.config import Config
from denobench.engine.planning.cell import Cell
from denobench.engine.workers.dask import DaskPool
from denobench.engine.workers.machine import cores
from denobench.engine.workers.pool import Finished, Limits, Pool, Running
from denobench.engine.workers.queue import Queue
from denobench.rows import LOG, RunFolder


class Executor:
    """Computes cells as a config says; workers start with the first cells.

    Parameters
    ----------
    config
        How many workers, where, and what one cell may take.
    folder
        The run's; what methods print goes to its log.
    most
        How many cells there will be: no more workers than that.
    """

    def __init__(self, config: Config, folder: RunFolder, most: int) -> None:
        self._config = config
        self._folder = folder
        self._started: Pool | DaskPool | None = None
        given = config.workers or cores()
        self.processes = min(given, most)
        # A single volume has all cores, too: slice beside slice.
        self._lanes = max(1, given // max(self.processes, 1))

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        if self._started is not None:
            self._started.__exit__()

    def compute(self, cells: Sequence[Cell], finished: Finished, running: Running) -> None:
        """Compute cells; call with those that are finished, and now and then with what runs."""
        if not cells:
            return
        if self._started is None:
            self._started = self._start().__enter__()
        self._started.compute(Queue(cells), finished, running)

    def _start(self) -> Pool | DaskPool:
        config = self._config
        if config.executor == "dask":
            return DaskPool(
                config.address,
                self.processes,
                timeout=config.timeout,
                memory=config.memory,
                plugins=config.plugins,
            )
        limits = Limits.of(config.timeout, config.memory, self.processes)
        log = self._folder.path / LOG
        return Pool(self.processes, limits, plugins=config.plugins, log=log, lanes=self._lanes)
