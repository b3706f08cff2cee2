"""Strangers' methods: whatever one does is a row with its reason, and nobody else notices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import psutil
import pytest
from fitted import GAIN

from denobench import config
from denobench.engine.coordinator import Outcome
from denobench.engine.planning.plan import make_plan
from denobench.engine.stages import training
from denobench.engine.workers.cells import compute
from denobench.engine.workers.queue import PATIENCE

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


NASTIER = """
import os, signal, subprocess, sys, time
import numpy as np
from denobench import denoiser

@denoiser("no-message")
def no_message(noisy, sigma):
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError("no message")
    raise Mute

@denoiser("long-message")
def long_message(noisy, sigma):
    raise ValueError("x" * 10**7)

@denoiser("odd-message")
def odd_message(noisy, sigma):
    raise ValueError("bad \\udc80 name \\x00 [/red]")

@denoiser("interrupts")
def interrupts(noisy, sigma):
    raise KeyboardInterrupt("mine")

@denoiser("masked")
def masked(noisy, sigma):
    return np.ma.array(noisy, mask=noisy > 0)

class Rounded(np.ndarray):
    def astype(self, *args, **kwargs):
        return np.zeros(self.shape)

@denoiser("subclass")
def subclass(noisy, sigma):
    return noisy.copy().view(Rounded)

@denoiser("complex")
def complex_numbers(noisy, sigma):
    return noisy.astype(complex)

@denoiser("halves")
def halves(noisy, sigma):
    return np.repeat(noisy, 2, axis=1)[:, ::2].astype(np.float16)

@denoiser("writes-a-length")
def writes_a_length(noisy, sigma):
    write_everywhere(b"\\x00\\x00\\x10\\x00hello")
    return noisy.copy()

@denoiser("writes-a-message")
def writes_a_message(noisy, sigma):
    write_everywhere(b"\\x00\\x00\\x00\\x05hello")
    return noisy.copy()

def write_everywhere(text):
    for descriptor in range(3, 30):
        try:
            os.write(descriptor, text)
        except OSError:
            pass

@denoiser("closes-files")
def closes_files(noisy, sigma):
    os.closerange(3, 100)
    return noisy.copy()

@denoiser("patches")
def patches(noisy, sigma):
    np.mean = lambda *args, **kwargs: 0.123
    np.clip = lambda image, *args, **kwargs: image * 0
    np.seterr(all="raise")
    os.chdir("/")
    return noisy.copy()

@denoiser("comes-back-twice")
def comes_back_twice(noisy, sigma):
    os.fork()
    return noisy.copy()

@denoiser("stops-itself")
def stops_itself(noisy, sigma):
    os.kill(os.getpid(), signal.SIGSTOP)

@denoiser("ignores-signals")
def ignores_signals(noisy, sigma):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(987)

@denoiser("child-eats-memory")
def child_eats_memory(noisy, sigma):
    eat = "import time; eaten = b'x' * (3 * 2**28); time.sleep(987)"
    subprocess.run([sys.executable, "-I", "-S", "-c", eat])
"""

UNAVAILABLE = """
from denobench import denoiser
from denobench.errors import UnavailableError

@denoiser("absent")
def absent(noisy, sigma):
    raise UnavailableError("needs a library that is not here")
"""

TRAINED = """
class Net{number}(Gain):
    info = Info("net{number}", "Net {number}", tracks=("blind",))

    def fit(self, training, *, folder, progress):
        return {history}
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """Return a plugin file of methods that nobody should write."""
    path = tmp_path / "bad.py"
    path.write_text(METHODS)
    return path


def hold(
    compare: Compare, plugin: Path, expected: Mapping[str, tuple[str, str]], folder: Path
) -> pd.DataFrame:
    """Run a plugin's methods between two of ours; hold every row against what is expected."""
    settings = {"limit": 1, "timeout": 8, "memory": 0.7, "workers": 2}
    names = ["identity", *expected, "gaussian-filter"]
    frame = compare(plugins=[plugin], methods=names, **settings).folder.frame()
    rows = frame.set_index("method")
    for name, (status, reason) in expected.items():
        assert rows.loc[name, "status"] == status, (name, rows.loc[name, "error"])
        assert reason in rows.loc[name, "error"], name
    assert len(frame) == len(names)
    calm = compare(folder / "calm", limit=1).folder.frame().set_index("method")
    scores = ["key", "status", "psnr", "ssim", "nrmse"]
    assert rows.loc[["identity", "gaussian-filter"], scores].equals(calm[scores])
    return rows


@pytest.mark.slow
def test_each_becomes_rows_and_the_others_keep_their_scores(
    compare: Compare, plugin: Path, tmp_path: Path
) -> None:
    """Status and reason of each are right; the others' scores are those of a run without them."""
    expected = {
        "infinite": ("failed", "infinity"),
        "nothing": ("failed", "NoneType"),
        "prints": ("ok", ""),
        "segfaults": ("crashed", "SIGSEGV"),
        "quits": ("failed", "SystemExit: enough"),
        "forks": ("crashed", "exit code 4"),
        "holds-the-lock": ("timeout", "limit of 8 s"),
        "eats-memory": ("crashed", "more than the limit of 0.7 GiB"),
        "leaves-children": ("ok", ""),
    }
    hold(compare, plugin, expected, tmp_path)
    left = [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "987"]]
    assert not left


@pytest.mark.slow
def test_nastier_ones_too(compare: Compare, tmp_path: Path) -> None:
    """What a method does to its process, its pipe or its libraries stays with its own rows."""
    path = tmp_path / "nastier.py"
    path.write_text(NASTIER)
    expected = {
        "no-message": ("failed", "its message raises RuntimeError"),
        "long-message": ("failed", "ValueError: xxx"),
        "odd-message": ("failed", r"\udc80 name \x00 [/red]"),
        "interrupts": ("failed", "KeyboardInterrupt: mine"),
        "masked": ("failed", "masked array"),
        "subclass": ("ok", ""),
        "complex": ("failed", "complex128"),
        "halves": ("ok", ""),
        "writes-a-length": ("crashed", "pipe"),
        "writes-a-message": ("crashed", "pipe"),
        "closes-files": ("crashed", "its process"),
        "patches": ("ok", ""),
        "comes-back-twice": ("ok", ""),
        "stops-itself": ("timeout", "limit of 8 s"),
        "ignores-signals": ("timeout", "limit of 8 s"),
        "child-eats-memory": ("crashed", "more than the limit of 0.7 GiB"),
    }
    rows = hold(compare, path, expected, tmp_path)
    assert rows.loc["subclass", "psnr"] == rows.loc["identity", "psnr"]


def test_source_that_is_not_the_planned_one(image_folder: Path) -> None:
    """A method that was edited since the plan was made scores nothing under the plan's keys."""
    settings = {"data": image_folder, "size": 32, "split": "none", "methods": ["tv"]}
    cell = make_plan(config.parse(settings, "test")).cells({})[0]
    assert compute(cell).row.status == "ok"
    found = compute(replace(cell, source="another")).row
    assert found.status == "failed"
    assert "is not the one that was planned" in found.error


def test_unavailable_method_is_skipped_at_once(compare: Compare, tmp_path: Path) -> None:
    """A method that finds out when called that it cannot work here is skipped with its reason."""
    path = tmp_path / "plugin.py"
    path.write_text(UNAVAILABLE)
    frame = compare(plugins=[path], methods=["identity", "absent"], limit=10).folder.frame()
    rows = frame[frame["method"] == "absent"]
    assert set(rows["status"]) == {"skipped"}
    assert set(rows["error"]) == {"needs a library that is not here"}
    assert len(rows) == (frame["method"] == "identity").sum() == 10


@pytest.mark.slow
def test_bad_training_is_failed_rows(
    compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network whose training fails is rows with the reason; the others keep their scores."""
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(training, "cores", lambda: 1)  # what is forked starts sooner
    expected = {
        "None": "returned NoneType",
        "pd.DataFrame({'epoch': [1], 'loss': [0.5]})": "returned no kept, seconds",
        "pd.DataFrame({'epoch': [1], 'kept': [False], 'seconds': [1.0]})": "kept no epoch",
        "1 / 0": "ZeroDivisionError",
        "os._exit(3)": "its process died (exit code 3)",
        "sys.exit('enough')": "SystemExit: enough",
    }
    path = tmp_path / "plugin.py"
    nets = [TRAINED.format(number=n, history=text) for n, text in enumerate(expected)]
    path.write_text("\n".join([GAIN, *nets]))
    names = [f"net{number}" for number in range(len(expected))]
    settings = {"methods": ["identity", *names], "split": "paper", "limit": 1}
    rows = compare(plugins=[path], **settings).folder.frame().set_index("method")
    assert rows.loc["identity", "status"] == "ok"
    for name, reason in zip(names, expected.values(), strict=True):
        assert rows.loc[name, "status"] == "failed"
        assert reason in rows.loc[name, "error"]


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
