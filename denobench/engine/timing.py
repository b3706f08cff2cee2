"""How long a method takes: measured apart from everything else.

A fresh process per method, threads pinned, a warm-up, then rounds in which the methods take turns,
so that a change in the machine's speed meets all of them alike.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from denobench.engine import workers
from denobench.engine.plan import Cell
from denobench.methods import Denoiser, Progress

# Short calls are repeated within a round until they fill this many seconds.
_ROUND_SECONDS = 0.02


def measure(
    cells: Sequence[Cell],
    *,
    repeats: int,
    threads: int,
    timeout: float,
    plugins: Sequence[Path],
    progress: Progress,
) -> pd.DataFrame:
    """Time one cell of each method.

    Parameters
    ----------
    cells
        One per method, all with the same noisy image.
    repeats
        Timed rounds.
    threads
        Threads that a method may use.
    timeout
        Seconds that one call may take.
    plugins
        Plugin files to register.
    progress
        Told of each call.

    Returns
    -------
    pandas.DataFrame
        One row per method: median, quartiles, least and most of the milliseconds per image, cold
        start (imports, weights and first call), peak memory, or the reason of a failure.
    """
    records: dict[str, dict[str, Any]] = {}
    total = len(cells) * (repeats + 1)
    with ExitStack() as stack:
        open_cells: dict[str, tuple[Cell, Connection]] = {}
        for number, cell in enumerate(cells):
            progress(number, total, f"{cell.method}, cold start")
            connection = stack.enter_context(
                workers.conversation(_serve_calls, cell, threads=threads, plugins=plugins)
            )
            record = _record(cell, threads)
            records[cell.method] = record
            try:
                cold, calls = workers.receive(connection, timeout)
            except (workers.ChildError, TimeoutError) as error:
                record.update(status="failed", error=str(error))
                continue
            record.update(cold_ms=1000 * cold, calls=calls)
            open_cells[cell.method] = (cell, connection)
        seconds: dict[str, list[float]] = {name: [] for name in open_cells}
        for turn in range(repeats):
            for number, (name, (_, connection)) in enumerate(list(open_cells.items())):
                progress(len(cells) + turn * len(cells) + number, total, name)
                try:
                    connection.send("call")
                    elapsed, peak = workers.receive(connection, timeout)
                except (workers.ChildError, TimeoutError, OSError) as error:
                    records[name].update(status="failed", error=str(error))
                    del open_cells[name]
                    continue
                seconds[name].append(elapsed)
                records[name]["peak_mb"] = peak
        for name in open_cells:
            records[name].update(_summary(seconds[name]))
    progress(total, total)
    return pd.DataFrame.from_records(list(records.values()))


def _record(cell: Cell, threads: int) -> dict[str, Any]:
    height, width = cell.item.read(cell.size).shape
    return {
        "method": cell.method,
        "parameters": cell.parameters,
        "track": cell.track,
        "key": cell.key,
        "noise": str(cell.noise),
        "image": cell.item.id,
        "size": f"{height}x{width}",
        "threads": threads,
        "status": "ok",
        "error": "",
    }


def _summary(seconds: Sequence[float]) -> Mapping[str, float]:
    milliseconds = [1000 * value for value in seconds]
    low, middle, high = statistics.quantiles(milliseconds, n=4, method="inclusive")
    return {
        "repeats": len(milliseconds),
        "median_ms": middle,
        "low_ms": low,
        "high_ms": high,
        "min_ms": min(milliseconds),
        "max_ms": max(milliseconds),
    }


def _serve_calls(connection: Connection, cell: Cell) -> None:
    """Load the method and call it once, then once per request; send home the seconds."""
    from denobench.engine import cells

    noisy = cells.noisy_image(cell)
    started = time.perf_counter()
    method = cells.load_method(cell.registered, cell.parameters, cell.weights)
    sigma = cells.told_sigma(cell, noisy)
    method.denoise(noisy.copy(), sigma)
    cold = time.perf_counter() - started
    warm = _call(method, noisy, sigma, 1)
    calls = max(1, round(_ROUND_SECONDS / max(warm, 1e-6)))
    connection.send(("ready", (cold, calls)))
    while connection.recv() == "call":
        connection.send(("time", (_call(method, noisy, sigma, calls), _peak_megabytes())))


def _call(method: Denoiser, noisy: np.ndarray, sigma: float | None, calls: int) -> float:
    """Return the seconds of one call, as the mean of several."""
    inputs = [noisy.copy() for _ in range(calls)]
    started = time.perf_counter()
    for given in inputs:
        method.denoise(given, sigma)
    return (time.perf_counter() - started) / calls


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
