"""Figures as files: each as PNG and PDF, several at once where the machine has the cores."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from fontTools.subset import Options
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf

from denobench.files import replacing
from denobench.progress import Progress, unheard
from denobench.report.figures.style import Picture, style

# Of a font, what sets text: a PDF holds text that is set already. To cut them down to the letters
# in use is the costliest part of a PDF.
_LAYOUT_TABLES = ["GSUB", "GPOS", "GDEF", "BASE", "JSTF", "MATH", "kern"]

_waiting: tuple[Sequence[Picture], Path] = ((), Path())


@contextmanager
def saving(
    pictures: Sequence[Picture], folder: Path, *, progress: Progress = unheard
) -> Iterator[Iterator[list[Path]]]:
    """Write figures, the same bytes for the same numbers, while the caller does other work.

    On Linux they are drawn by forked processes, which have all data and imports already; a
    process that is started afresh would need longer to import Matplotlib than to draw.

    Parameters
    ----------
    pictures
        The figures.
    folder
        Where to.
    progress
        Told how many are written.

    Yields
    ------
    Iterator
        Each figure's PNG and PDF, in order, when they are written.
    """
    global _waiting
    workers = min(len(pictures), _cores())
    if workers < 2 or sys.platform != "linux":
        yield _heard((save(picture, folder) for picture in pictures), len(pictures), progress)
        return
    _waiting = (pictures, folder)
    try:
        with warnings.catch_warnings():
            # Of threads that a fork leaves behind: drawing takes no lock that they might hold.
            warnings.simplefilter("ignore", DeprecationWarning)
            pool = ProcessPoolExecutor(workers, get_context("fork"), _ignore_interrupts)
            # Photographs take the longest.
            order = sorted(range(len(pictures)), key=lambda n: pictures[n].place != "gallery")
            files = {place: pool.submit(_save_waiting, place) for place in order}
    finally:
        _waiting = ((), Path())
    try:
        found = (files[place].result() for place in range(len(pictures)))
        yield _heard(found, len(pictures), progress)
    finally:
        pool.shutdown(cancel_futures=True)


def save_all(
    pictures: Sequence[Picture], folder: Path, *, progress: Progress = unheard
) -> list[list[Path]]:
    """Write figures and return each one's PNG and PDF; see `saving`."""
    with saving(pictures, folder, progress=progress) as files:
        return [*files]


def _heard(files: Iterable[list[Path]], total: int, progress: Progress) -> Iterator[list[Path]]:
    for done, paths in enumerate(files, 1):
        progress(done, total)
        yield paths


def save(picture: Picture, folder: Path) -> list[Path]:
    """Write one figure as PNG and PDF."""
    paths = [folder / f"{picture.name}.png", folder / f"{picture.name}.pdf"]
    figure = picture.figure
    with style(), _plain_fonts():
        # Written by the canvases themselves: Figure.savefig would draw each a second time, to lay
        # out what the first drawing has laid out.
        with replacing(paths[0]) as part:
            FigureCanvasAgg(figure).print_png(part, metadata={"Software": None})
        figure.set_layout_engine("none")
        with replacing(paths[1]) as part:
            FigureCanvasPdf(figure).print_pdf(part, metadata={"CreationDate": None})
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
