"""Strangers' methods: whatever one does is a row with its reason, and nobody else notices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from denobench.engine.coordinator import Outcome
from denobench.engine.queue import PATIENCE

Compare = Callable[..., Outcome]

METHODS = """
import ctypes, os, subprocess, sys, time
import numpy as np
from denobench import denoiser

@denoiser("infinite")
def infinite(noisy, sigma):
    return np.full_like(noisy, np.inf)

@denoiser("nothing")
def nothing(noisy, sigma):
    return None

@denoiser("prints")
def prints(noisy, sigma):
    for _ in range(5):
        print("x" * 2**20)
        os.write(2, b"y" * 2**20)
    return noisy.copy()

@denoiser("segfaults")
def segfaults(noisy, sigma):
    ctypes.string_at(0)

@denoiser("quits")
def quits(noisy, sigma):
    sys.exit("enough")

@denoiser("holds-the-lock")
def holds_the_lock(noisy, sigma):
    ctypes.PyDLL(None).sleep(600)  # no Python code runs meanwhile, signal handlers neither

@denoiser("eats-memory")
def eats_memory(noisy, sigma):
    eaten = []
    while True:
        eaten.append(np.ones(2**23))
        time.sleep(0.01)

@denoiser("forks")
def forks(noisy, sigma):
    if os.fork() == 0:
        time.sleep(987)
    os._exit(4)

@denoiser("leaves-children")
def leaves_children(noisy, sigma):
    for new_session in (False, True):
        subprocess.Popen(["sleep", "987"], start_new_session=new_session)
    return noisy.copy()

@denoiser("raises")
def raises(noisy, sigma):
    raise RuntimeError("deliberately broken")

@denoiser("sometimes")
def sometimes(noisy, sigma):
    if noisy.sum() * 1e4 % 2 < 1:
        raise RuntimeError("not this one")
    return noisy.copy()
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """Return a plugin file of methods that nobody should write."""
    path = tmp_path / "bad.py"
    path.write_text(METHODS)
    return path


def test_each_becomes_rows_and_the_others_keep_their_scores(
    compare: Compare, plugin: Path, tmp_path: Path
) -> None:
    """Status and reason of each are right; the others' scores are those of a run without them."""
    expected = {
        "infinite": ("failed", "infinity"),
        "nothing": ("failed", "NoneType"),
        "prints": ("ok", ""),
        "segfaults": ("crashed", "SIGSEGV"),
        "quits": ("crashed", "exit code 1"),
        "forks": ("crashed", "exit code 4"),
        "holds-the-lock": ("timeout", "limit of 6 s"),
        "eats-memory": ("crashed", "more than the limit of 0.7 GiB"),
        "leaves-children": ("ok", ""),
    }
    frame = compare(
        plugins=[plugin],
        methods=["identity", *expected, "tv"],
        limit=1,
        timeout=6,
        memory=0.7,
        workers=2,
    ).folder.frame()
    rows = frame.set_index("method")
    for name, (status, reason) in expected.items():
        assert rows.loc[name, "status"] == status, rows.loc[name, "error"]
        assert reason in rows.loc[name, "error"]
    assert len(frame) == len(expected) + 2
    calm = compare(tmp_path / "calm", limit=1).folder.frame().set_index("method")
    scores = ["key", "status", "psnr", "ssim", "nrmse"]
    assert rows.loc[["identity", "tv"], scores].equals(calm[scores])
    left = [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "987"]]
    assert not left


def test_method_that_keeps_failing_is_given_up(compare: Compare, plugin: Path) -> None:
    """After failures of one kind in a row the rest is skipped, saying so; others go on."""
    frame = compare(
        plugins=[plugin], methods=["identity", "raises"], limit=10, workers=1
    ).folder.frame()
    statuses = frame.groupby("method")["status"].value_counts().to_dict()
    assert statuses["identity", "ok"] == 10
    assert statuses["raises", "failed"] >= PATIENCE
    assert statuses["raises", "skipped"] == 10 - statuses["raises", "failed"] > 0
    reason = frame.loc[frame["status"] == "skipped", "error"].iloc[0]
    assert reason.startswith(f"given up after {PATIENCE} in a row were failed")
    assert "deliberately broken" in reason


def test_method_that_fails_sometimes_goes_on(compare: Compare, plugin: Path) -> None:
    """A method that fails on some images keeps its scores on the others, and all have a row."""
    frame = compare(plugins=[plugin], methods=["sometimes"], limit=12, workers=1).folder.frame()
    assert len(frame) == 12
    assert {"ok", "failed"} <= set(frame["status"])
