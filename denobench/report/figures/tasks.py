"""Does a score of the image predict its use: a task's score over the leading score of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from matplotlib.figure import Figure

from denobench.files import safe_name
from denobench.noise import written
from denobench.report.data.entries import Score
from denobench.report.data.summary import Summary
from denobench.report.data.tasks import Part, Use, answered, parts, shown, use
from denobench.report.figures.style import Picture, legend, looks, panels
from denobench.tasks import REGIMES, scores

_CLEAN = "#222222"
_SIZES = (4.0, 8.0)  # of the marks, from the lowest level to the highest


def draw_tasks(summary: Summary) -> Iterator[Picture]:
    """Yield, per run, task, model and noise model, its score over the leading score of images."""
    if summary.leading is None:
        return
    for part in parts(summary):
        yield _picture(summary, part, summary.leading)


def _picture(summary: Summary, part: Part, metric: Score) -> Picture:
    regimes = [regime for regime in REGIMES if regime != "random"]
    uses = {regime: use(summary, answered(summary, part, regime), metric) for regime in regimes}
    told = []
    for regime, found in uses.items():
        if found.overall is not None:
            within = "" if found.within is None else f", within levels {found.within}"
            told.append(f"{regime}: {found.overall}{within}")
    *before, task, model, noise = part.names
    sizes = ", ".join(written(level) for level in sorted(part.rows["level"].unique()))
    return Picture(
        safe_name(*before, "use", task, model, noise),
        f"Use over {metric.title}, {part.task}, {part.model} model, "
        f"{summary.noises.get(part.noise, part.noise)} noise",
        f"A point is a method at a level (σ {sizes}, the larger mark the more noise), a grey ring "
        "doing nothing; dotted: clean images. Spearman's rank correlation, with its 95 % bootstrap "
        f"interval over clusters, {'; '.join(told) or 'needs three points'}.",
        partial(_draw, summary, part, uses, metric.axis),
        part.noise,
    )


def _draw(summary: Summary, part: Part, uses: Mapping[str, Use], axis: str) -> Figure:
    """Draw a panel per regime."""
    figure, places = panels(len(uses), 3.0, sharey=True)
    entries, chosen = shown(summary, part), looks(summary)
    levels = sorted(part.rows["level"].unique())
    for place, (regime, found) in zip(places, uses.items(), strict=True):
        for (method, level), (image, task) in found.points.items():
            place.plot(image, task, **_look(chosen[entries[method].id].line, level, levels))
        clean = _clean(part, regime)
        if clean is not None:
            place.axhline(clean, color=_CLEAN, linestyle=(0, (1, 1.5)), linewidth=1.1)
        place.set(title=f"Trained on {regime} images", xlabel=axis)
    places[0].set_ylabel("Dice" if part.outlines else "AUC")
    legend(figure, summary, list(entries.values()))
    return figure


def _look(line: dict[str, Any], level: float, levels: list[float]) -> dict[str, Any]:
    share = levels.index(level) / max(len(levels) - 1, 1)
    size = _SIZES[0] + share * (_SIZES[1] - _SIZES[0])
    marker = line.get("marker") or "o"
    return line | {"linestyle": "none", "marker": marker, "markersize": size}


def _clean(part: Part, regime: str) -> float | None:
    """Return the score of clean images at the lowest level."""
    rows = part.rows
    own = rows[
        (rows["method"] == "clean")
        & (rows["regime"] == regime)
        & (rows["level"] == rows["level"].min())
    ]
    if own.empty:
        return None
    if part.outlines:
        return float(own["dice"].mean())
    return float(scores.auc(own["label"].to_numpy(int), own["score"].to_numpy(float))[0])
