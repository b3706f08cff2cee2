"""How networks learnt: loss and validation PSNR, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatter, LogLocator, MaxNLocator

from denobench.files import safe_name
from denobench.report.data.summary import Summary
from denobench.report.figures.style import COLOURS, Picture, add_legend, drawable, panels
from denobench.report.text.captions import level_list

# What a figure of a training shows, as far as a history has it.
_CURVES = {"Loss (log scale)": ("loss", "val_loss"), "Validation PSNR (dB)": ("val_psnr",)}


def draw_training(summary: Summary) -> Iterator[Picture]:
    """Yield a figure of every training, under the first method's name that has its weights.

    A history without such columns, which a method need not have, has none.
    """
    drawn = set()
    for entry in summary.entries if not summary.training.empty else ():
        history = summary.training[summary.training["entry"] == entry.id].dropna(axis=1, how="all")
        weights = (entry.run, *history.get("key", [entry.id]))
        if weights in drawn:
            continue
        drawn.add(weights)
        curves = {
            label: columns
            for label, names in _CURVES.items()
            if (columns := [name for name in names if name in history])
        }
        if curves:
            remark = entry.details.remark
            run = [entry.run] if len(summary.folders) > 1 else []
            yield Picture(
                safe_name("training", *run, entry.name),
                f"Training of {entry.label}",
                f"Loss and validation PSNR per epoch{f'; {remark}' if remark else ''}.",
                partial(_draw, summary, history, curves),
                place="training",
            )


def _draw(summary: Summary, history: pd.DataFrame, curves: Mapping[str, Sequence[str]]) -> Figure:
    figure, places = panels(len(curves), 2.7)
    black: dict[str, Any] = {"color": "#333333"}
    handles, texts = [], []
    fits = history.groupby(["noise", "levels"], sort=False)
    for number, ((noise, levels), fit) in enumerate(fits):
        colour = COLOURS[number % len(COLOURS)]
        for place, columns in zip(places, curves.values(), strict=True):
            _draw_fit(place, fit.sort_values("epoch"), columns, colour)
        handles.append(Line2D([], [], color=colour))
        title = summary.noises.get(str(noise), str(noise))
        texts.append(drawable(f"{title}, σ = {level_list(levels)}"))
    handles += [
        Line2D([], [], **black),
        Line2D([], [], linestyle=(0, (3, 1.5)), **black),
        Line2D([], [], linestyle="", marker="o", markerfacecolor="white", markersize=6, **black),
    ]
    add_legend(figure, handles, [*texts, "Training", "Validation", "Epoch kept"])
    for place, label in zip(places, curves, strict=True):
        place.xaxis.set_major_locator(MaxNLocator(integer=True))
        place.set(xlabel="Epoch", ylabel=label)
        if "log" in label:
            place.set_yscale("log")
            place.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=6))
            place.yaxis.set_major_formatter(LogFormatter(labelOnlyBase=False))
            place.yaxis.set_minor_formatter(lambda *_: "")
    return figure


def _draw_fit(place: Axes, fit: pd.DataFrame, columns: Sequence[str], colour: str) -> None:
    """Draw one fit's curves, and mark the epoch that was kept."""
    for name in columns:
        dashes = (0, (3, 1.5)) if name == "val_loss" else "-"
        place.plot(fit["epoch"], fit[name], color=colour, linestyle=dashes)
    kept = fit[fit["kept"].astype(str).isin(["True", "1", "1.0"])]
    place.plot(
        kept["epoch"], kept[columns[-1]], "o", markersize=6, color=colour,
        markerfacecolor="white", zorder=5,
    )  # fmt: skip
