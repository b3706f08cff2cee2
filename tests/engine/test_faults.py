"""A run killed at any moment, on a full disk, or interrupted ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest
from fitted import GAIN

from denobench.engine.coordinator import Outcome
from denobench.errors import DenobenchError
from denobench.rows import RunFolder

Compare = Callable[..., Outcome]

# Every kill of the long run: one at each kind of moment, the others at uniformly random times.
MOMENTS = ["commit", "Tuning", "Training gain", "report", "Cells", "Timing"]
KILLS = int(os.environ.get("DENOBENCH_KILLS", "3"))

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


def words(image_folder: Path, plugin: Path, out: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "denobench", "run", "--data", str(image_folder)),
        *("--plugin", str(plugin), "--methods", "identity,tv,slow,fails,gain", "--out", str(out)),
        *("--noise", "gaussian:0.1,gaussian:0.2", "--set", "size=32", "--set", "split=paper"),
        *("--set", "workers=2", "--set", "timing.repeats=3", "--limit", "2"),
        *("--set", "realisations=4", "--set", "tuning.trials=5"),
    ]


@pytest.fixture
def start(image_folder: Path, tmp_path: Path) -> Iterator[Callable[[Path], subprocess.Popen]]:
    """Return a function that starts the run in a folder, with a cache of its own beside it."""
    plugin = tmp_path / "plugin.py"
    plugin.write_text(GAIN + PLUGIN)
    started = []

    def begin(out: Path) -> subprocess.Popen:
        cache = {"DENOBENCH_CACHE": str(out.with_suffix(".cache"))}
        running = subprocess.Popen(
            words(image_folder, plugin, out),
            env={**os.environ, **cache, "TERM": "dumb"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        started.append(running)
        return running

    yield begin
    for running in started:
        running.kill()
        running.wait()


def wait_for(moment: str | float, out: Path, running: subprocess.Popen) -> None:
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
                time.sleep(random.uniform(0, 0.3))
                return
        time.sleep(0.001)


def progress(out: Path) -> dict:
    try:
        return json.loads((out / "progress.json").read_text())
    except FileNotFoundError:
        return {}


def kept(out: Path) -> pd.DataFrame:
    columns = ["key", "method", "status", "error", "psnr", "ssim", "nrmse", "field_digest"]
    return RunFolder(out).frame()[columns].sort_values("key", ignore_index=True)


def test_killed_run_ends_as_an_undisturbed_one(
    start: Callable[[Path], subprocess.Popen], tmp_path: Path
) -> None:
    """SIGKILL of coordinator, worker or both at any moment: same rows, no process left behind."""
    out, calm = tmp_path / "killed", tmp_path / "calm"
    began = time.monotonic()
    assert start(calm).wait() == 1  # "fails" does
    duration = time.monotonic() - began
    seed = int(os.environ.get("DENOBENCH_SEED", "0"))
    random.seed(seed)
    moments = [*MOMENTS, *(random.uniform(0, duration) for _ in range(KILLS))][:KILLS]
    running = start(out)
    for number, moment in enumerate(moments):
        if running.poll() is not None:
            running = start(out)
        wait_for(moment, out, running)
        try:
            below = psutil.Process(running.pid).children(recursive=True)
        except psutil.Error:
            continue
        victim = ("both", "worker", "coordinator")[number % 3]
        if victim != "coordinator" and below:
            os.kill(random.choice(below).pid, signal.SIGKILL)
        if victim != "worker" or not below:
            running.kill()
            running.wait()
            _, alive = psutil.wait_procs(below, timeout=20)
            assert not alive, (moment, victim)
    running.wait()
    assert start(out).wait() == 1
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


@pytest.mark.parametrize("stage", ["Training gain", "Tuning", "Cells", "Timing"])
def test_interrupt_stops_the_workers(
    start: Callable[[Path], subprocess.Popen], tmp_path: Path, stage: str
) -> None:
    """Ctrl-C ends every worker before the report is written, and the exit code is 130."""
    out = tmp_path / "run"
    running = start(out)
    wait_for(stage, out, running)
    below = psutil.Process(running.pid).children(recursive=True)
    assert below
    began = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, alive = psutil.wait_procs(below, timeout=20)
    print(f"workers ended {time.monotonic() - began:.2f} s after Ctrl-C")
    assert not alive
    assert running.wait() == 130
    assert progress(out)["state"] == "interrupted"


def test_interrupt_while_the_report_is_written(
    start: Callable[[Path], subprocess.Popen], tmp_path: Path
) -> None:
    """Ctrl-C in the report is an interruption like any other, and the run goes on after it."""
    out = tmp_path / "run"
    running = start(out)
    wait_for("report", out, running)
    running.send_signal(signal.SIGINT)
    assert running.wait() == 130
    assert start(out).wait() == 1  # "fails" does
    assert (out / "report.html").is_file()


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
    settings = {"methods": ["identity", "median", "tv"], "realisations": 8, "limit": 4}
    with pytest.raises(DenobenchError, match="no room is left on the disk"):
        compare(small_disk / "run", **settings)
    ballast.unlink()
    frame = compare(small_disk / "run", **settings).folder.frame()
    assert len(frame) == 96
    assert set(frame["status"]) == {"ok"}
