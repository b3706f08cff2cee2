"""How figures look: colours, sizes, panels, legends, and how one is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from textwrap import fill
from typing import Any, Literal

import matplotlib
import numpy as np
import seaborn as sns
from anyascii import anyascii
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from denobench.printable import JOINERS, one_line
from denobench.report.data.entries import Entry, unlike
from denobench.report.data.summary import TRACKS, Summary
from denobench.report.text.captions import listing

WIDTH = 7.2  # inches: the text width of a two-column page
DPI = 180
PANELS = 4

# Okabe and Ito's colours, told apart by colour-blind readers, and one dark indigo. The second
# round is dashed with open markers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288")
_MARKERS = "osD^vPX*<>phd8"
GREY = "#6b6b6b"
FONT = "DejaVu Sans"

_LONGEST = 44  # letters of a label
_LINE = 26  # and of a line of it

_STYLE: dict[str, Any] = {
    "font.family": FONT,
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "axes.linewidth": 0.7,
    "axes.edgecolor": "#444444",
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "pdf.fonttype": 42,
    "image.composite_image": False,  # a PDF holds the pixels as they are
    # A stranger's dollar signs are no mathematics.
    "text.parse_math": False,
}


# Where on the page a figure stands: with its noise model's tables, or in a section of its own.
Place = Literal["noise", "gallery", "tuning", "training"]


@dataclass(frozen=True)
class Picture:
    """A figure with its file's name, title, caption and the noise model it is about, if any.

    It is drawn when it is first asked for, which may be in another process.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[], Figure]
    noise: str = ""
    place: Place = "noise"

    @cached_property
    def figure(self) -> Figure:
        """The figure."""
        with style():
            return self.draw()


@dataclass(frozen=True)
class Look:
    """Colour, marker and dashes of a method, the same in every figure."""

    colour: str
    marker: str
    dashes: tuple[float, ...]

    @property
    def line(self) -> dict[str, Any]:
        """Keywords of matplotlib's lines."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": (0, self.dashes) if self.dashes else "-",
            "markerfacecolor": "white" if self.dashes else self.colour,
            "markeredgecolor": self.colour,
            "markeredgewidth": 0.9 if self.dashes else 0,
        }


def looks(summary: Summary) -> dict[str, Look]:
    """Return every entry's look; the identity's is grey and without a marker."""
    methods = [entry for entry in summary.entries if not entry.identity]
    found = {entry.id: Look(GREY, "", (2, 2)) for entry in summary.entries if entry.identity}
    return found | {entry.id: look(place) for place, entry in enumerate(methods)}


def look(place: int) -> Look:
    """Return the look of the n-th line of a figure, counted from 0."""
    dashes = ((), (4, 1.5), (1, 1))[place // len(COLOURS) % 3]
    return Look(COLOURS[place % len(COLOURS)], _MARKERS[place % len(_MARKERS)], dashes)


def labels(summary: Summary) -> dict[str, str]:
    """Return every entry's title as figures have room and letters for it, all different."""
    found: dict[str, str] = {}
    for entry in summary.entries:
        text = drawable(one_line(entry.label, _LONGEST))
        found[entry.id] = unlike(text, found.values())
    return {entry: fill(text, _LINE) for entry, text in found.items()}


def drawable(text: str) -> str:
    """Return text with letters that the figures' font lacks transliterated."""
    return "".join(
        letter if ord(letter) in _letters() else anyascii(letter) or f"[U+{ord(letter):04X}]"
        for letter in text
        if letter not in JOINERS
    )


def remark(summary: Summary) -> str:
    """Say which titles are written in other letters in figures, if any are."""
    shown = {entry.label: drawable(entry.label) for entry in summary.entries}
    parts = [f"{text} as {plain}" for text, plain in shown.items() if text != plain]
    return f"Figures have no letters for some titles, and show {listing(parts)}." * bool(parts)


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    font = get_font(findfont(FontProperties(family=[FONT])))
    return frozenset(font.get_charmap())


@contextmanager
def style() -> Iterator[None]:
    """Set the figures' style for a while; a notebook's own settings stay."""
    settings: Any = {**sns.axes_style("whitegrid"), **_STYLE}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a notebook's settings, or a matplotlibrc's, are not the report's
        matplotlib.rcParams.update(settings)
        yield


def pick(values: Sequence[float], number: int) -> list[float]:
    """Return at most so many values, evenly spread, with the first and the last."""
    places = np.linspace(0, len(values) - 1, min(number, len(values))).round().astype(int)
    return [values[place] for place in dict.fromkeys(places.tolist())]


def panels(count: int, height: float, *, sharey: bool = False) -> tuple[Figure, list[Axes]]:
    """Return a figure of the text's width with panels side by side."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, count, squeeze=False, sharey=sharey)[0]
    for place in axes:
        sns.despine(ax=place)
    return figure, list(axes)


def legend(figure: Figure, summary: Summary, shown: Sequence[Entry]) -> None:
    """Put a legend to the right, methods by track."""
    chosen, names = looks(summary), labels(summary)
    parts = [("", [entry for entry in shown if entry.identity])]
    for track in TRACKS:
        own = [entry for entry in shown if entry.track == track and not entry.identity]
        parts.append((track.capitalize(), own))
    handles: list[Line2D] = []
    texts: list[str] = []
    for head, entries in parts:
        if head and entries:
            handles.append(Line2D([], [], linestyle="none"))
            texts.append(head)
        handles += [Line2D([], [], **chosen[entry.id].line) for entry in entries]
        texts += [names[entry.id] for entry in entries]
    shown_legend = add_legend(figure, handles, texts)
    for handle, text in zip(handles, shown_legend.get_texts(), strict=True):
        if handle.get_linestyle() == "None":
            text.set(weight="bold", x=-28)


def add_legend(
    figure: Figure, handles: Sequence[Line2D], texts: Sequence[str], **options: Any
) -> Legend:
    """Put a legend to the right, or where ``options`` say."""
    placed: dict[str, Any] = {
        "loc": "outside right upper",
        "handlelength": 2.4,
        "labelspacing": 0.4,
    } | options
    # Matplotlib passes over labels that begin with an underscore: they are written afterwards.
    found = figure.legend(list(handles), ["x"] * len(handles), frameon=False, **placed)
    for text, label in zip(found.get_texts(), texts, strict=True):
        text.set_text(label)
    return found
