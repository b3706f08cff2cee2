"""The comparison as paragraphs that a paper can use: what was found, how, and with what limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from denobench.noise import MEASURED, written
from denobench.report.data.entries import Entry, Score
from denobench.report.data.summary import TRACKS, Summary
from denobench.report.text import captions
from denobench.report.text.captions import count, listing

TOLD = {
    "oracle": "told the true σ",
    "estimated": "told an estimate of σ",
    "blind": "told nothing of σ",
}


def paragraphs(summary: Summary) -> list[str]:
    """Return what was found per noise model, what was done, and what limits it; numbers by table.

    Without any score there is nothing to tell.
    """
    metric = summary.leading
    if metric is None:
        return []
    found = [_findings(summary, noise, metric) for noise in summary.noises]
    limits = [*captions.remarks(summary), *captions.missing(summary, summary.metrics.values())]
    return [*found, _methods(summary), *([" ".join(limits)] if limits else [])]


def _methods(summary: Summary) -> str:
    manifest = summary.manifest
    version = manifest.versions.get("denobench")
    noises = [
        f"{title} noise of σ = {listing(written(level) for level in summary.levels(noise))}"
        for noise, title in summary.noises.items()
    ]
    # The scanner's noise is in the images: no field of it is drawn.
    seen = "noisy images" if MEASURED in summary.noises else "noise fields"
    labels = [entry.label for entry in summary.entries if not entry.identity]
    intervals = (
        f"Means are over {captions.noun_of(manifest)}s, with 95 % BCa bootstrap intervals."
        if summary.scores["low"].notna().any()
        else ""
    )
    parts = (
        f"We compared {listing(labels)} with denobench{f' {version}' if version else ''} under "
        f"{listing(noises)} (fractions of full scale), the same {seen} for every method.",
        f"{captions.images(summary, next(iter(summary.noises)))}.",
        captions.split(manifest),
        captions.tuning(manifest),
        captions.scoring(manifest),
        intervals,
        captions.references(manifest),
    )
    return " ".join(filter(None, parts))


def _findings(summary: Summary, noise: str, metric: Score) -> str:
    """Say who is best on every track, who differs from the reference, and who does harm."""
    scores = summary.scores
    scores = scores[
        (scores["noise"] == noise) & (scores["metric"] == metric.name) & scores["compared"]
    ]
    sentences = []
    for track in TRACKS:
        entries = [e for e in summary.shown(noise) if e.track == track and not e.identity]
        ranked = scores[scores["entry"].isin([entry.id for entry in entries])]
        if ranked["entry"].nunique():
            sentences.append(_best(ranked, entries, metric, TOLD[track]))
    if not sentences:
        return f"{summary.noises[noise]} noise: no method completed enough cells to be compared."
    sentences += [*_compared(summary, noise, metric), *_harmful(summary, scores, metric)]
    tables = f"Means and intervals are in the table quality-{noise}"
    if ((summary.paired["noise"] == noise) & (summary.paired["metric"] == metric.name)).any():
        tables += f", differences and tests in paired-{metric.name}-{noise}"
    first, *rest = sentences
    return " ".join(
        [f"Under {summary.noises[noise]} noise, {first}", *map(_sentence, rest), f"{tables}."]
    )


def _sentence(text: str) -> str:
    return text.replace("among", "Among", 1) if text.startswith("among") else text


def _best(ranked: pd.DataFrame, entries: list[Entry], metric: Score, told: str) -> str:
    """Say which method of a track leads, where, and by how much."""
    names = {entry.id: entry.label for entry in entries}
    highest = "highest" if metric.higher_is_better else "lowest"
    if ranked["entry"].nunique() == 1:
        alone = names[ranked["entry"].iloc[0]]
        means = _span(ranked, metric)
        return f"{alone} was the only method {told}, with a mean {metric.title} of {means}."
    best = ranked[ranked["rank"] == 1]
    winners: dict[tuple[float, ...], list[str]] = {}
    for entry in entries:
        levels = tuple(sorted(best.loc[best["entry"] == entry.id, "level"]))
        if levels:
            winners.setdefault(levels, []).append(entry.label)
    parts: list[str] = []
    for levels, labels in winners.items():
        won = best[best["level"].isin(levels)].drop_duplicates("level")
        equal = ", equal as printed" if len(labels) > 1 else ""
        verb = "" if parts else f" had the {highest} mean {metric.title}"
        where = captions.levels(levels, ranked["level"])
        parts.append(f"{listing(labels)}{verb} {where} ({_span(won, metric)}{equal})")
    margin = captions.margin(ranked, metric)
    ahead = f", {margin} ahead of the next" if margin else ""
    return f"among the methods {told}, {listing(parts)}{ahead}."


def _span(scores: pd.DataFrame, metric: Score) -> str:
    """Return the means over the levels: one or two, or the first and the last."""
    ordered = scores.sort_values("level")["mean"]
    texts = [metric.text(ordered.iloc[0]), metric.text(ordered.iloc[-1])]
    between = " and " if len(ordered) == 2 else " to "
    return between.join(dict.fromkeys(texts)) + captions.unit(metric)


def _compared(summary: Summary, noise: str, metric: Score) -> Iterator[str]:
    """Say which methods differ from the reference by its tests, and by how much."""
    pairs = summary.paired
    pairs = pairs[(pairs["noise"] == noise) & (pairs["metric"] == metric.name)]
    if summary.reference is None or pairs.empty:
        return
    label = summary.reference.label
    if pairs["different"].isna().all():
        yield captions.powerless(pairs, captions.noun_of(summary.manifest))
        return
    groups: dict[str, list[str]] = {"better": [], "worse": [], "": []}
    for entry in summary.entries:
        own = pairs[pairs["entry"] == entry.id]
        if own.empty or entry.identity:
            continue
        told = own[own["different"] == True]  # noqa: E712 - None is neither
        kinds = {"better" if effect > 0 else "worse" for effect in told["effect"]}
        for kind in sorted(kinds):
            part = told[(told["effect"] > 0) == (kind == "better")]
            groups[kind].append(_difference(entry, part, own["level"], metric))
        if not kinds:
            groups[""].append(entry.label)
    clusters = listing(str(n) for n in sorted(pairs["clusters"].unique()))
    noun = captions.noun_of(summary.manifest)
    parts = [
        f"{kind} {_were(found)} {listing(found)}"
        for kind, found in groups.items()
        if kind and found
    ]
    if groups[""]:
        parts.append(f"not told apart from it {_were(groups[''])} {listing(groups[''])}")
    yield (
        f"Against {label} (two-sided Wilcoxon signed-rank tests over N = {clusters} {noun}s at "
        f"5 %, Holm's adjustment for {count(len(pairs), 'comparison')}), {'; '.join(parts)}."
    )


def _were(names: list[str]) -> str:
    return "was" if len(names) == 1 else "were"


def _difference(entry: Entry, part: pd.DataFrame, every: Iterable[float], metric: Score) -> str:
    where = captions.levels(tuple(part["level"]), pd.Series([*every]))
    sizes = part["difference"].abs()
    size = " to ".join(dict.fromkeys(metric.text(end) for end in (sizes.min(), sizes.max())))
    return f"{entry.label} {where} (by {size}{captions.unit(metric)})"


def _harmful(summary: Summary, scores: pd.DataFrame, metric: Score) -> Iterator[str]:
    """Name the methods that are worse than doing nothing."""
    found = []
    for entry in summary.entries:
        own = scores[scores["entry"] == entry.id]
        below = own[own["below"]]
        if not below.empty:
            found.append(f"{entry.label} {captions.levels(tuple(below['level']), own['level'])}")
    if found:
        yield f"Worse in {metric.title} than leaving the noise alone: {listing(found)}."
