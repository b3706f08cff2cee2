"""Fixtures that tests share."""

from __future__ import annotations

import gc
import io
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image
from skimage import data
from skimage.transform import resize

# Machines are shared: how long an example takes says nothing.
settings.register_profile("denobench", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("denobench")

# Whoever starts the tests in a shell's background makes them, and all they start, deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A tenth of the tests' time went to looking for garbage in what imports leave.
gc.set_threshold(100_000, 50, 100)

ROOT = Path(__file__).parents[1]
REAL_IMAGES = ROOT.parent / "shared" / "data" / "brain_tumor_dataset"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of most slow tests, so that none of them is left to one core."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Spare one of several processes what Python takes down at its end: up to ten seconds."""
    if hasattr(config, "workerinput"):
        sys.stdout.flush()
        os._exit(0)


@pytest.fixture(scope="session")
def real_images() -> Path:
    """Return the folder of the brain-tumour set, or skip."""
    if not REAL_IMAGES.is_dir():
        pytest.skip("the brain-tumour images are not on this machine")
    return REAL_IMAGES


@pytest.fixture(scope="session")
def photograph() -> np.ndarray:
    """Return a bundled photograph, float32, (64, 64)."""
    camera = data.camera()[64:320, 128:384]
    return resize(camera, (64, 64), anti_aliasing=True).astype(np.float32)


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 20 small different images in two sub-folders."""
    folder = tmp_path_factory.mktemp("images")
    sources = [data.camera(), data.coins(), data.moon(), data.page(), data.text()]
    for number in range(20):
        source = sources[number % 5]
        height, width = source.shape
        top = (number // 5) * height // 5
        left = (number // 5) * width // 5
        crop = source[top : top + height // 3, left : left + width // 3]
        label = "yes" if number % 2 else "no"
        (folder / label).mkdir(exist_ok=True)
        Image.fromarray(crop).resize((72, 64)).save(folder / label / f"image {number:02d}.png")
    return folder


@pytest.fixture(scope="session")
def program() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs ``denobench`` with the given words, in this process."""
    from denobench.cli import main

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        given = ["denobench", *map(str, words)]
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", given)
            patch.setenv("COLUMNS", "200")
            patch.setenv("TERM", "dumb")
            try:
                main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return subprocess.CompletedProcess(given, code, out.getvalue(), err.getvalue())

    return run
