"""What networks give for what they cost: parameters, products, images seen, training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from denobench.files import safe_name
from denobench.manifest import TrainingRecord
from denobench.noise import written
from denobench.report.data.entries import Entry, Score
from denobench.report.data.summary import Summary, finite
from denobench.report.figures.style import Picture, legend, looks, panels

# Field of a record, its axis, and the unit there.
_COSTS = (
    ("parameters", "Parameters\n(thousands)", 1e3),
    ("multiplications", "Products an image\n(billions)", 1e9),
    ("seen", "Images or squares seen\n(thousands)", 1e3),
    ("seconds", "Training\n(minutes)", 60.0),
)
_MOST = 4  # numbers that an axis has room for
_SPAN = 12.0  # an axis' end over its start, at least: room for two marks of 1 and 3


def draw_cost(summary: Summary) -> Iterator[Picture]:
    """Yield a figure of each noise model, of two networks or more whose cost is known."""
    metric = summary.leading
    for noise in summary.noises if metric else ():
        assert metric is not None
        scored = {*finite(summary, noise, metric)["entry"]}
        shown = [entry for entry in summary.shown(noise) if entry.id in scored and _told(entry)]
        if len(shown) > 1:
            levels = summary.levels(noise)
            level = levels[len(levels) // 2]
            yield Picture(
                safe_name("cost", noise),
                f"{metric.title} against the cost of networks, {summary.noises[noise]} noise",
                f"At σ = {written(level)}. Vertical bars: 95 % intervals of the mean. Products are "
                "those of the convolutions as they are defined; the time per image is in the "
                "figure of runtimes.",
                partial(_draw, summary, shown, noise, metric, level),
                noise,
            )


def _told(entry: Entry) -> TrainingRecord | None:
    """Return what a network costs, if it is known."""
    told = entry.details.training
    return told if told and told.parameters else None


def _draw(
    summary: Summary, shown: Sequence[Entry], noise: str, metric: Score, level: float
) -> Figure:
    scores = finite(summary, noise, metric)
    means = scores[scores["level"] == level].set_index("entry")
    chosen = looks(summary)
    figure, places = panels(len(_COSTS), max(2.7, 1.0 + 0.2 * (len(shown) + 3)), sharey=True)
    for place, (name, label, unit) in zip(places, _COSTS, strict=True):
        for entry in shown:
            cost = getattr(_told(entry), name)
            if not cost or entry.id not in means.index:
                continue
            mean, low, high = means.loc[entry.id, ["mean", "low", "high"]].to_numpy(float)
            look = chosen[entry.id]
            place.plot([cost / unit] * 2, [low, high], color=look.colour, linewidth=0.8)
            place.plot(cost / unit, mean, **look.line | {"markersize": 5.5})
        place.set(xscale="log", xlabel=label)
        place.margins(x=0.15)
        low, high = place.get_xlim()
        if high < _SPAN * low:
            place.set_xlim((low * high / _SPAN) ** 0.5, (low * high * _SPAN) ** 0.5)
        place.xaxis.set_major_locator(_places(*place.get_xlim()))
        place.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        place.xaxis.set_minor_formatter(NullFormatter())
    places[0].set_ylabel(metric.axis)
    legend(figure, summary, shown)
    return figure


def _places(low: float, high: float) -> LogLocator:
    """Return where an axis has numbers: at 1 and 3 of decades, or at 1 if those are too many."""
    both = LogLocator(subs=(1.0, 3.0), numticks=9)
    inside = [place for place in both.tick_values(low, high) if low <= place <= high]
    return both if len(inside) <= _MOST else LogLocator(subs=(1.0,), numticks=_MOST)
