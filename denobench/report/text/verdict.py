"""The comparison in sentences, made from the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from denobench.report.data.entries import Entry, Score
from denobench.report.data.summary import TRACKS, Summary
from denobench.report.text.captions import count, levels, listing, margin, missing, remarks, unit

VERDICT, WARNING, FAILURE = "verdict", "warning", "failure"


@dataclass(frozen=True)
class Line:
    """A sentence, and whether it is a verdict, a warning or a failure."""

    kind: str
    text: str


def judge(summary: Summary) -> list[Line]:
    """Return what a reader should know first: who leads each track, and what to beware of."""
    lines = [Line(VERDICT, text) for noise in summary.noises for text in _leaders(summary, noise)]
    lines += [Line(WARNING, text) for text in _below(summary)]
    lines += [
        Line(WARNING, text)
        for text in (
            *remarks(summary),
            *missing(summary, summary.metrics.values()),
            *_unfinished(summary),
        )
    ]
    if not any(entry.identity for entry in summary.entries):
        lines.append(Line(WARNING, "The identity was not run: nothing shows who is worse than it."))
    return lines + [Line(FAILURE, text) for text in _failed(summary)]


def _leaders(summary: Summary, noise: str) -> Iterator[str]:
    """Say, track by track, which method has the best leading score at which levels."""
    metric = summary.leading
    if metric is None:
        return
    scores = summary.scores
    scores = scores[
        (scores["noise"] == noise) & (scores["metric"] == metric.name) & scores["compared"]
    ]
    for track in TRACKS:
        entries = [e for e in summary.shown(noise) if e.track == track and not e.identity]
        ranked = scores[scores["entry"].isin([entry.id for entry in entries])]
        if ranked.empty:
            continue
        head = f"{summary.noises[noise]} noise, {track} track"
        if ranked["entry"].nunique() == 1:
            alone = summary.entry(ranked["entry"].iloc[0])
            yield f"{head}: {alone.label} alone, {metric.title} {_values(ranked, metric)}."
        else:
            yield f"{head}: {_wins(ranked, entries, metric)}."


def _wins(ranked: pd.DataFrame, entries: Sequence[Entry], metric: Score) -> str:
    """Return the best methods with their levels and values, and how far behind the next is."""
    best = ranked[ranked["rank"] == 1]
    parts: list[str] = []
    for entry in entries:
        won = best[best["entry"] == entry.id]
        if not won.empty:
            where_won = levels(tuple(won["level"]), ranked["level"])
            verb = "" if parts else f" leads in {metric.title}"
            parts.append(f"{entry.label}{verb} {where_won} ({_values(won, metric)})")
    return "; ".join(parts) + _behind(ranked, metric)


def _behind(ranked: pd.DataFrame, metric: Score) -> str:
    ahead = margin(ranked, metric)
    return f"; the next is {ahead} behind" if ahead else ""


def _values(scores: pd.DataFrame, metric: Score) -> str:
    """Return the means, level by level: ``31.19, 27.61 dB``."""
    return ", ".join(metric.text(mean) for mean in scores["mean"]) + unit(metric)


def _below(summary: Summary) -> Iterator[str]:
    """Name the methods whose leading scores are worse than doing nothing."""
    titles = {metric.name: metric.title for metric in summary.headline}
    below = summary.scores[summary.scores["below"] & summary.scores["metric"].isin([*titles])]
    for entry in summary.entries:
        places = []
        for noise, title in summary.noises.items():
            found = below[(below["entry"] == entry.id) & (below["noise"] == noise)]
            every = pd.Series(summary.levels(noise))
            places_of: dict[str, list[str]] = {}
            for metric, part in found.groupby("metric", sort=False):
                places_of.setdefault(levels(tuple(part["level"]), every), []).append(
                    titles[str(metric)]
                )
            where = [f"{listing(names)} {level}" for level, names in places_of.items()]
            if where:
                places.append(f"{title} noise, {', '.join(where)}")
        if places:
            yield f"{entry.label} is below the identity, worse than doing nothing: " + (
                f"{'; '.join(places)}."
            )


def _unfinished(summary: Summary) -> Iterator[str]:
    """Say which runs stopped before their plan's end."""
    for run, folder in summary.folders.items():
        planned = folder.planned() or set()
        missing = len(planned - set(folder.frame()["key"]))
        if missing:
            cells = count(len(planned), "cell")
            yield f"{run} is unfinished: {missing} of {cells} have no row yet."


def _failed(summary: Summary) -> Iterator[str]:
    """Say of every method how many cells failed, and the most frequent reason."""
    for entry in summary.entries:
        found = summary.failures[summary.failures["entry"] == entry.id]
        if found.empty:
            continue
        planned = int((summary.rows["entry"] == entry.id).sum())
        statuses = found.groupby("status")["cells"].sum()
        counted = listing(f"{cells} {status}" for status, cells in statuses.items())
        reason = found.sort_values("cells")["reason"].iloc[-1]
        yield f"{entry.label}: {counted} of {count(planned, 'cell')} ({reason})."
