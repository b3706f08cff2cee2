"""A small comparison that every engine test can carry out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from denobench import config
from denobench.engine.coordinator import Outcome, carry_out
from denobench.progress import Silent
from denobench.rows import RunFolder

STRANGERS = """
import os, time
import numpy as np
from denobench import denoiser

@denoiser("raises")
def raises(noisy, sigma):
    raise RuntimeError("deliberately broken")

@denoiser("wrong-shape")
def wrong_shape(noisy, sigma):
    return noisy[1:]

@denoiser("integers")
def integers(noisy, sigma):
    return (255 * noisy).astype(np.uint8)

@denoiser("not-finite")
def not_finite(noisy, sigma):
    return np.full_like(noisy, np.nan)

@denoiser("changes-input")
def changes_input(noisy, sigma):
    noisy *= 0.5
    return noisy.copy()

@denoiser("exits")
def exits(noisy, sigma):
    os._exit(3)

@denoiser("sleeps")
def sleeps(noisy, sigma):
    time.sleep(600)

@denoiser("halves", packages=("numpy",))
def halves(noisy, sigma, *, factor=0.5):
    return noisy * factor
"""


@pytest.fixture
def strangers(tmp_path: Path) -> Path:
    """Return a plugin file whose methods break the contract in every way, and one that keeps it."""
    path = tmp_path / "strangers.py"
    path.write_text(STRANGERS)
    return path


def carry(images: Path, folder: Path, **settings: object) -> Outcome:
    """Carry out a small comparison with changed settings."""
    small = {
        "name": "small",
        "data": images,
        "size": 32,
        "split": "none",
        "limit": 3,
        "noise": ["gaussian:0.1"],
        "methods": ["identity", "gaussian-filter"],  # both are quick to import
        "timing": {"repeats": 0},
        "gallery": 1,
        "workers": 1,
        **settings,
    }
    return carry_out(config.parse(small, "test"), folder, Silent())


@pytest.fixture
def compare(image_folder: Path, tmp_path: Path) -> Callable[..., Outcome]:
    """Return a function that carries out a small comparison with changed settings."""

    def call(folder: Path | None = None, **settings: object) -> Outcome:
        return carry(image_folder, folder or tmp_path / "run", **settings)

    return call


@pytest.fixture(scope="session")
def _finished(image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return carry(image_folder, tmp_path_factory.mktemp("finished") / "run").folder.path


@pytest.fixture
def finished(_finished: Path, tmp_path: Path) -> RunFolder:
    """Return a copy of what ``compare()`` leaves; the next one goes on in its folder."""
    return RunFolder(Path(shutil.copytree(_finished, tmp_path / "run")))
