"""What the engine costs beside a bare loop, and how its cost grows."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture

from denobench import config, images, methods, metrics, noise
from denobench.config import Config
from denobench.engine.coordinator import carry_out
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import make_plan
from denobench.engine.workers.machine import cores
from denobench.progress import Silent

# What a bare loop should begin with.
SLOWEST = ("bm3d", "nlm")

# Carries out a comparison twice; prints both times, and the peaks of itself and of its workers.
GROWTH = """
import json, sys, threading, time
from pathlib import Path
import psutil
from denobench import config
from denobench.progress import Silent
from denobench.engine.coordinator import carry_out

def peak(process):
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

def watch():
    while not ended.wait(0.02):
        for child in psutil.Process().children():
            try:
                peaks[child.pid] = peak(child.pid)
            except (OSError, IndexError):  # it has ended
                pass

settings, out = json.loads(sys.argv[1]), Path(sys.argv[2])
loaded = config.parse(settings, "benchmark")
times, peaks, ended = [], {}, threading.Event()
watcher = threading.Thread(target=watch)
watcher.start()
for _ in range(2):
    started = time.perf_counter()
    carry_out(loaded, out, Silent())
    times.append(time.perf_counter() - started)
ended.set()
watcher.join()
print(json.dumps([*times, peak("self"), max(peaks.values())]))
"""


def parse(**settings: Any) -> Config:
    changed = {"split": "none", "timing": {"repeats": 0}, "gallery": 0, **settings}
    return config.parse(changed, "benchmark")


@cache
def built(name: str) -> methods.Denoiser:
    return methods.build(name)


def bare(cell: Cell) -> dict[str, float]:
    """Read, corrupt, denoise and score one cell, with nothing around it."""
    clean = cell.item.read(cell.size)
    model = noise.REGISTRY.load(cell.noise.model)
    fields = noise.draw_fields(
        (model.fields, *clean.shape), seed=cell.seed, image=cell.item.digest, realisation=0
    )
    noisy = noise.corrupt(clean, model, cell.noise.level, fields)
    level = cell.noise.level if cell.track == "oracle" else None
    denoised = np.clip(built(cell.registered).denoise(noisy, level), 0, 1).astype(np.float64)
    chosen = [metrics.REGISTRY.load(name) for name in cell.metrics]
    mask, tumour = images.foreground(clean), cell.item.mask(cell.size)
    return metrics.score(chosen, clean, denoised, mask, noisy=noisy, tumour=tumour)


def one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)


def seconds_of_bare_loop(loaded: Config) -> float:
    started = time.perf_counter()
    cells = make_plan(loaded).cells({})
    cells.sort(key=lambda cell: cell.method not in SLOWEST)
    with multiprocessing.get_context("spawn").Pool(cores(), one_thread) as pool:
        for _ in pool.imap_unordered(bare, cells):
            pass
    return time.perf_counter() - started


def seconds_of_engine(loaded: Config, out: Path) -> float:
    started = time.perf_counter()
    carry_out(loaded, out, Silent())
    return time.perf_counter() - started


def test_classical_methods_beside_a_bare_loop(
    benchmark: BenchmarkFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ratio of the engine's time to a bare loop's over quick.yaml's methods; aim: 1.03."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    quick = config.load("quick", {"timing": {"repeats": 0}})
    classical = {name: entry for name, entry in quick.methods.items() if name != "cdae"}
    loaded = quick.model_copy(update={"methods": classical})
    seconds_of_bare_loop(loaded.model_copy(update={"limit": 1}))  # compiles what is compiled once
    ratios: list[float] = []

    def turn() -> None:
        alone = seconds_of_bare_loop(loaded)
        ratios.append(seconds_of_engine(loaded, tmp_path / str(len(ratios))) / alone)

    benchmark.pedantic(turn, rounds=3)
    benchmark.extra_info["ratio"] = f"{np.median(ratios):.3f}"
    print(f"\nengine / bare loop: {np.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def test_finished_run_again(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Seconds of ``denobench run quick`` as a whole process when all is done; aim: 2."""
    words = [
        *(sys.executable, "-m", "denobench", "run", "quick", "--out", str(tmp_path / "run")),
        *("--limit", "3", "--set", "timing.repeats=1"),
    ]

    def turn() -> float:
        started = time.perf_counter()
        subprocess.run(words, capture_output=True, check=True)
        return time.perf_counter() - started

    first = turn()
    again: list[float] = []
    benchmark.pedantic(lambda: again.append(turn()), rounds=5)
    print(f"\nfirst {first:.1f} s, again {np.median(again):.2f} s, ratio {first / min(again):.0f}")


def small_images(folder: Path, count: int) -> Path:
    """Write so many small images, and return their folder."""
    folder.mkdir()
    generator = np.random.default_rng(count)
    for number in range(count):
        pixels = generator.integers(0, 256, (32, 32), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:04d}.png")
    return folder


def test_doing_nothing_beside_a_bare_loop(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Milliseconds that the engine adds to a cell whose method does nothing; aim: 10."""
    data = small_images(tmp_path / "images", 500)
    loaded = parse(data=data, size=32, noise=["gaussian:0.1"], methods=["identity"])
    make_plan(loaded)  # finds near-duplicates, once
    added: list[float] = []

    def turn() -> None:
        alone = seconds_of_bare_loop(loaded)
        own = seconds_of_engine(loaded, tmp_path / str(len(added)))
        added.append(1000 * (own - alone) / 500)

    benchmark.pedantic(turn, rounds=3)
    print(f"\nadded per cell: {np.median(added):.2f} ms ({min(added):.2f} to {max(added):.2f})")


def test_growth_with_the_number_of_images(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """3,000 images beside 300: time (aim: 10 times) and peak memory (aim: within 10 %)."""
    measured: list[list[float]] = []

    def turn() -> None:
        for count in (300, 3000):
            data = small_images(tmp_path / f"images-{count}", count)
            settings = parse(
                data=data, size=128, noise=["gaussian:0.1"], methods=["tv", "nlm"]
            ).model_dump(mode="json")
            words = [sys.executable, "-c", GROWTH, json.dumps(settings), tmp_path / str(count)]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            measured.append(json.loads(done.stdout))

    benchmark.pedantic(turn, rounds=1)
    few, many = measured
    names = ("first run", "finished run again", "coordinator's peak", "workers' peak")
    for name, small, large in zip(names, few, many, strict=True):
        print(f"\n{name}: {small:.2f} and {large:.2f}, ratio {large / small:.2f}")
