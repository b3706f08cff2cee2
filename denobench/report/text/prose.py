"""The comparison as a paragraph that a paper can use, every number taken from the run."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from denobench.report.data.entries import Score
from denobench.report.data.summary import Summary
from denobench.report.text import captions
from denobench.report.text.captions import listing, p_text


def paragraphs(summary: Summary) -> list[str]:
    """Return what was done and, per noise model, what was found."""
    metric = next(iter(summary.headline), None)
    if metric is None:
        return []
    return [_methods(summary), *(_findings(summary, noise, metric) for noise in summary.noises)]


def _methods(summary: Summary) -> str:
    manifest = summary.manifest
    version = manifest.versions.get("denobench")
    noises = [
        f"{title} noise of σ = {listing(f'{level:g}' for level in summary.levels(noise))}"
        for noise, title in summary.noises.items()
    ]
    labels = [entry.label for entry in summary.entries if not entry.identity]
    return (
        f"We compared {listing(labels)} with denobench{f' {version}' if version else ''} under "
        f"{listing(noises)} (fractions of full scale), the same noise fields for every method. "
        f"{captions.images(summary, next(iter(summary.noises)))}. {captions.split(manifest)} "
        f"{captions.tuning(manifest)} {captions.scoring(manifest)} {captions.references(manifest)}"
    )


def _findings(summary: Summary, noise: str, metric: Score) -> str:
    scores = summary.scores
    scores = scores[(scores["noise"] == noise) & (scores["metric"] == metric.name)]
    scores = scores[scores["compared"]]
    values = []
    for entry in summary.shown(noise):
        found = scores[scores["entry"] == entry.id]
        if not found.empty:
            means = listing(_mean(row, metric) for _, row in found.iterrows())
            values.append(f"{entry.label} {means}")
    unit = f" {metric.unit}" if metric.unit else ""
    text = (
        f"{summary.noises[noise]} noise: mean {metric.title} in order of the levels was "
        f"{'; '.join(values)}{unit} (brackets: 95 % BCa bootstrap intervals over clusters)."
    )
    pairs = summary.paired
    pairs = pairs[(pairs["noise"] == noise) & (pairs["metric"] == metric.name)]
    if summary.reference is None or pairs.empty:
        return text
    return (
        f"{text} Paired differences to {summary.reference.label}{f' in{unit}' * bool(unit)}: "
        f"{'; '.join(_pairs(summary, pairs, metric))} (two-sided Wilcoxon signed-rank tests over "
        "clusters, adjusted by Holm; r is the matched-pairs rank-biserial correlation)."
    )


def _mean(row: pd.Series, metric: Score) -> str:
    text = metric.text(row["mean"])
    if pd.isna(row["low"]):
        return text
    return f"{text} [{metric.text(row['low'])}, {metric.text(row['high'])}]"


def _pairs(summary: Summary, pairs: pd.DataFrame, metric: Score) -> Iterator[str]:
    for entry in summary.entries:
        found = pairs[(pairs["entry"] == entry.id) & ~entry.identity]
        parts = [
            f"{row['difference']:+.{metric.digits}f} at {row['level']:g} "
            f"({p_text(row['p_holm'])}, r = {row['effect']:+.2f})"
            for _, row in found.iterrows()
        ]
        if parts:
            yield f"{entry.label} {listing(parts)}".replace("-", "−")
