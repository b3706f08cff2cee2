"""Figures as files: each as PNG and PDF, several at once where the machine has the cores."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from fontTools.subset import Options

from denobench.files import replacing
from denobench.progress import Progress, unheard
from denobench.report.figures.style import DPI, Picture, style

# Of a font, what sets text: a PDF holds text that is set already. To cut them down to the letters
# in use is the costliest part of a PDF.
_LAYOUT_TABLES = ["GSUB", "GPOS", "GDEF", "BASE", "JSTF", "MATH", "kern"]

_waiting: tuple[Sequence[Picture], Path] = ((), Path())


def save_all(
    pictures: Sequence[Picture], folder: Path, *, progress: Progress = unheard
) -> list[list[Path]]:
    """Write figures, the same bytes for the same numbers, and return each one's PNG and PDF.

    On Linux they are drawn by forked processes, which have all figures and imports already; a
    process that is started afresh would need longer to import Matplotlib than to draw.

    Parameters
    ----------
    pictures
        The figures.
    folder
        Where to.
    progress
        Told how many are written.
    """
    global _waiting
    workers = min(len(pictures), _cores())
    done = []
    if workers < 2 or sys.platform != "linux":
        for picture in pictures:
            done.append(save(picture, folder))
            progress(len(done), len(pictures))
        return done
    _waiting = (pictures, folder)
    try:
        with warnings.catch_warnings():
            # Of threads that a fork leaves behind: drawing takes no lock that they might hold.
            warnings.simplefilter("ignore", DeprecationWarning)
            with ProcessPoolExecutor(workers, get_context("fork"), _ignore_interrupts) as pool:
                for paths in pool.map(_save_waiting, range(len(pictures))):
                    done.append(paths)
                    progress(len(done), len(pictures))
    finally:
        _waiting = ((), Path())
    return done


def save(picture: Picture, folder: Path) -> list[Path]:
    """Write one figure as PNG and PDF."""
    paths = [folder / f"{picture.name}.png", folder / f"{picture.name}.pdf"]
    with style(), _plain_fonts():
        # Laid out once for both, the costliest step.
        picture.figure.draw_without_rendering()
        picture.figure.set_layout_engine("none")
        with replacing(paths[0]) as part:
            picture.figure.savefig(part, dpi=DPI, metadata={"Software": None})
        with replacing(paths[1]) as part:
            picture.figure.savefig(part, dpi=DPI, metadata={"CreationDate": None})
    return paths


def _save_waiting(place: int) -> list[Path]:
    pictures, folder = _waiting
    return save(pictures[place], folder)


def _ignore_interrupts() -> None:
    # Ctrl-C reaches the whole group of processes: the one that waits for these answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _plain_fonts() -> Iterator[None]:
    """Leave tables for setting text out of the fonts that go into a PDF, for a while."""
    before = getattr(Options, "_drop_tables_default", None)
    if before is None:  # another fontTools: the PDF is as good, and takes longer
        yield
        return
    Options._drop_tables_default = [*before, *_LAYOUT_TABLES]
    try:
        yield
    finally:
        Options._drop_tables_default = before
