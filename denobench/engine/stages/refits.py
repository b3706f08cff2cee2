"""Check what a run's tasks found: the rows against the plan, some models fitted again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from denobench.datasets import Item
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.fits import Fit, Source, find_sources, fits
from denobench.engine.planning.plan import Plan
from denobench.engine.workers.cells import compute
from denobench.engine.workers.fitting import rated
from denobench.errors import DenobenchError
from denobench.noise import written
from denobench.progress import Progress
from denobench.seeds import generator
from denobench.tasks import TaskModel

# What two machines may differ by: a network's training goes its own way in the last bits.
TOLERANCE = 0.05

_ROW = ["task", "model", "regime", "noise", "level", "method", "fold", "image", "cluster"]


def disagreements(
    plan: Plan, cells: Sequence[Cell], table: pd.DataFrame, count: int, progress: Progress
) -> Iterator[str]:
    """Yield how the rows of tasks differ from what the plan and its images give.

    Parameters
    ----------
    plan
        With the tasks.
    cells
        Those that the run has completed.
    table
        ``tasks.csv``.
    count
        How many models to fit again, drawn by the run's seed.
    progress
        Told how many are done.
    """
    every = [*fits(plan, find_sources(plan, cells))]
    wanted = pd.concat([fit.rows()[_ROW] for fit in every], ignore_index=True)
    there = table.reindex(columns=_ROW)
    one, two = ({*frame.itertuples(index=False, name=None)} for frame in (wanted, there))
    for rows, what in ((one - two, "is missing"), (two - one, "is not what the config asks for")):
        if rows:
            more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
            yield f"tasks.csv: {_named(min(rows, key=str))}: {what}{more}."
    order = generator("verify tasks", plan.config.seed).permutation(len(every))
    by_key = {cell.key: cell for cell in cells}
    for done, place in enumerate(order[:count]):
        progress(done, count, f"{every[place].task.name}, {every[place].model.title}")
        yield from _again(every[place], by_key, table)


def _again(fit: Fit, cells: Mapping[str, Cell], table: pd.DataFrame) -> Iterator[str]:
    """Fit a model again, ask it about its own images and clean ones, and compare."""
    own = [q for q in fit.questions if q.source.noise in (None, fit.source.noise)]
    own = [q for q in own if q.source.method in (fit.source.method, "clean")]
    fit = replace(fit, questions=tuple(own))

    def images(
        model: type[TaskModel], source: Source, items: Sequence[Item], size: int | None
    ) -> np.ndarray:
        return np.stack([_prepared(model(), source, item, size, cells) for item in items])

    said = fit.rows().join(pd.DataFrame(rated(fit, images)))
    value = "dice" if "dice" in said else "score"
    both = said.merge(table, on=_ROW, suffixes=("", "_run"))
    here, then = (both[name].to_numpy(float) for name in (value, f"{value}_run"))
    apart = ~np.isclose(here, then, rtol=0, atol=TOLERANCE, equal_nan=True)
    if apart.any():
        first = int(np.flatnonzero(apart)[0])
        yield (
            f"tasks.csv: {_named(tuple(both.loc[first, _ROW]))}: {value} is {here[first]:.3f} "
            f"here, {then[first]:.3f} in the run ({int(apart.sum())} of {len(both)} rows differ)."
        )


def _prepared(
    model: TaskModel, source: Source, item: Item, size: int | None, cells: Mapping[str, Cell]
) -> np.ndarray:
    """Return what a model sees of an image, which is denoised again."""
    if source.noise is None:
        image: Any = item.observe(size).reference
    else:
        found = compute(replace(cells[source.keys[item.id]], picture=True))
        if found.pictures is None:
            raise DenobenchError(f"{source.method} on {item.id}: {found.row.error}")
        image = found.pictures.answer.astype(np.float16)
    return np.asarray(model.prepare(np.asarray(image, np.float32)), np.float32)


def _named(row: tuple[Any, ...]) -> str:
    """Say which row it is."""
    told = dict(zip(_ROW, row, strict=True))
    where = f"{told['noise']}:{written(told['level'])}, {told['image']}"
    return f"{told['task']}, {told['model']}, {told['regime']}, {told['method']}, {where}"
