"""What tuning tried and chose: a table, and the curves behind it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from denobench.report.captions import count
from denobench.report.entries import Entry
from denobench.report.figures import DPI, WIDTH, Picture, style
from denobench.report.formats import Cell, Column, Section, Table
from denobench.report.summary import Summary

_COLUMNS = 4  # of panels
_DEEPEST = 3.0  # dB below the best that a curve shows; what lies deeper is of no interest


def tuning_table(summary: Summary) -> Table:
    """Return the chosen values, their score and the defaults', per method, noise and levels."""
    found = summary.trials
    rows, notes = [], []
    for entry in summary.entries:
        own = found[found["entry"] == entry.id]
        for (noise, levels), part in own.groupby(["noise", "levels"], sort=False):
            rows.append(_row(summary, entry, str(noise), str(levels), part))
    if rows:
        images, clusters = found["images"].max(), found["clusters"].max()
        folds = found["fold"].nunique()
        notes = [
            f"PSNR in dB on the foreground of {count(images, 'validation image')} in "
            f"{count(clusters, 'cluster')}{f' per fold, mean of {folds} folds' * (folds > 1)}: the "
            "mean of clusters, and of levels where they share a value. No test image is looked at.",
            "The defaults are the first trial. A parameter at an edge had its least or greatest "
            "value tried when the trials were used up: the optimum may lie beyond.",
        ]
        if (found["score"] == -np.inf).any():
            failed = int((found["score"] == -np.inf).sum())
            notes.append(f"{count(failed, 'trial')} failed on some image, and had no score.")
    return Table(
        name="tuning",
        title="Tuning",
        caption="What was chosen on validation images, and how much better it is there than the "
        "defaults. Oracle: per level; estimated: one multiple of the estimated σ for all levels; "
        "blind: one value for all levels.",
        columns=(
            *(Column(title, kind="text") for title in ("Method", "Noise")),
            Column("σ", kind="text"),
            *(Column(title, kind="text") for title in ("Default", "Chosen")),
            *(Column(title) for title in ("Default, dB", "Chosen, dB", "Gain", "Trials")),
            Column("At an edge", kind="text"),
        ),
        sections=(Section("", tuple(rows)),),
        notes=tuple(notes),
        tidy=_tidy(summary, found) if rows else pd.DataFrame(),
    )


def _tidy(summary: Summary, found: pd.DataFrame) -> pd.DataFrame:
    """Return all trials, the method named as in the other tables."""
    labels = found["entry"].map({entry.id: entry.label for entry in summary.entries})
    tidy = found.drop(columns="entry")
    tidy.insert(1, "label", labels)
    return tidy


def _row(
    summary: Summary, entry: Entry, noise: str, levels: str, part: pd.DataFrame
) -> tuple[Cell, ...]:
    chosen, defaults = part[part["chosen"]], part[part["trial"] == 0]
    before, after = defaults["score"].mean(), chosen["score"].mean()
    edges = {name for text in chosen["edge"] for name in text.split(", ") if name}
    tried = part.groupby("fold").size()
    return (
        Cell(entry.label),
        Cell(summary.noises.get(noise, noise)),
        Cell(levels.replace(" ", ", ")),
        Cell(_values(defaults)),
        Cell(_values(chosen)),
        *(Cell(_decibel(score), value=float(score)) for score in (before, after)),
        Cell(f"{after - before:+.2f}".replace("-", "−"), value=float(after - before)),
        Cell(f"{tried.max()}", value=float(tried.max())),
        Cell(", ".join(sorted(edges))),
    )


def _decibel(score: float) -> str:
    return f"{score:.2f}" if np.isfinite(score) else "–"


def _values(part: pd.DataFrame) -> str:
    """Return settings as text; where folds differ, each value with how often it was chosen."""
    texts = [json.loads(text) for text in part["settings"]]
    parts = []
    for name in texts[0]:
        values = Counter(str(settings[name]) for settings in texts)
        listed = (f"{v} ({n}×)" if len(values) > 1 else v for v, n in values.most_common())
        parts.append(f"{name} = {', '.join(listed)}")
    return "; ".join(parts)


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
            with style():
                figure = _draw(found, panels)
            yield Picture(
                f"tuning-{noise}",
                f"Tuning, {title} noise",
                "PSNR on the foreground of validation images, in dB below the best setting tried. "
                "Dots: chosen; rings: the default. Other parameters are at the best that was tried "
                "with each value.",
                figure,
                noise,
            )


def _names(part: pd.DataFrame) -> list[str]:
    """Return the tuned parameters of a method."""
    return list(json.loads(part["settings"].iloc[0])) if len(part) else []


def _draw(found: pd.DataFrame, panels: list[tuple[Entry, str]]) -> Figure:
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(WIDTH, 0.6 + 1.55 * rows), dpi=DPI, layout="constrained")
    places = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    scopes = sorted(found["levels"].unique(), key=lambda text: (text.count(" "), text))
    palette = sns.color_palette("viridis", len(scopes) + 1)[: len(scopes)]  # not the palest
    colours = dict(zip(scopes, palette, strict=True))
    for place, (entry, name) in zip(places, panels, strict=False):
        sns.despine(ax=place)
        own = found[found["entry"] == entry.id]
        for levels, part in own.groupby("levels"):
            for _, tried in part.groupby("fold"):
                _curve(place, tried, name, colours[str(levels)])
        place.set_title(entry.label)
        place.set_xlabel(name, labelpad=1)
        place.set_ylim(-_DEEPEST * 1.05, _DEEPEST * 0.1)
    for place in places[len(panels) :]:
        place.set_axis_off()
    figure.supylabel("dB below the best", fontsize=8)
    handles = [
        Line2D([], [], color=colour, label=f"σ = {levels.replace(' ', ', ')}")
        for levels, colour in colours.items()
    ]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(6, len(handles)), frameon=False
    )
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
