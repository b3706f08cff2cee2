"""Compute the cells that are missing, and keep their rows and pictures as they come."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from denobench.config import Config
from denobench.engine.planning.cell import Cell
from denobench.engine.stages.pictures import Kept
from denobench.engine.workers.cells import Computed
from denobench.engine.workers.executors import Executor
from denobench.progress import Watcher
from denobench.rows import Row, RowStore

_NAMED = 4  # cells that a line says to be running


@dataclass
class CellStage:
    """A stage of cells: how many are finished, and which run."""

    name: str
    watcher: Watcher
    done: float = 0.0
    total: float = 1.0
    running: str = ""

    def reach(self, done: float, total: float, text: str = "") -> None:  # noqa: ARG002
        """Say how many are finished."""
        self.done, self.total = done, total
        self.watcher.stage(self.name, done, total, self.running)

    def runs(self, cells: Sequence[Cell]) -> None:
        """Say which run, the first of them in full."""
        named = [f"{cell.method} {cell.noise} on {cell.item.id}" for cell in cells[:_NAMED]]
        more = len(cells) - len(named)
        text = ", ".join(named) + (f" and {more} more" if more else "")
        self.running = text or "waiting for a worker"
        self.reach(self.done, self.total)


@dataclass
class Computing:
    """The cells of a plan being computed.

    Attributes
    ----------
    kept
        Where pictures are kept, in the run's folder.
    store
        The run's rows.
    watcher
        Told of progress, and of what fails.
    total
        How many cells the plan has, those that can never be computed too.
    done
        How many were computed now; those that were skipped do not count.
    name
        What the stage is called.
    """

    kept: Kept
    store: RowStore
    watcher: Watcher
    total: int
    done: int = 0
    name: str = "Cells"
    _settled: int = 0
    _busy: float = 0.0
    _stage: CellStage = field(init=False)
    _pending: Mapping[str, Cell] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stage = CellStage(self.name, self.watcher)

    def compute(self, config: Config, pending: Sequence[Cell]) -> tuple[float, float]:
        """Compute cells, and return the seconds and the share of the workers' time that they had.

        Share and seconds are of use only where there was something to compute.
        """
        started = time.perf_counter()
        self._settled = self.total - len(pending)
        self._pending = {cell.key: cell for cell in pending}
        self._stage.reach(self._settled, self.total)
        with Executor(config, self.kept.folder, len(pending)) as executor:
            executor.compute(pending, self._take, self._stage.runs)
        elapsed = time.perf_counter() - started
        return elapsed, self._busy / elapsed / max(executor.processes, 1)

    def _take(self, computed: Sequence[Computed]) -> None:
        """Keep what has been computed."""
        rows = [each.row for each in computed]
        for each in computed:
            if each.pictures:
                self.kept.save(self._pending[each.row.key], each.pictures)
        self.store.add(rows)
        self.done += sum(found.status != "skipped" for found in rows)
        self._busy += sum(each.seconds for each in computed)
        self._settled += len(rows)
        _tell(rows, self.watcher)
        self._stage.reach(self._settled, self.total)


def missing_cells(
    cells: Sequence[Cell], trials: set[str], kept: Kept, store: RowStore, watcher: Watcher
) -> list[Cell]:
    """Return the cells that are not done, and say how many are stale.

    Parameters
    ----------
    cells
        All of the plan that can be computed.
    trials
        Keys of the cells that the plan was tuned on.
    kept
        Where pictures are kept.
    store
        The run's rows.
    watcher
        Told what is stale.
    """
    statuses = store.statuses()
    missing = [
        cell
        for cell in cells
        if statuses.get(cell.key) != "ok" or (cell.picture and not kept.holds(cell))
    ]
    if not missing:
        return []
    planned = {cell.key for cell in cells} | trials
    wanted = {(c.method, c.noise.model, c.noise.level, c.realisation, c.item.id) for c in missing}
    stale = Counter(
        found.method
        for found in store
        if found.key not in planned
        and (found.method, found.noise, found.level, found.realisation, found.image) in wanted
    )
    for name, count in sorted(stale.items()):
        watcher.say(
            f"{count} rows of {name} are stale (its source, parameters, weights, versions or "
            "images have changed) and are computed again."
        )
    return missing


def _tell(rows: Collection[Row], watcher: Watcher) -> None:
    """Say which cells have no score, and which method is given up."""
    for found in rows:
        if found.status not in ("ok", "skipped"):
            watcher.say(f"{found.method} {found.status} on {found.image}: {found.error}")
    for name, reason in {
        (found.method, found.error) for found in rows if found.status == "skipped"
    }:
        watcher.say(f"{name} is skipped: {reason}")
