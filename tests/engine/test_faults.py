"""A run killed at any moment, on a full disk, or interrupted ends as if nothing had happened.

Runs mostly wait: what is killed, what is interrupted and what is left alone run side by side.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import psutil
import pytest
from fitted import GAIN
from starting import Started

from denobench.engine.coordinator import Outcome
from denobench.errors import DenobenchError
from denobench.rows import RunFolder

Compare = Callable[..., Outcome]
Running = Started | subprocess.Popen
Start = Callable[..., Running]

# Each kill of the long run: one at each kind of moment, further ones at uniformly random times.
MOMENTS = ["Training gain", "commit", "Cells", "Tuning", "Timing", "report"]
KILLS = int(os.environ.get("DENOBENCH_KILLS", "3"))
SEED = int(os.environ.get("DENOBENCH_SEED", "0"))
LONG = 20.0  # seconds, about, of an undisturbed run
VICTIMS = ("both", "worker", "coordinator")

PLUGIN = """
@denoiser("slow", tracks=("blind",))
def slow(noisy, sigma):
    time.sleep(0.03)
    return 0.9 * noisy

@denoiser("fails", tracks=("blind",))
def fails(noisy, sigma):
    if int(abs(noisy[0, 0]) * 1e6) % 4 == 0:
        raise ValueError("not this one")
    return noisy.copy()

class Learnt(Gain):
    info = Info("gain", "Gain", tracks=("blind",))

    def fit(self, training, *, folder, progress):
        kept = folder / "epochs.json"
        gains = json.loads(kept.read_text()) if kept.is_file() else []
        image = training.train[0].read(training.size)
        for epoch in range(len(gains), 10):
            time.sleep(0.1)
            gains.append(1 - float(image.mean()) / (epoch + 2))
            part = folder / "part"
            part.write_text(json.dumps(gains))
            part.replace(kept)
            progress(epoch + 1, 10)
        self.gain = gains[-1]
        epochs = range(1, 11)
        return pd.DataFrame({"epoch": epochs, "kept": [e == 10 for e in epochs], "seconds": 0.1})
"""


def words(image_folder: Path, plugin: Path, out: Path) -> list[str | Path]:
    return [
        *("run", "--data", image_folder),
        *("--plugin", plugin, "--methods", "tv,slow,fails,gain", "--out", out),
        *("--noise", "gaussian:0.1,gaussian:0.2", "--set", "size=32", "--set", "split=paper"),
        *("--set", "workers=2", "--set", "timing.repeats=3", "--limit", "2"),
        *("--set", "realisations=4", "--set", "tuning.trials=5", "--set", "gallery=0"),
    ]


@pytest.fixture(scope="module")
def start(image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Return a function that starts the run in a folder, with a cache of its own beside it.

    In a fresh Python, where its end is looked at as well.
    """
    plugin = tmp_path_factory.mktemp("plugin") / "plugin.py"
    plugin.write_text(GAIN + PLUGIN)
    started: list[Running] = []

    def begin(out: Path, fresh: bool = False) -> Running:
        given = words(image_folder, plugin, out)
        cache = {"DENOBENCH_CACHE": str(out.with_suffix(".cache"))}
        environment = {**os.environ, **cache, "TERM": "dumb"}
        if fresh:
            python, quiet = [sys.executable, "-m", "denobench"], subprocess.DEVNULL
            running: Running = subprocess.Popen(
                [*python, *given], env=environment, stdout=quiet, stderr=quiet, process_group=0
            )
        else:
            running = Started("denobench", given, environment)
        started.append(running)
        return running

    yield begin
    for running in started:
        running.kill()
        running.wait()


@pytest.fixture(scope="module")
def runs(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future]]:
    """Return the folders of a run that is left alone, one that is killed, one interrupted."""
    folder = tmp_path_factory.mktemp("runs")
    with ThreadPoolExecutor(3) as pool:
        yield {
            each.__name__: pool.submit(each, start, folder / each.__name__)
            for each in (calm, killed, interrupted)
        }


def calm(start: Start, out: Path) -> Path:
    """Return the folder of an undisturbed run."""
    assert start(out).wait() == 1  # "fails" does
    return out


def wait_for(moment: str | float, out: Path, running: Running, rng: random.Random) -> None:
    """Return when a run is at a moment, or has ended."""
    began = time.monotonic()
    while running.poll() is None:
        if isinstance(moment, float):
            if time.monotonic() - began > moment:
                return
        elif moment == "commit":
            if (out / "rows.sqlite-journal").exists():
                return
        else:
            now = progress(out)
            finished = now.get("state") == "finished"
            if now.get("pid") == running.pid and (
                finished if moment == "report" else now["stage"] == moment
            ):
                time.sleep(rng.uniform(0, 0.3))
                return
        time.sleep(0.001 if moment == "commit" else 0.02)  # a commit is a moment, the others last


def progress(out: Path) -> dict:
    try:
        return json.loads((out / "progress.json").read_text())
    except FileNotFoundError:
        return {}


def kept(out: Path) -> pd.DataFrame:
    columns = ["key", "method", "status", "error", "psnr", "ssim", "nrmse", "field_digest"]
    return RunFolder(out).frame()[columns].sort_values("key", ignore_index=True)


def assert_same(out: Path, calm: Path) -> None:
    """Hold a run that was disturbed against one that was not."""
    pd.testing.assert_frame_equal(kept(out), kept(calm), check_exact=True)
    assert not kept(out)["key"].duplicated().any()
    assert set(kept(out)["status"]) == {"ok", "failed"}
    assert {path.name for path in (out / "tables").iterdir()} == {
        path.name for path in (calm / "tables").iterdir()
    }
    assert (out / "report.html").is_file()
    assert (out / "tuning.csv").read_bytes() == (calm / "tuning.csv").read_bytes()
    timing = RunFolder(out).table("timing").set_index("method")["status"]
    assert timing.drop("fails").eq("ok").all()


def kill(victim: str, running: Running, rng: random.Random) -> None:
    """Kill a run's coordinator, one of its workers, or both; a coordinator takes all with it."""
    try:
        below = psutil.Process(running.pid).children(recursive=True)
    except psutil.Error:
        return
    if victim != "coordinator" and below:
        os.kill(rng.choice(below).pid, signal.SIGKILL)
    if victim != "worker" or not below:
        running.kill()
        running.wait()
        _, alive = psutil.wait_procs(below, timeout=60)
        assert not alive


def killed(start: Start, out: Path) -> Path:
    """Return the folder of a run that was killed again and again, and then finished."""
    rng = random.Random(SEED)
    running = start(out)
    moments = [*MOMENTS, *(rng.uniform(0, LONG) for _ in range(KILLS))][:KILLS]
    for number, moment in enumerate(moments):
        if running.poll() is not None:
            running = start(out)
        wait_for(moment, out, running, rng)
        kill(VICTIMS[number % 3], running, rng)
    running.wait()
    return calm(start, out)


def interrupted(start: Start, out: Path) -> Path:
    """Return the folder of a run that was interrupted in every stage, and then finished."""
    rng = random.Random(SEED)
    for stage in ("Training gain", "Tuning", "Cells", "Timing", "report"):
        running = start(out, fresh=stage == "Timing")
        wait_for(stage, out, running, rng)
        below = psutil.Process(running.pid).children(recursive=True)
        assert below or stage == "report"
        running.send_signal(signal.SIGINT)
        _, alive = psutil.wait_procs(below, timeout=60)
        assert not alive, stage
        if stage in ("Cells", "Timing"):  # a report would be written: not if one insists
            time.sleep(rng.uniform(0, 0.3))
            running.send_signal(signal.SIGINT)
        assert running.wait() == 130, stage
        assert progress(out)["state"] == ("finished" if stage == "report" else "interrupted")
    return calm(start, out)


@pytest.mark.slow
def test_killed_run_ends_as_an_undisturbed_one(runs: dict[str, Future]) -> None:
    """SIGKILL of coordinator, worker or both at any moment: same rows, no process left behind."""
    assert_same(runs["killed"].result(), runs["calm"].result())


@pytest.mark.slow
def test_interrupted_run_ends_as_an_undisturbed_one(runs: dict[str, Future]) -> None:
    """Ctrl-C in any stage, or twice, ends all workers and gives 130, and the next run goes on."""
    assert_same(runs["interrupted"].result(), runs["calm"].result())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of two MB, or skip."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root on Linux")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=False)
    if mounted.returncode:
        pytest.skip("this container may not mount file systems")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.parametrize("room", [0, 60_000, 100_000])
def test_full_disk_is_named_and_the_run_goes_on(
    compare: Compare, small_disk: Path, room: int
) -> None:
    """A full disk is one error that says so; with room again, the run finishes."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2 * 2**20 - room))
    settings = {"methods": ["identity", "median", "gaussian-filter"], "realisations": 8, "limit": 4}
    with pytest.raises(DenobenchError, match="no room is left on the disk"):
        compare(small_disk / "run", **settings)
    ballast.unlink()
    frame = compare(small_disk / "run", **settings).folder.frame()
    assert len(frame) == 96
    assert set(frame["status"]) == {"ok"}
