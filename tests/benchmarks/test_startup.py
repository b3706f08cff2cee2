"""How long the program takes to start, beside the least that a Typer app can take."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

EMPTY = "import typer; app = typer.Typer(); app.command()(lambda: None); app(['--help'])"
ROUNDS = 15


def seconds(*words: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *words], capture_output=True, check=True)
    return time.perf_counter() - started


def test_help_beside_an_empty_typer_app(benchmark: BenchmarkFixture) -> None:
    """Ratio of ``denobench --help`` to an empty Typer app's, in turns; the aim is at most 3."""
    ratios = []

    def turn() -> None:
        empty = seconds("-c", EMPTY)
        ratios.append(seconds("-m", "denobench", "--help") / empty)

    benchmark.pedantic(turn, rounds=ROUNDS, warmup_rounds=1)
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    benchmark.extra_info["ratio"] = f"{middle:.2f} ({low:.2f} to {high:.2f})"
    print(f"\ndenobench --help / empty Typer app: {middle:.2f} ({low:.2f} to {high:.2f})")
