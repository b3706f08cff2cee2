"""Figures as files: each as PNG and PDF, several at once where the machine has the cores."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from fontTools.subset import Options
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf

from denobench import surroundings
from denobench.files import replacing
from denobench.report.figures.style import Picture, style

# Of a font, what sets text: a PDF holds text that is set already. To cut them down to the letters
# in use is the costliest part of a PDF.
_LAYOUT_TABLES = ["GSUB", "GPOS", "GDEF", "BASE", "JSTF", "MATH", "kern"]

_FEWEST = 6  # figures of a helper: to import what draws takes as long as some of them
_PATIENCE = 60.0  # seconds that a helper may need for the one figure that is left to it
_PLACE = struct.Struct("H")
_BOOT = "from denobench.report.figures.files import help_out; help_out(*sys.argv[1:])"

# Draws what nobody has drawn yet, and returns each figure's PNG and PDF.
Finish = Callable[[], list[list[Path]]]


@contextmanager
def saving(pictures: Sequence[Picture], folder: Path) -> Iterator[Finish]:
    """Write figures, the same bytes for the same numbers, while the caller does other work.

    Where there are many, helpers draw them: fresh processes. A copy of this one, by a fork, would
    be quicker to start, and might wait for ever for a lock that another thread of ours holds.

    Parameters
    ----------
    pictures
        The figures.
    folder
        Where to.

    Yields
    ------
    Finish
        Called when there is nothing else to do: this process draws what is left.
    """
    # Whoever is free reads the next place from the pipe, and nobody else has it then.
    left, places = os.pipe()
    with ExitStack() as stack:
        stack.callback(os.close, left)
        with os.fdopen(places, "wb") as file:
            file.write(b"".join(map(_PLACE.pack, _order(pictures))))
        helpers = stack.enter_context(_helpers(pictures, folder, left))

        def finish() -> list[list[Path]]:
            done = {*_drawn(pictures, folder, left)}
            done.update(*map(_done_by, helpers))
            for place, picture in enumerate(pictures):
                if place not in done:  # what a helper met with, we meet with as well
                    save(picture, folder)
            return [_paths(picture, folder) for picture in pictures]

        yield finish


def save_all(pictures: Sequence[Picture], folder: Path) -> list[list[Path]]:
    """Write figures and return each one's PNG and PDF; see `saving`."""
    with saving(pictures, folder) as finish:
        return finish()


def save(picture: Picture, folder: Path) -> list[Path]:
    """Write one figure as PNG and PDF."""
    paths = _paths(picture, folder)
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


def help_out(path: str, left: str) -> None:
    """Draw what is left of another process's figures, and write each one's place when it is done.

    Parameters
    ----------
    path
        File of the figures and their folder.
    left
        Number of the pipe of places.
    """
    with open(path, "rb") as file:
        pictures, folder = pickle.load(file)
    for place in _drawn(pictures, folder, int(left)):
        os.write(sys.stdout.fileno(), _PLACE.pack(place))


@contextmanager
def _helpers(
    pictures: Sequence[Picture], folder: Path, left: int
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start as many helpers as there are cores and figures for."""
    count = min(_cores() - 1, len(pictures) // _FEWEST)
    helpers: list[subprocess.Popen[bytes]] = []
    with ExitStack() as stack:
        with suppress(OSError):  # of a limit or a full disk: we draw, then
            if count > 0:
                file = stack.enter_context(NamedTemporaryFile(prefix="denobench-"))
                pickle.dump((pictures, folder), file)
                file.flush()
            for _ in range(count):
                helper = subprocess.Popen(
                    [*surroundings.python(_BOOT), file.name, str(left)],
                    env=surroundings.environment(os.environ),
                    pass_fds=[left],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    process_group=0,  # Ctrl-C is ours to answer
                )
                stack.callback(_end, helper)
                helpers.append(helper)
        yield helpers


def _end(helper: subprocess.Popen[bytes]) -> None:
    helper.kill()
    helper.communicate()


def _done_by(helper: subprocess.Popen[bytes]) -> set[int]:
    """Return the places of the figures that a helper has drawn, when it is done."""
    try:
        told, _ = helper.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        helper.kill()
        told, _ = helper.communicate()
    return {place for (place,) in _PLACE.iter_unpack(told)}


def _drawn(pictures: Sequence[Picture], folder: Path, left: int) -> Iterator[int]:
    """Draw the figures that nobody has begun, one by one, and yield the place of each."""
    while place := os.read(left, _PLACE.size):
        (number,) = _PLACE.unpack(place)
        save(pictures[number], folder)
        yield number


def _order(pictures: Sequence[Picture]) -> list[int]:
    """Return the places of figures in the order in which they are drawn."""
    # Photographs take the longest.
    return sorted(range(len(pictures)), key=lambda n: pictures[n].place != "gallery")


def _paths(picture: Picture, folder: Path) -> list[Path]:
    return [folder / f"{picture.name}.{kind}" for kind in ("png", "pdf")]


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
