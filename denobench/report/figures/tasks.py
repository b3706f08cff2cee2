"""Does a score of the image predict its use: a task's score over PSNR."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from denobench.files import safe_name
from denobench.report.data.entries import Entry
from denobench.report.data.summary import Summary
from denobench.report.figures.style import (
    GREY,
    Picture,
    legend,
    looks,
    panels,
)
from denobench.seeds import generator
from denobench.tasks import REGIMES, scores

_RESAMPLES = 100

# By method and level: the mean score of images, and the AUC.
Points = dict[tuple[str, float], tuple[float, float]]


def draw_tasks(summary: Summary) -> Iterator[Picture]:
    """Yield, per run, task, model and noise model, the AUC over the leading score of images."""
    for run, folder in summary.folders.items():
        rows = folder.table("tasks")
        if rows.empty or summary.leading is None:
            continue
        several = len(summary.folders) > 1
        for (task, model, noise), part in rows.groupby(["task", "model", "noise"], sort=False):
            names = (*([run] if several else []), "use", str(task), str(model), str(noise))
            yield _picture(summary, run, safe_name(*names), f"{task}, {model} model", part)


def _picture(summary: Summary, run: str, name: str, title: str, rows: pd.DataFrame) -> Picture:
    noise, metric = str(rows["noise"].iloc[0]), summary.leading
    assert metric is not None
    entries = {
        "noisy" if entry.identity else entry.name: entry
        for entry in summary.shown(noise)
        if entry.run == run
    }
    parts = {regime: rows[rows["regime"] == regime] for regime in REGIMES}
    points = {
        regime: _points(summary, metric.name, entries, part) for regime, part in parts.items()
    }
    told = [
        f"{regime}: {_correlation(summary, metric.name, entries, part)}"
        for regime, part in parts.items()
        if len(points[regime]) > 2
    ]
    return Picture(
        name,
        f"Use over {metric.title}, {title}, {summary.noises.get(noise, noise)} noise",
        f"A point is a method at a level; dashed: clean images. Spearman's rank correlation, with "
        f"its 95 % bootstrap interval over clusters, {'; '.join(told) or 'needs three points'}.",
        partial(_draw, summary, entries, parts, points, metric.axis),
        noise,
    )


def _draw(
    summary: Summary,
    entries: Mapping[str, Entry],
    parts: Mapping[str, pd.DataFrame],
    points: Mapping[str, Points],
    axis: str,
) -> Figure:
    """Draw a panel per regime."""
    figure, places = panels(len(parts), 3.0, sharey=True)
    chosen = looks(summary)
    for place, (regime, part) in zip(places, parts.items(), strict=True):
        for (method, _), (image_score, task_score) in points[regime].items():
            place.plot(image_score, task_score, **_look(chosen[entries[method].id].line))
        clean = part[(part["method"] == "clean") & (part["level"] == part["level"].iloc[0])]
        if not clean.empty:
            top = scores.auc(clean["label"].to_numpy(int), clean["score"].to_numpy(float))[0]
            place.axhline(float(top), color=GREY, linestyle=(0, (4, 2)), linewidth=0.9)
        place.set(title=f"Trained on {regime} images", xlabel=axis)
    places[0].set_ylabel("AUC")
    legend(figure, summary, list(entries.values()))
    return figure


def _look(line: dict[str, Any]) -> dict[str, Any]:
    return line | {"linestyle": "none", "marker": line.get("marker") or "o"}


def _points(summary: Summary, metric: str, entries: dict[str, Entry], part: pd.DataFrame) -> Points:
    """Return the mean score of images and the AUC, by method and level."""
    found = {}
    for (method, level), own in part[part["method"].isin(entries)].groupby(["method", "level"]):
        rows = summary.rows
        shown = rows[(rows["entry"] == entries[str(method)].id) & (rows["level"] == level)]
        values = shown.set_index("image")[metric].groupby(level=0).mean()
        images = own["image"].map(values)
        use = scores.auc(own["label"].to_numpy(int), own["score"].to_numpy(float))[0]
        found[str(method), float(str(level))] = (float(images.mean()), float(use))
    return found


def _correlation(
    summary: Summary, metric: str, entries: dict[str, Entry], part: pd.DataFrame
) -> str:
    """Return the rank correlation over methods and levels, as text with its interval."""
    observed = _points(summary, metric, entries, part)
    rho = spearmanr(*zip(*observed.values(), strict=True)).statistic
    clusters = part["cluster"].unique()
    members = dict([*part.groupby("cluster")])
    rng = generator("tasks correlation", summary.manifests[next(iter(summary.manifests))].seed or 0)
    drawn = []
    for _ in range(_RESAMPLES):
        some = rng.choice(clusters, len(clusters))
        again = _points(summary, metric, entries, pd.concat([members[name] for name in some]))
        values = np.array([*again.values()])
        if np.isfinite(values).all():
            drawn.append(spearmanr(values[:, 0], values[:, 1]).statistic)
    low, high = scores.interval(np.array(drawn)) if drawn else (np.nan, np.nan)
    return f"{rho:+.2f} [{low:+.2f}, {high:+.2f}]".replace("-", "−")
