"""Which score of images predicts their use: a task's score over the leading one, and all ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from textwrap import fill
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from denobench.files import safe_name
from denobench.noise import written
from denobench.report.data.entries import Score
from denobench.report.data.summary import Summary
from denobench.report.data.tasks import (
    ASKED,
    Correlation,
    Part,
    Use,
    answered,
    best,
    candidates,
    parts,
    shown,
    use,
)
from denobench.report.figures.style import (
    COLOURS,
    DPI,
    GREY,
    WIDTH,
    Picture,
    add_legend,
    drawable,
    legend,
    looks,
)

_CLEAN = "#222222"
_SIZES = (4.0, 8.0)  # of the marks, from the lowest level to the highest


def draw_tasks(summary: Summary) -> Iterator[Picture]:
    """Yield, per run, task, model and noise model, which score of images goes with its score."""
    if summary.leading is None:
        return
    metrics = {each.name: each for each in (summary.leading, *candidates(summary))}
    for part in parts(summary):
        uses = {
            regime: [use(summary, told, metric) for metric in metrics.values()]
            for regime in ASKED
            if (told := answered(summary, part, regime)).tasks
        }
        if uses:
            yield _picture(summary, part, [*metrics.values()], uses)


def _picture(
    summary: Summary, part: Part, metrics: Sequence[Score], uses: Mapping[str, Sequence[Use]]
) -> Picture:
    *before, task, model, noise = part.names
    leading = metrics[0].title
    sizes = ", ".join(written(level) for level in sorted(part.rows["level"].unique()))
    ranked = any(use.overall for found in uses.values() for use in found)
    ranks = (
        f"Below: Spearman's rank correlation of the {_title(part)} with each score of images, and "
        "its 95 % bootstrap interval over clusters, blue where it leaves out 0; right of 0 better "
        "images are of better use. Full marks: over all methods and levels, where more noise makes "
        "both worse. Open marks: the mean within the levels, which says whether a score chooses "
        "the method."
    )
    return Picture(
        safe_name(*before, "use", task, model, noise),
        f"Use over {leading}, and which score predicts it: {part.task}, {part.model} model, "
        f"{summary.noises.get(part.noise, part.noise)} noise",
        f"Above: a point is a method at a level (σ {sizes}, the larger mark the more noise), a "
        "grey ring doing nothing; dotted: clean images. "
        f"{ranks if ranked else 'Rank correlations need three points.'}",
        partial(_draw, summary, part, metrics, uses, ranked=ranked),
        part.noise,
    )


def _title(part: Part) -> str:
    return "Dice" if part.outlines else "AUC"


def _draw(
    summary: Summary, part: Part, metrics: Sequence[Score], uses: Mapping[str, Sequence[Use]],
    *, ranked: bool,
) -> Figure:  # fmt: skip
    """Draw a column per regime: the points of the leading score, below them all scores' ranks."""
    heights = [3.0, 0.6 + 0.26 * len(metrics)][: 1 + ranked]
    figure = Figure(figsize=(WIDTH, sum(heights)), dpi=DPI, layout="constrained")
    above, *below = figure.subplots(
        len(heights), len(uses), squeeze=False, sharey="row", height_ratios=heights
    )
    for place, (regime, found) in zip(above, uses.items(), strict=True):
        _draw_points(place, summary, part, found[0])
        clean = best(part, regime)
        if clean is not None:
            place.axhline(clean, color=_CLEAN, linestyle=(0, (1, 1.5)), linewidth=1.1)
        place.set(title=f"Trained on {regime} images", xlabel=metrics[0].axis)
        sns.despine(ax=place)
    above[0].set_ylabel(_title(part))
    legend(figure, summary, list(shown(summary, part).values()))
    for row in below:
        for place, found in zip(row, uses.values(), strict=True):
            _draw_ranks(place, found)
        titles = [fill(drawable(each.title), 22) for each in metrics]
        row[0].set(yticks=range(len(metrics)), yticklabels=titles)
        row[0].set_ylim(len(metrics) - 0.5, -0.5)
        row[len(row) // 2].set_xlabel(f"Rank correlation with the {_title(part)}")
        marks = [Line2D([], [], **_mark(GREY, full=full)) for full in (True, False)]
        texts = ["All methods\nand levels", "Within levels"]
        add_legend(figure, marks, texts, loc="outside right lower")
    return figure


def _draw_points(place: Axes, summary: Summary, part: Part, found: Use) -> None:
    entries, chosen = shown(summary, part), looks(summary)
    levels = sorted(part.rows["level"].unique())
    for (method, level), (image, task) in found.points.items():
        place.plot(image, task, **_look(chosen[entries[method].id].line, level, levels))


def _draw_ranks(place: Axes, found: Sequence[Use]) -> None:
    """Draw a row per score of images: its rank correlations with their intervals."""
    place.axvline(0, color=_CLEAN, linewidth=0.8)
    for row, each in enumerate(found):
        _draw_rank(place, each.overall, row - 0.16, full=True)
        _draw_rank(place, each.within, row + 0.16, full=False)
    place.set(xlim=(-1.04, 1.04), xticks=(-1, -0.5, 0, 0.5, 1))
    place.set_xticklabels(["−1", "−0.5", "0", "0.5", "1"])
    place.grid(visible=False, axis="y")
    sns.despine(ax=place, left=True)


def _draw_rank(place: Axes, told: Correlation | None, row: float, *, full: bool) -> None:
    if told is None:
        return
    colour = COLOURS[0] if told.low > 0 or told.high < 0 else GREY
    place.plot([told.low, told.high], [row, row], color=colour, linewidth=1.0)
    place.plot(told.rho, row, **_mark(colour, full=full))


def _mark(colour: str, *, full: bool) -> dict[str, Any]:
    inside = colour if full else "white"
    shape = {"marker": "o", "markersize": 4.0, "linestyle": "none"}
    return shape | {"color": colour, "markerfacecolor": inside, "markeredgecolor": colour}


def _look(line: dict[str, Any], level: float, levels: list[float]) -> dict[str, Any]:
    share = levels.index(level) / max(len(levels) - 1, 1)
    size = _SIZES[0] + share * (_SIZES[1] - _SIZES[0])
    marker = line.get("marker") or "o"
    return line | {"linestyle": "none", "marker": marker, "markersize": size}
