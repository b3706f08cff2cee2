"""The main figures: quality over level and runtime, and gain per image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from denobench.files import safe_name
from denobench.noise import written
from denobench.report.data.entries import Entry, Score
from denobench.report.data.summary import TRACKS, Summary, finite
from denobench.report.figures.style import (
    GREY,
    PANELS,
    Look,
    Picture,
    labels,
    legend,
    looks,
    panels,
    pick,
)
from denobench.report.text import captions


@contextmanager
def _same_jitter() -> Iterator[None]:
    """Seed NumPy's global generator, which seaborn draws jitter from, for a while."""
    before = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(before)


def draw(summary: Summary) -> Iterator[Picture]:
    """Yield the figures of scores that the runs have the numbers for."""
    for noise in summary.noises:
        for make in (_quality, _runtime, _gain):
            if picture := make(summary, noise):
                yield picture


def _quality(summary: Summary, noise: str) -> Picture | None:
    """Show scores over the level, or side by side where there is one level only."""
    found = {metric: finite(summary, noise, metric) for metric in summary.headline}
    ids = {entry for scores in found.values() for entry in scores["entry"]}
    shown = [entry for entry in summary.shown(noise) if entry.id in ids]
    if not shown:
        return None
    levels = summary.levels(noise)
    titles = captions.listing(metric.title for metric in found)
    at = "over the level" if len(levels) > 1 else f"at σ = {written(levels[0])}"
    bounded = any(scores["low"].notna().any() for scores in found.values())
    noun = captions.noun_of(summary.manifest)
    interval = f" with 95 % bootstrap intervals over {noun}s" if bounded else ""
    return Picture(
        safe_name("quality", noise),
        f"{titles} {at}, {summary.noises[noise]} noise",
        f"Means{interval}; {captions.images(summary, noise)}.",
        partial(_draw_quality, summary, found, shown, levels),
        noise,
    )


def _draw_quality(
    summary: Summary,
    found: Mapping[Score, pd.DataFrame],
    shown: Sequence[Entry],
    levels: Sequence[float],
) -> Figure:
    several = len(levels) > 1
    height = 1.0 + 0.2 * (len(shown) + 3)
    figure, axes = panels(len(found), max(2.7, height) if several else height, sharey=not several)
    for place, (metric, scores) in zip(axes, found.items(), strict=True):
        if several:
            _curves(place, summary, scores, shown)
            place.set(xlabel="Level (σ as a fraction of full scale)", ylabel=metric.axis)
            place.set_xticks(levels, [written(level) for level in levels])
        else:
            _dots(place, summary, scores, shown)
            place.set(xlabel=metric.axis)
    if several:
        legend(figure, summary, shown)
    return figure


def _curves(place: Axes, summary: Summary, scores: pd.DataFrame, shown: Sequence[Entry]) -> None:
    chosen = looks(summary)
    for entry in shown:
        line = scores[scores["entry"] == entry.id].sort_values("level")
        place.plot(line["level"], line["mean"], **chosen[entry.id].line)
        place.fill_between(
            line["level"], line["low"], line["high"],
            color=chosen[entry.id].colour, alpha=0.12, linewidth=0,
        )  # fmt: skip


def _dots(place: Axes, summary: Summary, scores: pd.DataFrame, shown: Sequence[Entry]) -> None:
    chosen = looks(summary)
    ordered = _by_track(shown)
    for height, entry in enumerate(ordered):
        for _, found in scores[scores["entry"] == entry.id].iterrows():
            place.plot([found["low"], found["high"]], [height] * 2, color=chosen[entry.id].colour)
            keywords: dict[str, Any] = {**chosen[entry.id].line}
            if entry.identity:
                keywords["marker"] = "|"
            place.plot(found["mean"], height, **keywords)
    _name_methods(place, summary, ordered)


def _by_track(shown: Sequence[Entry]) -> list[Entry]:
    return sorted(shown, key=lambda entry: (not entry.identity, TRACKS.index(entry.track)))


def _name_methods(place: Axes, summary: Summary, ordered: Sequence[Entry]) -> None:
    """Write the methods on the vertical axis, the first on top, tracks set apart by a line."""
    names = labels(summary)
    place.set_yticks(range(len(ordered)), [names[entry.id] for entry in ordered])
    place.set_ylim(len(ordered) - 0.4, -0.6)
    place.grid(visible=False, axis="y")
    for height, (above, entry) in enumerate(pairwise(ordered)):
        if entry.track != above.track or entry.identity != above.identity:
            place.axhline(height + 0.5, color="#b0b0b0", linewidth=0.6)


def _runtime(summary: Summary, noise: str) -> Picture | None:
    """Show the leading score against the runtime, a panel per level."""
    metric = summary.leading
    times = summary.milliseconds()
    scores = finite(summary, noise, metric) if metric else pd.DataFrame()
    ids = {*scores["entry"]} if metric else set()
    shown = [e for e in summary.shown(noise) if e.id in ids and (e.id in times or e.identity)]
    if metric is None or all(entry.identity for entry in shown):
        return None
    return Picture(
        safe_name("runtime", noise),
        f"{metric.title} against runtime, {summary.noises[noise]} noise",
        f"{'Up' if metric.higher_is_better else 'Down'} and to the left is better. Vertical bars: "
        "95 % intervals of the mean; horizontal bars: quartiles of the time per image; dashed "
        "line: the identity. Training time is left out.",
        partial(_draw_runtime, summary, scores, shown, noise, metric),
        noise,
    )


def _draw_runtime(
    summary: Summary, scores: pd.DataFrame, shown: Sequence[Entry], noise: str, metric: Score
) -> Figure:
    """Draw a panel per level."""
    times = summary.milliseconds()
    chosen = looks(summary)
    quoted = summary.timing[summary.timing["main"]]
    seconds = [times[entry.id] for entry in shown if not entry.identity]
    subs = (1.0, 2.0, 5.0) if max(seconds) < 20 * min(seconds) else (1.0,)
    spread = quoted[["median_ms", "low_ms", "high_ms"]].to_numpy(float)
    quartiles = dict(zip(quoted["entry"], spread, strict=True))
    levels = pick(summary.levels(noise), 3)
    figure, axes = panels(len(levels), max(2.7, 1.0 + 0.2 * (len(shown) + 3)))
    for place, level in zip(axes, levels, strict=True):
        means = scores[scores["level"] == level]
        for entry in shown:
            found = means.loc[means["entry"] == entry.id, ["mean", "low", "high"]]
            for score in found.to_numpy(float):
                _point(place, chosen[entry.id], score, quartiles.get(entry.id))
        place.set(xscale="log", title=f"σ = {written(level)}")
        place.xaxis.set_major_locator(LogLocator(subs=subs, numticks=4))
        place.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        place.xaxis.set_minor_formatter(NullFormatter())
        place.margins(x=0.12)
    axes[0].set_ylabel(metric.axis)
    what = captions.item(summary.manifest)
    figure.supxlabel(f"Time per {what} in milliseconds (log scale)", fontsize=8)
    legend(figure, summary, shown)
    return figure


def _point(place: Axes, look: Look, score: np.ndarray, time: np.ndarray | None) -> None:
    """Mark a method with its intervals; the identity, whose time says nothing, is a line.

    ``score`` is mean, lower and upper end; ``time`` median, lower and upper quartile.
    """
    mean, low, high = score
    if not look.marker:
        place.axhline(mean, color=look.colour, linestyle=(0, look.dashes))
    elif time is not None:
        thin: dict[str, Any] = {"color": look.colour, "linewidth": 0.8}
        place.plot(time[1:], [mean, mean], **thin)
        place.plot([time[0], time[0]], [low, high], **thin)
        place.plot(time[0], mean, **look.line | {"markersize": 5.5})


def _gain(summary: Summary, noise: str) -> Picture | None:
    """Show every image's gain over the identity."""
    gains = summary.gains[summary.gains["noise"] == noise]
    shown = [entry for entry in summary.shown(noise) if entry.id in {*gains["entry"]}]
    if not shown:
        return None
    metric = summary.metrics.get("psnr") or next(iter(summary.metrics.values()))
    missing = " Images that a method did not complete are missing."
    complete = (summary.scores["completed"] == summary.scores["planned"]).all()
    return Picture(
        safe_name("gain", noise),
        f"Gain in {metric.title} over the identity, image by image, {summary.noises[noise]} noise",
        "One point per image, realisations averaged; boxes show median and quartiles. Left of the "
        f"dashed line a method is worse than doing nothing.{'' if complete else missing}",
        partial(_draw_gain, summary, gains, shown, metric),
        noise,
    )


def _draw_gain(
    summary: Summary, gains: pd.DataFrame, shown: Sequence[Entry], metric: Score
) -> Figure:
    ordered = _by_track(shown)
    order = [entry.id for entry in ordered]
    palette = {identifier: look.colour for identifier, look in looks(summary).items()}
    levels = pick(sorted(gains["level"].unique()), PANELS)
    figure, axes = panels(len(levels), 0.9 + 0.23 * len(ordered), sharey=True)
    for place, level in zip(axes, levels, strict=True):
        part = gains[gains["level"] == level]
        common: Mapping[str, Any] = {
            "data": part, "x": "gain", "y": "entry", "order": order, "hue": "entry",
            "palette": palette, "hue_order": order, "legend": False, "ax": place,
        }  # fmt: skip
        with _same_jitter():
            sns.stripplot(**common, size=2.4, alpha=0.55, jitter=0.22, linewidth=0, zorder=2)
        sns.boxplot(**common, width=0.62, showfliers=False, linewidth=0.8, fill=False, zorder=3)
        place.axvline(0, color=GREY, linewidth=1.0, linestyle=(0, (2, 2)), zorder=1)
        place.set(title=f"σ = {written(level)}", xlabel="", ylabel="")
        _name_methods(place, summary, ordered)
    figure.supxlabel(f"Gain over the identity, {metric.axis}", fontsize=8)
    return figure
