"""How figures look: colours, sizes, panels, legends, and how one is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from denobench.files import replacing
from denobench.report.data.entries import Entry
from denobench.report.data.summary import TRACKS, Summary

WIDTH = 7.2  # inches: the text width of a two-column page
DPI = 180
PANELS = 4

# Okabe and Ito's colours, told apart by colour-blind readers, and one dark indigo. The second
# round is dashed with open markers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288")
_MARKERS = "osD^vPX*<>phd8"
GREY = "#6b6b6b"

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
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
}


# Where on the page a figure stands: with its noise model's tables, or in a section of its own.
Place = Literal["noise", "gallery", "tuning", "training"]


@dataclass(frozen=True)
class Picture:
    """A figure with its file's name, title, caption and the noise model it is about, if any."""

    name: str
    title: str
    caption: str
    figure: Figure
    noise: str = ""
    place: Place = "noise"


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


@contextmanager
def style() -> Iterator[None]:
    """Set the figures' style for a while; a notebook's own settings stay."""
    settings: Any = {**sns.axes_style("whitegrid"), **_STYLE}
    with matplotlib.rc_context(settings):
        yield


def save(picture: Picture, folder: Path) -> list[Path]:
    """Write a figure as PNG and PDF, the same bytes for the same numbers."""
    paths = [folder / f"{picture.name}.png", folder / f"{picture.name}.pdf"]
    with style():
        # Laid out once for both, the costliest step.
        picture.figure.draw_without_rendering()
        picture.figure.set_layout_engine("none")
        for path, unwanted in zip(paths, ("Software", "CreationDate"), strict=True):
            with replacing(path) as temporary:
                picture.figure.savefig(temporary, dpi=DPI, metadata={unwanted: None})
    return paths


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
    chosen = looks(summary)
    handles = [
        Line2D([], [], label=entry.label, **chosen[entry.id].line)
        for entry in shown
        if entry.identity
    ]
    for track in TRACKS:
        part = [entry for entry in shown if entry.track == track and not entry.identity]
        if part:
            handles.append(Line2D([], [], linestyle="none", label=track.capitalize()))
        handles += [Line2D([], [], label=entry.label, **chosen[entry.id].line) for entry in part]
    shown_legend = figure.legend(
        handles=handles,
        loc="outside right upper",
        frameon=False,
        handlelength=2.4,
        labelspacing=0.4,
    )
    for handle, text in zip(handles, shown_legend.get_texts(), strict=True):
        if handle.get_linestyle() == "None":
            text.set(weight="bold", x=-28)
