"""How long a method takes: measured apart from everything else.

A fresh process per method, threads pinned, a warm-up, then rounds in which the methods take turns,
so that a change in the machine's speed meets all of them alike.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from denobench import methods
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.sources import installed_version
from denobench.engine.workers.cells import noisy_image, told_sigma
from denobench.engine.workers.child import Child, ChildDiedError, ChildError
from denobench.engine.workers.machine import cores, cpu_model
from denobench.methods import Denoiser
from denobench.progress import Progress
from denobench.registry import load_plugins

# Short calls are repeated within a round until they fill this many seconds.
_ROUND_SECONDS = 0.02
_REPEATS_ON_ALL_CORES = 3
_PARALLEL = 1.2  # times the cores' share that one thread gets: then a method uses several


def measure(
    cells: Sequence[Cell],
    *,
    repeats: int,
    threads: int,
    timeout: float,
    log: Path,
    progress: Progress,
    lost: Mapping[str, tuple[str, str]] | None = None,
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
    records = {cell.method: _record(cell, threads) for cell in cells}
    for name, (status, error) in (lost or {}).items():
        records[name] |= {"status": status, "error": error}
    cells = [cell for cell in cells if records[cell.method]["status"] == "ok"]
    everything = cores()
    again = min(repeats, _REPEATS_ON_ALL_CORES) if everything > threads else 0
    total = len(cells) * (repeats + 1 + (again + 1 if again else 0))
    told: dict[str, tuple[np.ndarray, float | None]] = {}
    for cell in cells:
        noisy = noisy_image(cell)
        told[cell.method] = noisy, told_sigma(cell, noisy)
    settings: dict[str, Any] = {"told": told, "log": log, "timeout": timeout}
    passed = 0

    def step(text: str) -> None:
        nonlocal passed
        progress(passed, total, text)
        passed += 1

    for name, found in _take_turns(cells, repeats, threads, step, **settings).items():
        records[name].update(found)
    good = [cell for cell in cells if records[cell.method]["status"] == "ok"]
    if again:
        for name, found in _take_turns(good, again, everything, step, **settings).items():
            if found.get("parallelism", 0.0) > _PARALLEL * records[name]["parallelism"]:
                names = ("median_ms", "low_ms", "high_ms")
                records[name].update({f"all_cores_{column}": found[column] for column in names})
    progress(total, total)
    return pd.DataFrame.from_records(list(records.values()))


def _take_turns(
    cells: Sequence[Cell],
    repeats: int,
    threads: int,
    step: Callable[[str], None],
    *,
    told: Mapping[str, tuple[np.ndarray, float | None]],
    log: Path,
    timeout: float,
) -> dict[str, dict[str, Any]]:
    """Return what was measured of each method, or the status and reason of its failure."""
    records: dict[str, dict[str, Any]] = {cell.method: {} for cell in cells}
    with ExitStack() as stack:
        # All processes start together; after that one works at a time.
        children = {
            cell.method: stack.enter_context(
                Child(
                    _serve_calls,
                    cell.registered,
                    cell.parameters,
                    cell.weights,
                    *told[cell.method],
                    _own_plugin(cell),
                    threads=threads,
                    plugins=(),  # registered when the clock runs: their import is a cold start's
                    log=log,
                )
            )
            for cell in cells
        }

        def ask(name: str, question: str | None) -> Any:
            """Return a child's answer; one that fails is left out of further rounds."""
            try:
                if question:
                    children[name].connection.send(question)
                return children[name].receive(timeout)
            except (ChildError, TimeoutError, OSError) as error:
                records[name] = {"status": _status(error), "error": str(error)}
                children.pop(name).kill()
                return None

        for name in list(children):
            ask(name, None)
        for name in list(children):
            step(f"{name}, cold start")
            if answer := ask(name, "start"):
                records[name].update(cold_ms=1000 * answer[0], calls=answer[1])
        seconds: dict[str, list[float]] = {name: [] for name in children}
        for _ in range(repeats):
            for name in list(children):
                step(name)
                if answer := ask(name, "call"):
                    seconds[name].append(answer[0])
                    # The most of all rounds: other programs can only make it less.
                    cores_used = max(records[name].get("parallelism", 0.0), answer[1] / answer[0])
                    records[name].update(parallelism=cores_used, peak_mb=answer[2])
        for name in children:
            records[name].update(_summary(seconds[name]))
    return records


def _status(error: Exception) -> str:
    """Return what a row says of a method that gave no answer."""
    if isinstance(error, TimeoutError):
        return "timeout"
    return "crashed" if isinstance(error, ChildDiedError | OSError) else "failed"


def _record(cell: Cell, threads: int) -> dict[str, Any]:
    height, width = cell.item.read(cell.size).shape
    packages = ("numpy", *sorted({*methods.load(cell.registered).info.packages} - {"numpy"}))
    return {
        "method": cell.method,
        "parameters": cell.parameters,
        "track": cell.track,
        "key": cell.key,
        "noise": str(cell.noise),
        "image": cell.item.id,
        "size": f"{height}x{width}",
        "threads": threads,
        "cpu": cpu_model(),
        "versions": ", ".join(f"{name} {installed_version(name)}" for name in packages),
        "status": "ok",
        "error": "",
    }


def _summary(seconds: Sequence[float]) -> Mapping[str, float]:
    milliseconds = [1000 * value for value in seconds]
    low, middle, high = np.percentile(milliseconds, [25, 50, 75])
    return {
        "repeats": len(milliseconds),
        "median_ms": middle,
        "low_ms": low,
        "high_ms": high,
        "min_ms": min(milliseconds),
        "max_ms": max(milliseconds),
    }


def _own_plugin(cell: Cell) -> tuple[Path, ...]:
    """Return the plugin file that a method comes from, or nothing."""
    plugin = methods.origin(cell.registered).plugin
    return (plugin,) if plugin else ()


def _serve_calls(
    connection: Connection,
    registered: str,
    parameters: str,
    weights: Path | None,
    noisy: np.ndarray,
    sigma: float | None,
    plugins: Sequence[Path],
) -> None:
    """Load the method and call it once, then once per request; send home the seconds."""
    from denobench.engine.workers.cells import load_method

    connection.send(("ready", None))
    if connection.recv() != "start":
        return
    started = time.perf_counter()
    with load_plugins(plugins):
        method = load_method(registered, parameters, weights)
        method.denoise(noisy.copy(), sigma)
        cold = time.perf_counter() - started
        calls = _calibrate(method, noisy, sigma)
        connection.send(("time", (cold, calls)))
        while connection.recv() == "call":
            seconds, cpu_seconds = _call(method, noisy, sigma, calls)
            connection.send(("time", (seconds, cpu_seconds, _peak_megabytes())))


def _calibrate(method: Denoiser, noisy: np.ndarray, sigma: float | None) -> int:
    """Warm up, and return how many calls fill a round."""
    calls = 1
    while True:
        spent = calls * _call(method, noisy, sigma, calls)[0]
        if spent >= _ROUND_SECONDS:
            return calls
        calls = max(2 * calls, round(calls * _ROUND_SECONDS / max(spent, 1e-6)))


def _call(
    method: Denoiser, noisy: np.ndarray, sigma: float | None, calls: int
) -> tuple[float, float]:
    """Return the wall and processor seconds of one call, as the mean of several."""
    given = noisy.copy()
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        method.denoise(given, sigma)
    wall = time.perf_counter() - started
    return wall / calls, (time.process_time() - cpu) / calls


def _peak_megabytes() -> float:
    """Return this process's peak resident memory."""
    try:
        # Unlike getrusage's, this peak does not include the parent's from before this started.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 2**10
    except (OSError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)
