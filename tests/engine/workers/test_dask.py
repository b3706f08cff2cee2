"""Dask's workers give the rows that this machine alone gives."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import psutil
import pytest
from starting import Started

from denobench.datasets import Item, open_folder
from denobench.engine.coordinator import Outcome
from denobench.engine.planning.plan import make_plan
from denobench.engine.workers import dask
from denobench.engine.workers.cells import compute
from denobench.errors import DenobenchError

pytest.importorskip("distributed")
Compare = Callable[..., Outcome]

SLOW = """
import os, time
from denobench import denoiser

@denoiser("slow", tracks=("blind",))
def slow(noisy, sigma):
    time.sleep(0.3)
    if abs(noisy[0, 0]) * 1e6 % 8 < 1:
        os._exit(3)
    return 0.9 * noisy
"""


def scores(outcome: Outcome) -> pd.DataFrame:
    columns = ["key", "status", "psnr", "ssim", "nrmse", "psnr_foreground", "field_digest"]
    return outcome.folder.frame()[columns].sort_values("key", ignore_index=True)


class Machines:
    """A Dask scheduler and two workers; what a test has killed is started again for the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.address = ""
        self.scheduler: Started | None = None
        self.workers: list[Started] = []
        hasty = "from denobench.engine.workers import dask\ndask.IDLE_SECONDS = 1.0\n"
        (folder / "hasty.py").write_text(hasty)

    def repair(self) -> None:
        """See that all three run."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.end()
            self.file.unlink(missing_ok=True)
            self.scheduler = self._begin("scheduler", "--host", "127.0.0.1", "--port", "0")
            while not (self.file.is_file() and self.file.read_text().endswith("}")):
                assert self.scheduler.poll() is None
                time.sleep(0.1)
            self.address = json.loads(self.file.read_text())["address"]
        self.workers = [each for each in self.workers if each.poll() is None]
        own = ["--preload", str(self.folder / "hasty.py"), "--nthreads", "1", "--no-nanny"]
        own += ["--local-directory", str(self.folder)]
        self.workers += [self._begin("worker", *own) for _ in range(2 - len(self.workers))]

    def end(self) -> None:
        """End all three."""
        for process in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            end(process)

    def _begin(self, kind: str, *words: str) -> Started:
        place = ["--scheduler-file", str(self.file), "--no-dashboard"]
        log = self.folder / f"{kind}.log"
        return Started(f"distributed.cli.dask_{kind}", [*place, *words], output=log)


@pytest.fixture(scope="module")
def _machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    machines = Machines(tmp_path_factory.mktemp("dask"))
    yield machines
    machines.end()


@pytest.fixture
def machines(_machines: Machines) -> Machines:
    """Return a Dask scheduler with two workers, all running."""
    _machines.repair()
    return _machines


def begun(out: Path) -> bool:
    """Return whether a run has three finished cells."""
    found = out / "progress.json"
    return found.is_file() and json.loads(found.read_text())["done"] >= 3


@contextmanager
def under_way(out: Path, act: Callable[[], None]) -> Iterator[None]:
    """Act once when a run, which is begun within this context, has begun its cells."""

    def watch() -> None:
        while not stop.wait(0.01):
            if begun(out):
                act()
                return

    stop = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def end(process: Started) -> None:
    """Kill a process and those below it."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return
    process.kill()
    for child in below:
        if child.is_running():
            child.kill()
    process.wait()


@pytest.mark.slow
def test_one_of_two_machines_is_lost(compare: Compare, machines: Machines, tmp_path: Path) -> None:
    """A worker killed in mid-run costs nothing: rows and scores are those of this machine alone."""
    workers = machines.workers
    plugin = tmp_path / "plugin.py"
    plugin.write_text(SLOW)
    settings = {"plugins": [plugin], "methods": ["identity", "median", "slow"], "limit": 12}
    out = tmp_path / "cluster"

    with under_way(out, lambda: end(workers[0])):
        there = compare(out, executor="dask", address=machines.address, **settings)
    assert workers[0].poll() is not None
    here = compare(tmp_path / "here", **settings)
    pd.testing.assert_frame_equal(scores(there), scores(here), check_exact=True)
    assert set(scores(there)["status"]) == {"ok", "crashed"}


@pytest.mark.slow
def test_networks_give_the_same_bits_everywhere(
    compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker, two workers and Dask's give the same rows, networks among them."""
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path / "cache"))
    settings = {
        "split": "paper",
        "limit": 3,
        "methods": {"tv": {}, "wavelet": {}, "cdae": {"epochs": 2}},
        "gallery": 1,
    }
    one = compare(tmp_path / "one", workers=1, **settings)
    two = compare(tmp_path / "two", workers=2, **settings)
    there = compare(tmp_path / "dask", executor="dask", workers=2, **settings)
    assert scores(one)["status"].eq("ok").all()
    pd.testing.assert_frame_equal(scores(one), scores(two), check_exact=True)
    pd.testing.assert_frame_equal(scores(one), scores(there), check_exact=True)
    assert len(list((there.folder.path / "gallery").rglob("*.npy"))) == 5


def test_sent_image_gives_the_same_row(image_folder: Path) -> None:
    """A cell whose image travels with it has the key and score of one that reads the file."""
    from denobench import config

    loaded = config.parse(
        {"data": image_folder, "size": 32, "split": "none", "methods": ["tv"]}, "test"
    )
    cell = make_plan(loaded).cells({})[0]
    item = next(item for item in open_folder(image_folder).items if item.id == cell.item.id)
    sent = replace(cell, item=dask.SentItem.of(cell.item, 32))
    assert not hasattr(sent.item, "path")
    here, there = compute(cell).row, compute(sent).row
    assert sent.item.digest == item.digest
    assert replace(here, seconds=0, cpu_seconds=0) == replace(there, seconds=0, cpu_seconds=0)


def test_image_is_sent_once(
    compare: Compare, machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many cells an image has, machines that cannot read it get it once, resized."""
    sent: list[tuple[str, int | None]] = []
    of = dask.SentItem.of

    def counted(item: Item, size: int | None) -> dask.SentItem:
        sent.append((item.id, size))
        return of(item, size)

    monkeypatch.setattr(dask.SentItem, "of", counted)
    settings = {"data": None, "dataset": "simulated", "limit": 2, "methods": ["identity", "median"]}
    settings |= {"noise": ["gaussian:0.1", "gaussian:0.2"], "gallery": 0}
    there = compare(tmp_path / "there", executor="dask", address=machines.address, **settings)
    assert there.computed == 8
    assert len(set(sent)) == len(sent) == 2
    assert {size for _, size in sent} == {32}
    here = compare(tmp_path / "here", **settings)
    pd.testing.assert_frame_equal(scores(there), scores(here), check_exact=True)


def test_networks_go_to_machines_that_do_not_see_their_files(
    compare: Compare, machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model's file is sent, and gives there what it gives here in two processes."""
    pytest.importorskip("onnxruntime")
    from networks_in_files import write

    known = {"layout": "nchw", "range": "0..1", "answer": "image", "multiple": 1, "device": "cpu"}
    entry = {"model": write(tmp_path / "net.onnx"), **known}
    settings = {"methods": {"identity": {}, "mine": entry}, "limit": 4, "gallery": 0}
    here = compare(tmp_path / "here", workers=2, **settings)
    monkeypatch.setattr(dask.DaskPool, "_shared", lambda _, path: path.suffix != ".onnx")
    there = compare(tmp_path / "there", executor="dask", address=machines.address, **settings)
    assert scores(there)["status"].eq("ok").all()
    pd.testing.assert_frame_equal(scores(there), scores(here), check_exact=True)
    assert [*machines.folder.rglob("files/*/net.onnx")]


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_their_coordinator(
    image_folder: Path,
    machines: Machines,
    tmp_path: Path,
    sent: signal.Signals,
) -> None:
    """After its coordinator was killed or interrupted nothing is computed; Dask's workers live."""
    workers = machines.workers
    plugin = tmp_path / "plugin.py"
    plugin.write_text(SLOW)
    out = tmp_path / "run"
    words: list[str | Path] = ["run", "--data", image_folder, "--plugin", plugin]
    words += ["--methods", "slow", "--out", out]
    words += ["--executor", "dask", "--address", machines.address, "--set", "split=none"]
    words += ["--set", "realisations=50", "--set", "timing.repeats=0"]
    running = Started("denobench", words)

    def below() -> list[psutil.Process]:
        return [each for worker in workers for each in psutil.Process(worker.pid).children()]

    while not begun(out):
        assert running.poll() is None
        time.sleep(0.1)
    assert below()
    running.send_signal(sent)
    assert running.wait() == (130 if sent == signal.SIGINT else -signal.SIGKILL)
    patience = time.monotonic() + 60
    while below() and time.monotonic() < patience:
        time.sleep(0.2)
    assert not below()
    assert all(worker.poll() is None for worker in workers)


@pytest.mark.slow
def test_lost_scheduler_is_named(
    compare: Compare, machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduler that dies in mid-run is one error with its address; the run goes on after it."""
    monkeypatch.setattr(dask, "PATIENCE_SECONDS", 5)  # in which it does not come back
    settings = {"methods": ["identity", "median"], "realisations": 20}
    out = tmp_path / "run"

    with (
        under_way(out, machines.scheduler.kill),
        pytest.raises(DenobenchError, match=f"scheduler at {machines.address} was lost"),
    ):
        compare(out, executor="dask", address=machines.address, **settings)
    assert set(compare(out, **settings).folder.frame()["status"]) == {"ok"}


def test_other_versions_on_a_worker_are_named(
    compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker with another version of a library stops the run with both versions."""
    monkeypatch.setattr(dask, "harness_versions", lambda: {"numpy": "0.9"})
    with pytest.raises(DenobenchError, match=r"has numpy \d.*, the coordinator 0\.9"):
        compare(executor="dask")


def test_nobody_at_the_address(compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without a scheduler is one error that names it."""
    monkeypatch.setattr(dask, "PATIENCE_SECONDS", 1)
    with pytest.raises(DenobenchError, match=r"tcp://127\.0\.0\.1:9: no Dask scheduler"):
        compare(executor="dask", address="tcp://127.0.0.1:9")
