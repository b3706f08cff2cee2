"""How scores fall when methods are told a wrong sigma: of runs that tell several multiples."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from textwrap import fill

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from denobench.files import safe_name
from denobench.noise import written
from denobench.printable import one_line
from denobench.report.data.entries import Entry
from denobench.report.data.summary import Summary, finite
from denobench.report.figures.style import (
    PANELS,
    Picture,
    add_legend,
    drawable,
    look,
    panels,
    pick,
)
from denobench.report.text.captions import noun_of

# A method, and its entries by the multiple of sigma that they are told.
Family = tuple[str, dict[float, Entry]]


def draw_sensitivity(summary: Summary) -> Iterator[Picture]:
    """Yield, per noise model, the leading score over the multiple of sigma that is told."""
    for noise in summary.noises:
        families = _families(summary, noise)
        if families and summary.headline:
            yield Picture(
                safe_name("wrong", "sigma", noise),
                f"{summary.headline[0].title} when told a wrong σ, {summary.noises[noise]} noise",
                f"Mean and 95 % bootstrap interval over {noun_of(summary.manifest)}s; dashed "
                "line: the identity.",
                partial(_draw, summary, noise, families),
                noise,
            )


def _families(summary: Summary, noise: str) -> list[Family]:
    """Return the methods that run more than once, alike but for the multiple of sigma."""
    found: dict[str, tuple[str, dict[float, Entry]]] = {}
    for entry in summary.shown(noise):
        told = entry.details
        alike = [told.method, told.track, told.parameters]
        title = told.registered_title or entry.label
        _, members = found.setdefault(json.dumps([entry.run, *alike]), (title, {}))
        members[told.sigma_factor] = entry
    return [family for family in found.values() if len(family[1]) > 1]


def _draw(summary: Summary, noise: str, families: list[Family]) -> Figure:
    metric = summary.headline[0]
    scores = finite(summary, noise, metric)
    levels = pick(summary.levels(noise), PANELS)
    figure, places = panels(len(levels), 2.9)
    factors = sorted({factor for _, members in families for factor in members})
    for place, level in zip(places, levels, strict=True):
        rows = scores[scores["level"] == level].set_index("entry")
        for number, (_, members) in enumerate(families):
            known = [factor for factor in sorted(members) if members[factor].id in rows.index]
            found = rows.loc[[members[factor].id for factor in known]]
            place.plot(known, found["mean"], **look(number).line)
            colour = look(number).colour
            place.fill_between(
                known, found["low"], found["high"], color=colour, alpha=0.12, linewidth=0
            )
        identity = [entry.id for entry in summary.entries if entry.identity]
        for nothing in rows.loc[rows.index.isin(identity), "mean"]:
            place.axhline(nothing, color="#6b6b6b", linestyle=(0, (2, 2)), linewidth=1.0)
        place.set(xscale="log", title=f"σ = {written(level)}")
        place.set_xticks(factors, [f"{factor:g}" for factor in factors])
        place.xaxis.set_minor_locator(NullLocator())
    places[0].set_ylabel(metric.axis)
    figure.supxlabel("Told, as a multiple of the true or the estimated σ (log scale)", fontsize=8)
    handles = [Line2D([], [], **look(number).line) for number in range(len(families))]
    titles = [fill(drawable(one_line(title, 44)), 26) for title, _ in families]
    add_legend(figure, handles, titles)
    return figure
