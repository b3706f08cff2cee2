"""Where networks are trained: what is chosen, who owns it, what is said where it is not there."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from telling import look, own
from tiny import Tiny

from denobench import models
from denobench.datasets import open_folder
from denobench.engine.workers.child import Child
from denobench.errors import DenobenchError
from denobench.methods import TrainingSet
from denobench.networks import Recipe, device


def silent(done: float, total: float, text: str = "") -> None:
    """Say nothing."""


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep weights and the GPU's lock of a test in a folder of its own."""
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def no_gpu() -> None:
    """Skip what holds on machines without a GPU alone."""
    if device.accelerators():
        pytest.skip("there is a GPU")


@pytest.mark.parametrize("backend", device.BACKENDS)
def test_the_processor_alone(backend: str, tmp_path: Path) -> None:
    """With device: cpu no backend finds a GPU, be there one or not; the backend is the chosen."""
    pytest.importorskip(backend)
    given = device.variables("cpu", backend)
    with Child(look, threads=2, plugins=(), log=tmp_path / "log", variables=given) as child:
        used, found, seen = child.receive(120)
    assert (used, found) == (backend, [])
    assert seen["CUDA_VISIBLE_DEVICES"] == "-1"


@pytest.mark.parametrize("theirs", [None, "1,0"])
def test_the_users_choice_of_gpus_stays(
    theirs: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With auto a process that trains sees the GPUs that the user's own do, and locks the first."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if theirs:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", theirs)
    given = device.variables("auto", "tensorflow")
    assert not {"CUDA_VISIBLE_DEVICES", "DENOBENCH_VISIBLE_DEVICES"} & {*given}
    with Child(own, threads=2, plugins=(), log=tmp_path / "log", variables=given) as child:
        lock, seen = child.receive(120)
    assert seen == theirs
    assert lock == f"denobench-gpu_{os.getuid()}_{(theirs or '0')[0]}"


def test_a_gpu_that_is_not_there(no_gpu: None) -> None:
    """Gpu is one error, with what would be right; auto and cpu take the processor, and no lock."""
    with (
        pytest.raises(DenobenchError, match=r"TensorFlow finds no GPU here: .*and-cuda.*auto or"),
        device.owned("gpu", silent),
    ):
        pass
    for choice in ("auto", "cpu"):
        with device.owned(choice, silent), FileLock(device.lock_file(), timeout=0):
            pass


def test_one_process_owns_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """While another has it, a training waits and says so; then it has it against a third."""
    monkeypatch.setattr(device, "accelerators", lambda: ["Some GPU"])
    told, owned, done = [], threading.Event(), threading.Event()
    waiting = threading.Event()

    def progress(done: float, total: float, text: str = "") -> None:
        told.append(text)
        waiting.set()

    def train() -> None:
        with device.owned("auto", progress):
            owned.set()
            done.wait(60)

    with FileLock(device.lock_file()):
        other = threading.Thread(target=train)
        other.start()
        assert waiting.wait(60)
        assert not owned.is_set()
    assert owned.wait(60)
    assert told == ["waits for the GPU, which another training has"]
    lock = FileLock(device.lock_file())
    with pytest.raises(TimeoutError), lock.acquire(timeout=0):
        pass
    done.set()
    other.join()
    with lock.acquire(timeout=0):
        pass


def test_a_backend_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, with what installs it and what is there."""
    device.check_installed("tensorflow")
    monkeypatch.setitem(device.BACKENDS, "no_such_backend", ("None", "no_such_backend"))
    with pytest.raises(DenobenchError, match=r"pip install no_such_backend, or use .*tensorflow"):
        device.check_installed("no_such_backend")


def test_too_little_memory_says_how_to_go_on() -> None:
    """TensorFlow's own error, NumPy's and one of anything else."""
    import tensorflow as tf

    whole, squares = Recipe(1, 4, 0.1), Recipe(1, 16, 0.1, crop=64)
    with pytest.raises(tf.errors.ResourceExhaustedError) as exhausted:
        tf.zeros((2**20, 2**20, 2**10))
    for recipe, step in ((whole, "4 images"), (squares, "16 squares of 64")):
        with (
            pytest.raises(DenobenchError, match=rf"memory is too little for steps of {step}.*anew"),
            device.naming_too_little_memory("Tiny", recipe),
        ):
            raise exhausted.value
    with (
        pytest.raises(DenobenchError, match="too little"),
        device.naming_too_little_memory("Tiny", whole),
    ):
        np.empty((2**20, 2**30))
    with pytest.raises(ZeroDivisionError), device.naming_too_little_memory("Tiny", whole):
        _ = 1 / 0


def test_what_was_used_is_told(image_folder: Path, no_gpu: None) -> None:
    """History and record name device and backend; neither is part of the weights' key."""
    items = open_folder(image_folder).items
    training = TrainingSet(items[:4], items[4:6], 32, "gaussian", (0.1,), 0)
    model = models.train(Tiny(epochs=1), training, progress=silent, device="cpu")
    assert list(model.history["device"]) == ["cpu"]
    assert list(model.history["backend"]) == ["tensorflow"]
    record = model.record
    assert (record.device, record.backend, record.trained_on) == (
        *("cpu", "tensorflow", record.machine),
    )
    assert models.find(Tiny(epochs=1), training) == model
    elsewhere = record.model_copy(update={"device": "Some GPU", "backend": "jax"})
    assert elsewhere.trained_on == f"Some GPU, {record.machine}, jax"
    assert 0 < model.history["in_step"][0] < 1


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_memory_is_used_again() -> None:
    """In a process that keeps its memory, large arrays after the first cost no new pages."""
    code = (
        "import resource, numpy as np\n"
        "from denobench.networks.device import keep_memory\n"
        "keep_memory()\n"
        "for _ in range(2):\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in range(5): np.full(2**24, 1.0)\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, again = map(int, told.stdout.split())
    assert again < first / 4
