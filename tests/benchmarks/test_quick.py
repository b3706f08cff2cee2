"""How long the default comparison takes, beside a bare script on the same images and levels."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from denobench import config, models
from denobench.engine.planning.plan import make_plan

ROUNDS = 3
SCRIPT = Path(__file__).with_name("bare_quick.py")


def seconds(*words: str | Path) -> tuple[float, float]:
    """Return the seconds by the clock and of the processor that a program takes, with all below."""

    def processor() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    wall, cpu = time.perf_counter(), processor()
    subprocess.run([sys.executable, *map(str, words)], capture_output=True, check=True)
    return time.perf_counter() - wall, processor() - cpu


@pytest.mark.parametrize("package", [True, False], ids=["with BM3D", "without BM3D"])
def test_quick_beside_a_bare_script(
    package: bool, benchmark: BenchmarkFixture, tmp_path: Path
) -> None:
    """Ratio of ``denobench run quick`` to the script, in turns; aims: 1.25, and 30 s without BM3D.

    The script has ten of the thirteen methods, two scores and two plots. By the processor's time
    other programs count for less, but the script's idle cores do not count either.
    """
    loaded = config.load("quick")
    images = tmp_path / "images.npy"
    np.save(images, np.stack([item.read(224) for item in make_plan(loaded).test]))
    shipped = (each for each in models.models() if each.shipped)
    weights = next(each.weights for each in shipped if each.record.method == "cdae")
    script = [SCRIPT, images, weights, tmp_path / "plots"]
    run = ["-m", "denobench", "run", "quick", "--out"]
    if not package:
        script.append("--without-bm3d")
        run = [*run[:-1], "--methods", ",".join(n for n in loaded.methods if n != "bm3d"), "--out"]
    measured: list[list[tuple[float, float]]] = []

    def turn() -> None:
        out = tmp_path / f"run-{len(measured)}"
        measured.append([seconds(*script), seconds(*run, out)])

    benchmark.pedantic(turn, rounds=ROUNDS)
    found = np.array(measured)  # round, program, clock
    for number, clock in enumerate(("the clock", "the processor")):
        bare, ours = found[:, 0, number], found[:, 1, number]
        ratios = ours / bare
        print(
            f"\nby {clock}: script {np.median(bare):.1f} s ({bare.min():.1f} to {bare.max():.1f}), "
            f"quick {np.median(ours):.1f} s ({ours.min():.1f} to {ours.max():.1f}), "
            f"ratio {np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
        )
