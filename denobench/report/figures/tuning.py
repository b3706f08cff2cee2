"""The curves behind tuning: how the score depends on each parameter."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from denobench.files import safe_name
from denobench.printable import one_line
from denobench.report.data.entries import Entry
from denobench.report.data.summary import Summary
from denobench.report.figures.style import (
    DPI,
    WIDTH,
    Picture,
    add_legend,
    drawable,
    labels,
)
from denobench.report.text.captions import level_list

_COLUMNS = 4  # of panels
_DEEPEST = 3.0  # dB below the best that a curve shows; what lies deeper is of no interest


def draw_tuning(summary: Summary) -> Iterator[Picture]:
    """Yield, per noise model, how the score depends on each tuned parameter."""
    for noise, title in summary.noises.items():
        found = summary.trials[summary.trials["noise"] == noise]
        panels = [
            (entry, name)
            for entry in summary.entries
            for name in _names(found[found["entry"] == entry.id])
        ]
        if panels:
            yield Picture(
                safe_name("tuning", noise),
                f"Tuning, {title} noise",
                "PSNR on the foreground of validation images, in dB below the best setting tried. "
                "Dots: chosen; rings: the default. Other parameters are at the best that was tried "
                "with each value.",
                partial(_draw, found, panels, labels(summary)),
                noise,
                "tuning",
            )


def _names(part: pd.DataFrame) -> list[str]:
    """Return the tuned parameters of a method."""
    return list(json.loads(part["settings"].iloc[0])) if len(part) else []


def _draw(found: pd.DataFrame, panels: list[tuple[Entry, str]], names: Mapping[str, str]) -> Figure:
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(WIDTH, 0.6 + 1.55 * rows), dpi=DPI, layout="constrained")
    places = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    scopes = sorted({*found["levels"]}, key=lambda levels: (len(levels), levels))
    palette = sns.color_palette("viridis", len(scopes) + 1)[: len(scopes)]  # not the palest
    colours = dict(zip(scopes, palette, strict=True))
    for place, (entry, name) in zip(places, panels, strict=False):
        sns.despine(ax=place)
        own = found[found["entry"] == entry.id]
        for levels, part in own.groupby("levels"):
            for _, tried in part.groupby("fold"):
                _curve(place, tried, name, colours[levels])
        place.set_title(names[entry.id])
        place.set_xlabel(drawable(one_line(name, 40)), labelpad=1)
        place.set_ylim(-_DEEPEST * 1.05, _DEEPEST * 0.1)
    for place in places[len(panels) :]:
        place.set_axis_off()
    figure.supylabel("dB below the best", fontsize=8)
    handles = [Line2D([], [], color=colour) for colour in colours.values()]
    texts = [f"σ = {level_list(levels)}" for levels in colours]
    columns = min(6, len(handles))
    add_legend(figure, handles, texts, loc="outside lower center", ncols=columns)
    return figure


def _curve(place: Axes, tried: pd.DataFrame, name: str, colour: Any) -> None:
    """Draw the least loss with each value of a parameter; mark the chosen and the default."""
    values = [json.loads(text)[name] for text in tried["settings"]]
    frame = pd.DataFrame({"value": values, "loss": tried["score"] - tried["score"].max()})
    named = any(isinstance(value, str) for value in values)
    frame = frame[np.isfinite(frame["loss"])]
    curve = frame.groupby("value", sort=not named)["loss"].max()
    place.plot(curve.index, curve, color=colour, marker=".", markersize=2.5, linewidth=1.0)
    for mark, size, fill in (("trial", 7.0, "none"), ("chosen", 4.0, colour)):
        marked = values[int((tried[mark] == (mark == "chosen")).to_numpy().argmax())]
        if marked in curve:
            place.plot(
                [marked], [curve[marked]], "o", color=colour, markersize=size, markerfacecolor=fill
            )
