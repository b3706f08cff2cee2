"""What stands beside a runtime: spread, cores, processor, versions, and a noisy machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from denobench.engine.coordinator import Outcome
from denobench.engine.stages import stopwatch
from denobench.engine.workers.machine import cores, cpu_model
from denobench.runtimes import machine_noise

Compare = Callable[..., Outcome]

THREADS = """
import os, threading, time
import numpy as np
from denobench import denoiser

time.sleep(0.3)  # as a heavy import would

@denoiser("single", packages=("scipy",))
def single(noisy, sigma):
    return noisy.copy()

@denoiser("parallel")
def parallel(noisy, sigma):
    big = np.full(2_000_000, 0.5)
    count = int(os.environ["OMP_NUM_THREADS"])
    each = [threading.Thread(target=lambda: np.exp(big)) for _ in range(count - 1)]
    for thread in each:
        thread.start()
    np.exp(big)
    for thread in each:
        thread.join()
    return noisy.copy()
"""


def test_all_cores_are_a_second_column(compare: Compare, tmp_path: Path) -> None:
    """A method that uses several cores has a second median; cpu and versions stand beside."""
    plugin = tmp_path / "threads.py"
    plugin.write_text(THREADS)
    settings = {"plugins": [plugin], "methods": ["single", "parallel"], "limit": 1}
    outcome = compare(tmp_path / "run", timing={"repeats": 3}, **settings)
    table = outcome.folder.table("timing").set_index("method")
    assert set(table["status"]) == {"ok"}
    assert set(table["cpu"]) == {cpu_model()}
    assert (table["cold_ms"] > 300).all()  # the plugin's import is part of the cold start
    assert f"scipy {version('scipy')}" in table.loc["single", "versions"]
    if cores() > 1:
        assert table.loc["parallel", "all_cores_median_ms"] > 0
        assert np.isnan(table.loc["single", "all_cores_median_ms"])


@pytest.mark.parametrize("content", ["", "method,status\n", "half a li"])
def test_a_damaged_table_is_measured_again(compare: Compare, content: str) -> None:
    """A timing.csv that was left in part, or lacks columns, is written again by the next run."""
    settings = {"methods": ["identity"], "limit": 1, "timing": {"repeats": 1}}
    folder = compare(**settings).folder
    (folder.path / "timing.csv").write_text(content)
    assert compare(**settings).folder.table("timing")["median_ms"].notna().all()


def test_threads_that_look_for_work_are_waited_for() -> None:
    """A library's new threads spin for a while before they sleep: that is not the method's work."""
    ends = time.perf_counter() + 0.3

    def spin() -> None:
        while time.perf_counter() < ends:
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    stopwatch._rest()
    assert not thread.is_alive()


def test_noisy_machine_is_called_out() -> None:
    """Quartiles far apart are said in words, close ones are not, and no timing is no noise."""
    quiet = pd.DataFrame(
        {"low_ms": [9.9, 99.0], "median_ms": [10.0, 100.0], "high_ms": [10.2, 101.0]}
    )
    assert machine_noise(quiet) == ""
    assert "30%" in machine_noise(quiet.assign(high_ms=quiet["low_ms"] + 0.3 * quiet["median_ms"]))
    assert machine_noise(pd.DataFrame({"status": ["failed"]})) == ""
