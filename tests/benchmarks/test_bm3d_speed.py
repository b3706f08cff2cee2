"""How fast and how good the open BM3D is, beside its authors' package and what the machine can do.

Ratios of CPU time, measured in turns on one thread; threads by the clock.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numba
import numpy as np
import pandas as pd
import pytest
from numba import njit
from pytest_benchmark.fixture import BenchmarkFixture
from skimage import data
from skimage.color import rgb2gray

from baselines.fast_bm3d import PROFILES, denoise_bm3d
from denobench import images, methods, noise, readers
from denobench.datasets import simulated
from denobench.metrics import psnr, ssim

FIGURE = Path(__file__).parents[2] / "docs" / "fast-bm3d.png"
METHODS = {
    "bm3d": "BM3D (authors' package)",
    "fast-bm3d": "BM3D (open)",
    "fast-bm3d-fast": "BM3D (open, fast)",
    "nlm": "NLM",
}
SIGMA = 0.1


@pytest.fixture(scope="module")
def noisy() -> np.ndarray:
    """Return a noisy simulated slice, float32, (224, 224)."""
    return corrupted(100)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    numba.set_num_threads(1)


def corrupted(index: int) -> np.ndarray:
    image = simulated.read(index)[0]
    fields = noise.draw_fields((1, *image.shape), seed=0, image=str(index), realisation=0)
    return noise.corrupt(image, noise.gaussian, SIGMA, fields)


def seconds(call: Callable[..., object], *arguments: object, clock: Callable[[], float]) -> float:
    started = clock()
    call(*arguments)
    return clock() - started


def spread(values: list[float]) -> str:
    low, middle, high = np.percentile(values, [25, 50, 75])
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


@pytest.mark.parametrize("name", ["fast-bm3d", "fast-bm3d-fast"])
def test_beside_the_authors_package(
    name: str, benchmark: BenchmarkFixture, noisy: np.ndarray
) -> None:
    """How many times faster than the package, one thread each; the aims are 10 and 40."""
    package, ours = methods.build("bm3d"), methods.build(name)
    ours.denoise(noisy, SIGMA)
    ratios = []

    def turn() -> None:
        theirs = seconds(package.denoise, noisy, SIGMA, clock=time.thread_time)
        ratios.append(theirs / seconds(ours.denoise, noisy, SIGMA, clock=time.thread_time))

    benchmark.pedantic(turn, rounds=5)
    benchmark.extra_info["ratio"] = spread(ratios)
    print(f"\nbm3d / {name}: {spread(ratios)}")


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs two threads")
def test_threads(benchmark: BenchmarkFixture, noisy: np.ndarray) -> None:
    """How many times faster on two threads than on one, on a large image; the aim is 1.8."""
    large = np.tile(noisy, (3, 3))
    ratios = []

    def turn() -> None:
        took = []
        for threads in (1, 2):
            numba.set_num_threads(threads)
            took.append(seconds(denoise_bm3d, large, SIGMA, clock=time.perf_counter))
        ratios.append(took[0] / took[1])

    benchmark.pedantic(turn, rounds=5, warmup_rounds=1)
    benchmark.extra_info["ratio"] = spread(ratios)
    print(f"\none thread / two threads: {spread(ratios)}")


def test_share_of_the_machines_peak(benchmark: BenchmarkFixture, noisy: np.ndarray) -> None:
    """Operations per second as a share of the most multiply-adds that one thread can do."""
    values = np.ones(128, np.float32)
    _multiply_add(values, 1)
    rounds = 1_000_000
    shares = []

    def turn() -> None:
        took = seconds(_multiply_add, values, rounds, clock=time.thread_time)
        peak = 2 * len(values) * rounds / took
        took = seconds(denoise_bm3d, noisy, SIGMA, clock=time.thread_time)
        shares.append(operations(noisy.shape[0]) / took / peak)

    benchmark.pedantic(turn, rounds=7, warmup_rounds=1)
    benchmark.extra_info["share"] = spread(shares)
    print(f"\n{operations(noisy.shape[0]) / 1e9:.3g} G operations, share of peak: {spread(shares)}")


@njit(fastmath=True, nogil=True)
def _multiply_add(values: np.ndarray, rounds: int) -> None:
    for _ in range(rounds):
        for lane in range(128):
            values[lane] = values[lane] * np.float32(0.999) + np.float32(0.001)


def operations(side: int) -> float:
    """Return the floating-point operations of the profile ``normal`` on a square image.

    Additions, multiplications and divisions of full groups; halos of tiles are left out.
    """
    total = 0.0
    for stage, spectra in zip(PROFILES["normal"], (1, 2), strict=True):
        references = ((side - 8) / stage.step + 1) ** 2
        offsets = (2 * stage.radius + 1) ** 2
        # Per reference and offset: squares of step^2 pixels, 7 sums down each of step columns, 7
        # sums across.
        matching = references * offsets * (2 * stage.step**2 + 7 * stage.step + 7)
        # Per block: 8 multiply-adds down and 8 across for each of 64 coefficients, each way.
        transforms = (side - 7) ** 2 * 64 * 2 * 16 * (spectra + 1)
        # Per coefficient: butterflies of 3 operations over 2 (blocks - 1) / blocks values each way,
        # shrinkage, and the weighted sum.
        haar = 3 * (spectra + 1)
        filtering = references * stage.blocks * 64 * (haar + 3 * spectra + 2)
        total += matching + transforms + filtering
    return total


def test_first_call(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """CPU seconds of a first call, compiled and then read from the cache."""
    code = (
        "import os, numpy as np; from baselines.fast_bm3d import denoise_bm3d;"
        "denoise_bm3d(np.ones((32, 32)), 0.1); print(sum(os.times()[:2]))"
    )
    told = []

    def turn() -> None:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        )
        told.append(float(done.stdout))

    benchmark.pedantic(turn, rounds=3)
    benchmark.extra_info["seconds"] = f"{told[0]:.3g}, then {told[-1]:.3g}"
    print(f"\nfirst call: {told[0]:.3g} s, then {told[-1]:.3g} s")


def pictures(real: Path) -> dict[str, np.ndarray]:
    """Return the images of the documented table by name, float32."""
    found = {}
    files = sorted(path for path in real.rglob("*") if path.is_file())
    for k in range(6):
        path = files[int((k + 0.5) * len(files) / 6)]
        found[f"real-{k}"] = images.resize(readers.image(path), 224)
        index = int((k + 0.5) * simulated.COUNT / 6)
        found[f"sim-{k}"] = simulated.read(index)[0]
    for name in ("camera", "coins", "moon", "astronaut"):
        photograph = getattr(data, name)()
        grey = rgb2gray(photograph) if photograph.ndim == 3 else photograph / 255.0
        found[f"photo-{name}"] = images.resize(grey.astype(np.float32), 256)
    return found


def test_table_of_differences(benchmark: BenchmarkFixture, real_images: Path) -> None:
    """Print docs/fast-bm3d.md's table: PSNR and SSIM less the package's, means and least."""
    ours = ("fast-bm3d", "fast-bm3d-fast")
    rows = []

    def turn() -> None:
        for name, image in pictures(real_images).items():
            fields = noise.draw_fields((1, *image.shape), seed=0, image=name, realisation=0)
            for level in (0.03, 0.05, 0.1, 0.2, 0.3):
                noisy = noise.corrupt(image, noise.gaussian, level, fields)
                scores = {
                    method: np.array([metric(image, answer) for metric in (psnr, ssim)])
                    for method in ("bm3d", *ours)
                    for answer in [np.clip(methods.build(method).denoise(noisy, level), 0, 1)]
                }
                for method in ours:
                    rows.append((method, name, level, *(scores[method] - scores["bm3d"])))

    benchmark.pedantic(turn, rounds=1)
    frame = pd.DataFrame(rows, columns=["method", "set", "level", "psnr", "ssim"])
    frame["set"] = frame["set"].str.partition("-")[0]
    print(frame.groupby(["method", "set", "level"]).agg(["mean", "min"]).round(4).to_string())


def test_quality_against_time(benchmark: BenchmarkFixture) -> None:
    """Draw docs/fast-bm3d.png: PSNR on simulated slices against time in NLM's."""
    indices = range(10, simulated.COUNT, 50)
    scores = {name: [] for name in METHODS}
    times = {name: [] for name in METHODS}

    def turn() -> None:
        for index in indices:
            image, noisy = simulated.read(index)[0], corrupted(index)
            for name in METHODS:
                started = time.thread_time()
                answer = methods.build(name).denoise(noisy, SIGMA)
                times[name].append(time.thread_time() - started)
                scores[name].append(psnr(image, np.clip(answer, 0, 1)))

    for name in METHODS:
        methods.build(name).denoise(corrupted(0)[:64, :64], SIGMA)
    benchmark.pedantic(turn, rounds=1)
    unit = np.median(times["nlm"])
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, title in METHODS.items():
        ratio, mean = np.median(times[name]) / unit, np.mean(scores[name])
        axes.plot(ratio, mean, "o")
        axes.annotate(
            title,
            (ratio, mean),
            xytext=(0, -16 if name == "fast-bm3d-fast" else 8),
            textcoords="offset points",
            ha="right" if name == "bm3d" else "center",
        )
        print(f"\n{name}: {mean:.2f} dB, {ratio:.3g} times NLM's time")
    axes.set(xscale="log", xlabel="CPU time, NLM = 1", ylabel="PSNR in dB")
    axes.set_title(f"{len(indices)} simulated slices, 224 x 224, Gaussian noise {SIGMA}")
    axes.margins(0.3, 0.2)
    axes.grid(alpha=0.3)
    figure.savefig(FIGURE, dpi=120)
