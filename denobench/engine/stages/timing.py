"""How long a method takes: measured apart from everything else.

A fresh process per method, threads pinned, a warm-up, then rounds in which the methods take turns,
so that a change in the machine's speed meets all of them alike. Then all cores, for the methods
that use them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from denobench import methods
from denobench.config import TimingEntry
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import Plan
from denobench.engine.planning.sources import installed_version
from denobench.engine.stages.stopwatch import Stopwatch
from denobench.engine.workers import observations
from denobench.engine.workers.cells import told_sigma
from denobench.engine.workers.machine import cores, cpu_model
from denobench.errors import DenobenchError
from denobench.noise import Noise
from denobench.progress import Progress, Watcher, of_stage
from denobench.rows import LOG, RowStore, RunFolder
from denobench.runtimes import machine_noise

SLOW_SECONDS = 1.0  # a method that takes longer is called less often
SLOW_REPEATS = 3
REPEATS_ON_ALL_CORES = 3
# A method uses several cores if other threads have this share of the time and had not before; or,
# where it always starts threads, if it gets so many times the cores' share.
_HELPED = 0.1
_PARALLEL = 1.2
_ENOUGH_SECONDS = 0.25  # that a method must have worked before it is said to use several cores

# What became of a method's cell: status and reason.
Fate = tuple[str, str]


def time_methods(
    plan: Plan, cells: Sequence[Cell], folder: RunFolder, store: RowStore, watcher: Watcher
) -> bool:
    """Write ``timing.csv``: each method on one image at the middle level.

    Returns whether there was something to do.
    """
    config = plan.config
    if not config.timing.repeats or not cells:
        return False
    became = {found.key: (found.status, found.error) for found in store}
    middle = config.noises[(len(config.noises) - 1) // 2]
    chosen = _chosen_cells(cells, became, middle)
    if _is_current(_known(folder), chosen.values(), config.timing):
        return False
    fates = {name: became[cell.key] for name, cell in chosen.items()}
    lost = {name: fate for name, fate in fates.items() if fate[0] != "ok"}
    for _ in range(2):
        found = measure(
            list(chosen.values()),
            config.timing,
            timeout=config.timeout,
            log=folder.path / LOG,
            progress=of_stage(watcher, "Timing"),
            lost=lost,
        )
        crashed = set(found.loc[found["status"] == "crashed", "method"])
        if crashed <= set(lost):  # else somebody may have killed a process
            break
    noisy = machine_noise(found)
    if noisy:
        watcher.say(noisy)
    folder.write_table("timing", found)
    return True


def _chosen_cells(
    cells: Sequence[Cell], became: Mapping[str, Fate], corruption: Noise
) -> dict[str, Cell]:
    """Return the cell that each method is timed on: where it gave a score, at one corruption.

    A method that is not made for that noise is timed on its own.
    """
    chosen: dict[str, Cell] = {}
    for cell in sorted(
        cells, key=lambda cell: (became[cell.key][0] != "ok", cell.noise != corruption)
    ):
        chosen.setdefault(cell.method, cell)
    return chosen


def _known(folder: RunFolder) -> pd.DataFrame:
    """Return what was measured before; nothing where the file is damaged, and measured again."""
    try:
        return folder.table("timing")
    except DenobenchError:
        return pd.DataFrame()


def _is_current(known: pd.DataFrame, cells: Iterable[Cell], asked: TimingEntry) -> bool:
    """Return whether ``timing.csv`` holds what would be measured of these cells."""
    if known.empty or "key" not in known or set(known["key"]) != {cell.key for cell in cells}:
        return False
    if "repeats" not in known:  # nothing could be timed
        return set(known["threads"]) == {asked.threads}
    timed = known.dropna(subset="repeats")
    slow = timed["median_ms"] > 1000 * SLOW_SECONDS
    fewer = min(asked.repeats, SLOW_REPEATS)
    right = (timed["repeats"] == asked.repeats) | (slow & (timed["repeats"] == fewer))
    return bool(right.all() and (known["threads"] == asked.threads).all())


def measure(
    cells: Sequence[Cell],
    asked: TimingEntry,
    *,
    timeout: float,
    log: Path,
    progress: Progress,
    lost: Mapping[str, Fate],
) -> pd.DataFrame:
    """Time one cell of each method.

    Parameters
    ----------
    cells
        One per method.
    asked
        Timed rounds, fewer for methods whose calls take long; and threads that they may use.
    timeout
        Seconds that one call may take.
    log
        File that takes what methods print.
    progress
        Told of each call.
    lost
        Status and reason of the methods that gave no score, which are not run again: here nobody
        watches their memory.

    Returns
    -------
    pandas.DataFrame
        One row per method: median, quartiles, least and most of the milliseconds per image, cold
        start (imports, weights and first call), peak memory, processor and versions, and the
        median with all cores where the method uses more than one; or the reason of a failure.
    """
    good = [cell for cell in cells if cell.method not in lost]
    most = cores()
    step = _Steps(progress, len(good) * (1 + asked.repeats))
    with ExitStack() as stack:
        start = partial(_start, stack, step, most=most, timeout=timeout, log=log)
        timed = start(good, asked.threads)
        _take_turns(timed, asked.repeats, step)
        measured = {each.name: _measured(each) for each in timed}
        timed = [each for each in timed if not each.failure]
        alone = {each.name: (each.helped, each.parallelism) for each in timed}
        if most > asked.threads:
            wide = [each for each in timed if each.widen(most)]
            afresh = alone.keys() - {each.name for each in wide}
            wide += start([cell for cell in good if cell.method in afresh], most)
            for each in _parallel(wide, alone, min(asked.repeats, REPEATS_ON_ALL_CORES), step):
                measured[each.name] |= _on_all_cores(each)
    step.end()
    fates = {name: {"status": status, "error": error} for name, (status, error) in lost.items()}
    records = [_record(cell, asked.threads) | (measured | fates)[cell.method] for cell in cells]
    return pd.DataFrame.from_records(records)


def _start(
    stack: ExitStack, step: _Steps, cells: Iterable[Cell], threads: int, **settings: Any
) -> list[Stopwatch]:
    """Start processes together; after that one works at a time."""
    started = [
        stack.enter_context(closing(Stopwatch(cell, *_told(cell), threads=threads, **settings)))
        for cell in cells
    ]
    for each in started:
        each.wait()
    for each in started:
        step(f"{each.name}, cold start")
        each.start()
    return started


def _told(cell: Cell) -> tuple[np.ndarray, float | None]:
    """Return what a method is given: the noisy image, and what its track tells of sigma."""
    noisy, _ = observations.noisy(cell)
    return noisy, told_sigma(cell, noisy)


def _take_turns(timed: Sequence[Stopwatch], repeats: int, step: Callable[[str], None]) -> None:
    """Time rounds; a method that takes long is left out of the later ones."""
    for _ in range(repeats):
        for each in timed:
            slow = len(each.seconds) >= SLOW_REPEATS and np.median(each.seconds) > SLOW_SECONDS
            if not each.failure and not slow:
                step(each.name)
                each.call()


def _parallel(
    wide: Sequence[Stopwatch],
    alone: Mapping[str, tuple[float, float]],
    repeats: int,
    step: Callable[[str], None],
) -> list[Stopwatch]:
    """Time rounds on all cores, and return the methods that use more than one.

    One that takes long is asked again only if it does.
    """
    for each in wide:
        each.forget()

    def uses_more(each: Stopwatch) -> bool:
        helped, parallelism = alone[each.name]
        more = helped < _HELPED or each.parallelism > _PARALLEL * parallelism
        return each.helped > _HELPED and more

    for _ in range(repeats):
        for each in wide:
            if not each.failure and (sum(each.seconds) < SLOW_SECONDS or uses_more(each)):
                step(f"{each.name}, all cores")
                each.call()
    for each in wide:
        while not each.failure and uses_more(each) and each.spent < _ENOUGH_SECONDS:
            each.call()
    return [each for each in wide if not each.failure and uses_more(each)]


def _record(cell: Cell, threads: int) -> dict[str, Any]:
    packages = ("numpy", *sorted({*methods.load(cell.registered).info.packages} - {"numpy"}))
    return {
        "method": cell.method,
        "parameters": cell.parameters,
        "track": cell.track,
        "key": cell.key,
        "noise": str(cell.noise),
        "image": cell.item.id,
        "size": "–",
        "threads": threads,
        "device": "",
        "cpu": cpu_model(),
        "versions": ", ".join(f"{name} {installed_version(name)}" for name in packages),
        "status": "ok",
        "error": "",
    }


def _measured(timed: Stopwatch) -> dict[str, Any]:
    """Return what was measured of a method, or the status and reason of its failure."""
    if timed.failure:
        status, error = timed.failure
        return {"size": timed.size, "device": timed.device, "status": status, "error": error}
    milliseconds = 1000 * np.array(timed.seconds)
    program = (
        {"program_ms": 1000 * np.median(timed.program_seconds)} if timed.program_seconds else {}
    )
    low, middle, high = np.percentile(milliseconds, [25, 50, 75])
    return {
        "size": timed.size,
        "device": timed.device,
        "cold_ms": timed.cold_ms,
        "parallelism": timed.parallelism,
        "peak_mb": timed.peak_mb,
        "repeats": len(milliseconds),
        "median_ms": middle,
        "low_ms": low,
        "high_ms": high,
        "min_ms": milliseconds.min(),
        "max_ms": milliseconds.max(),
        **program,
    }


def _on_all_cores(timed: Stopwatch) -> dict[str, Any]:
    """Return what was measured with all cores."""
    found = _measured(timed)
    return {f"all_cores_{name}": found[name] for name in ("median_ms", "low_ms", "high_ms")}


class _Steps:
    """Says how far the timing is; how many steps there are shows on the way."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._passed = 0

    def __call__(self, text: str) -> None:
        """Say what runs now."""
        self._progress(self._passed, max(self._total, self._passed + 1), text)
        self._passed += 1

    def end(self) -> None:
        """Say that all is measured."""
        self._progress(self._total, self._total)
