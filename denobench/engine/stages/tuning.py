"""Tune methods' parameters on validation images, the same number of trials for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from denobench import trials
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import Plan, Tuned, Tuning
from denobench.engine.stages.search import Search
from denobench.noise import Noise
from denobench.progress import Progress
from denobench.rows import Row

# Computes cells, and calls with the rows of those that have been finished since the last call.
Compute = Callable[[Sequence[Cell], Callable[[Sequence[Row]], None]], None]

_COLUMNS = [*trials.SCOPE, "trial", "settings", "key", "level", "image", "cluster", "status"]
_COLUMNS += ["error", trials.SCORE]


@dataclass
class _Contest:
    """A tuning under way: its search, and a record per cell that was scored."""

    tuning: Tuning
    search: Search
    tried: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)

    def take(self, settings: Mapping[str, Any], found: Iterable[Row]) -> None:
        """Take note of a trial's rows."""
        levels = tuple(corruption.level for corruption in self.tuning.corruptions)
        records = [
            {
                "method": row.method,
                "fold": self.tuning.fold,
                "noise": row.noise,
                "levels": levels,
                "trial": self.tried,
                "settings": json.dumps(settings, sort_keys=True),
                "key": row.key,
                "level": row.level,
                "image": row.image,
                "cluster": row.cluster,
                "status": row.status,
                "error": row.error,
                trials.SCORE: row.metrics.get(trials.SCORE),
            }
            for row in found
        ]
        self.search.tell(dict(settings), trials.score(_frame(records)))
        self.tried += 1
        self.records += records


def tune(
    plan: Plan, known: Mapping[str, Row], compute: Compute, progress: Progress
) -> pd.DataFrame:
    """Try settings of every method that has some to tune.

    All searches go on at the same time, so that the cells of their trials fill all workers.

    Parameters
    ----------
    plan
        What to tune.
    known
        Completed rows by key, which are not computed again.
    compute
        Computes cells.
    progress
        Told how many cells are done.

    Returns
    -------
    pandas.DataFrame
        ``tuning.csv``: one row per cell of every trial.
    """
    allowed = plan.config.tuning.trials
    contests = [
        _Contest(tuning, Search(tuning.start, tuning.method.grid, allowed))
        for tuning in plan.tunings()
    ]
    cells = sum(len(each.tuning.corruptions) * len(each.tuning.images) for each in contests)
    total = allowed * cells
    rows, done = dict(known), 0

    def take(found: Sequence[Row]) -> None:
        nonlocal done
        rows.update((row.key, row) for row in found)
        done += len(found)
        progress(done, total)

    while asked := [(each, settings) for each in contests for settings in each.search.ask()]:
        batches = [plan.trial(contest.tuning, settings) for contest, settings in asked]
        missing = [cell for batch in batches for cell in batch if cell.key not in rows]
        done += sum(map(len, batches)) - len(missing)
        compute(missing, take)
        for (contest, settings), batch in zip(asked, batches, strict=True):
            contest.take(settings, [rows[cell.key] for cell in batch])
    if contests:
        progress(total, total)
    return _frame([record for each in contests for record in each.records])


def chosen(cells: pd.DataFrame) -> Tuned:
    """Return the settings that scored best in ``tuning.csv``."""
    best = trials.summarise(cells)
    best = best[best["chosen"]].drop(columns="settings")
    found = cells.merge(best[[*trials.SCOPE, "trial"]])
    found = found.drop_duplicates(["method", "noise", "level", "fold"])
    return {
        (row["method"], Noise(row["noise"], row["level"]), row["fold"]): json.loads(row["settings"])
        for _, row in found.iterrows()
    }


def _frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame.from_records(records, columns=_COLUMNS)
