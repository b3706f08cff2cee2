"""Figures as files: the same whoever draws them, and none waited for in vain."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from denobench.report.data.summary import Summary
from denobench.report.figures import files
from denobench.report.figures.curves import draw
from denobench.report.figures.gallery import draw_gallery
from denobench.report.figures.style import Picture

pytestmark = pytest.mark.timeout(120)  # what is tested here is that nobody waits for ever


@pytest.fixture
def pictures(summary: Summary) -> list[Picture]:
    """Return two figures, of which one is a photograph; none drawn yet."""
    quick = next(picture for picture in draw(summary) if picture.noise == "rician")
    return [quick, *draw_gallery(summary)]


@pytest.fixture
def helped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one helper draw, however few the figures and the cores are."""
    monkeypatch.setattr(files, "_FEWEST", 1)
    monkeypatch.setattr(files, "_cores", lambda: 2)


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_are_the_same_bytes_whoever_draws(
    pictures: list[Picture], helped: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A helper alone, which is no copy of this process, writes what this process would."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    drawn = [replace(picture) for picture in pictures]
    monkeypatch.setattr(files, "_PATIENCE", 100.0)  # however busy the machine is
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("a copy of this process has its locks"))
    with files.saving(pictures, two) as finish, monkeypatch.context() as patch:
        patch.setattr(files, "_drawn", lambda *_: iter(()))
        patch.setattr(files, "save", lambda *_: pytest.fail("all was left to the helper"))
        paths = finish()
    for picture in drawn:
        files.save(picture, one)
    assert [[path.stem for path in pair] for pair in paths] == [[p.name] * 2 for p in pictures]
    assert written(one) == written(two)


@pytest.mark.parametrize("fate", ["SIGSTOP", "SIGKILL"])
def test_figures_of_a_lost_helper_are_drawn_here(
    fate: str,
    pictures: list[Picture],
    helped: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A helper that stands still or is killed costs its figures nothing but time."""
    monkeypatch.setattr(files, "_PATIENCE", 0.5)
    started = []
    popen = files.subprocess.Popen

    def start(*words: object, **options: object) -> object:
        started.append(popen(*words, **options))
        os.kill(started[-1].pid, getattr(signal, fate))
        return started[-1]

    monkeypatch.setattr(files.subprocess, "Popen", start)
    pairs = files.save_all(pictures, tmp_path)
    assert {*written(tmp_path)} == {path.name for pair in pairs for path in pair}
    assert [helper.poll() for helper in started] == [-signal.SIGKILL]


def test_a_file_that_cannot_be_written_is_an_error(
    pictures: list[Picture], helped: None, tmp_path: Path
) -> None:
    """What goes wrong where a figure is drawn is told where it was asked for."""
    with pytest.raises(OSError, match="missing"):
        files.save_all(pictures, tmp_path / "missing")
