"""Everything the tables and figures show, as tidy frames made once from the rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from denobench import records, trials
from denobench.manifest import Manifest
from denobench.noise import written
from denobench.printable import one_line
from denobench.report.data.entries import (
    Entry,
    Manifests,
    Score,
    find_entries,
    find_metrics,
    legible,
    name_runs,
    noise_title,
    read_rows,
)
from denobench.report.data.pairs import ClusterMeans, paired, reference
from denobench.report.data.scores import take_gains, take_means
from denobench.rows import RunFolder

TRACKS = ("oracle", "estimated", "blind")


@dataclass(frozen=True)
class Summary:
    """One or more runs, ready to be shown.

    Attributes
    ----------
    folders, manifests
        By the run's name.
    entries
        The methods: identities first, then in the configs' order.
    metrics, noises
        Scores, and titles of noise models, by name.
    rows
        All rows, with the column ``entry``.
    scores
        Per noise, level, metric and entry: ``mean``, ``low`` and ``high`` over clusters, ``n``
        cells and ``clusters`` they come from, ``completed`` of ``planned`` cells, ``compared``,
        ``rank`` (1 best, 2 second of the track, else 0) and ``below`` (the identity).
    means
        Per noise, level and metric: the means of clusters, one column per compared entry.
    reference
        The method that others are held against, or None.
    paired
        The differences to it; see `denobench.report.data.pairs.paired`.
    gains
        Per noise, level, entry and image: ``gain`` of the leading metric over the identity.
    failures
        Per entry, noise, status and reason: ``levels`` and the number of ``cells``.
    missing
        Per metric and reason: ``cells`` that were completed and have no such score.
    timing, training
        The runs' tables, with the column ``entry``; ``main`` marks the timing that is quoted.
    trials
        What tuning tried, with the column ``entry``; see `denobench.trials.summarise`.
    """

    folders: Mapping[str, RunFolder]
    manifests: Manifests
    entries: tuple[Entry, ...]
    metrics: Mapping[str, Score]
    noises: Mapping[str, str]
    rows: pd.DataFrame
    scores: pd.DataFrame
    means: ClusterMeans
    reference: Entry | None
    paired: pd.DataFrame
    gains: pd.DataFrame
    failures: pd.DataFrame
    missing: pd.DataFrame
    timing: pd.DataFrame
    training: pd.DataFrame
    trials: pd.DataFrame

    @property
    def headline(self) -> list[Score]:
        """The metrics of the main table: PSNR and SSIM where they were taken."""
        return _headline(self.metrics)

    @property
    def referenced(self) -> bool:
        """Whether anything was scored against a reference."""
        return any(not metric.estimate for metric in self.metrics.values())

    @property
    def leading(self) -> Score | None:
        """The metric that verdicts, gains and ranks are about: the first that has any score."""
        scored = self.scores.loc[self.scores["mean"].notna(), "metric"]
        ranking = [metric for metric in self.headline if not metric.estimate]
        return next((metric for metric in ranking if metric.name in {*scored}), None)

    @property
    def manifest(self) -> Manifest:
        """The first run's manifest."""
        return next(iter(self.manifests.values()))

    def entry(self, identifier: str) -> Entry:
        """Return the entry of an id."""
        return next(entry for entry in self.entries if entry.id == identifier)

    def shown(self, noise: str) -> list[Entry]:
        """Return the entries that have rows of a noise model."""
        present = set(self.rows.loc[self.rows["noise"] == noise, "entry"])
        return [entry for entry in self.entries if entry.id in present]

    def levels(self, noise: str) -> list[float]:
        """Return the levels of a noise model, ascending."""
        return sorted(self.rows.loc[self.rows["noise"] == noise, "level"].unique())

    def milliseconds(self) -> dict[str, float]:
        """Return the median time per image of every entry that was timed."""
        if self.timing.empty:
            return {}
        quoted = self.timing[self.timing["main"]]
        return dict(zip(quoted["entry"], quoted["median_ms"], strict=True))


def summarise(folders: Sequence[RunFolder], *, intervals: bool = True) -> Summary:
    """Summarise one or more runs.

    Parameters
    ----------
    folders
        The runs' folders; methods are told apart by run where one occurs in several.
    intervals
        Whether to bootstrap; without, ``low`` and ``high`` are NaN.

    Raises
    ------
    DenobenchError
        If a run has no rows, or the runs did not score the same noisy images.
    """
    runs = name_runs(folders)
    manifests = {run: legible(folder.manifest()) for run, folder in runs.items()}
    rows = read_rows(runs)
    entries = find_entries(rows, manifests)
    rows = rows[rows["entry"].isin([entry.id for entry in entries])].reset_index(drop=True)
    missing = _missing(rows)
    # A metric that every cell lacks has its column, too, and the table says why it is empty.
    rows = rows.assign(**dict.fromkeys({*missing["metric"]} - {*rows.columns}, np.nan))
    metrics = find_metrics(rows, manifests, missing["metric"])
    first = next(iter(manifests.values()))
    seed = first.seed or 0
    noises = {noise: noise_title(noise, manifests) for noise in pd.unique(rows["noise"])}
    scores, means = take_means(rows, entries, metrics, seed if intervals else None)
    chosen = reference(entries, first.settings.reference)
    return Summary(
        folders=runs,
        manifests=manifests,
        entries=entries,
        metrics=metrics,
        noises=noises,
        rows=rows,
        scores=scores,
        means=means,
        reference=chosen,
        paired=paired(means, chosen, _ranking(metrics), seed),
        gains=take_gains(rows, entries, metrics),
        failures=_failures(rows, entries),
        missing=missing,
        timing=_timing(runs, manifests, entries),
        training=_attach(runs, "training", entries),
        trials=_trials(runs, entries),
    )


def _headline(metrics: Mapping[str, Score]) -> list[Score]:
    found = [metrics[name] for name in ("psnr", "ssim") if name in metrics]
    return found or list(metrics.values())[:2]


def _ranking(metrics: Mapping[str, Score]) -> list[Score]:
    """Return the headline's scores that rank methods: none that is estimated."""
    return [metric for metric in _headline(metrics) if not metric.estimate]


def _failures(rows: pd.DataFrame, entries: Sequence[Entry]) -> pd.DataFrame:
    """Count the cells that did not complete, by method, noise and reason."""
    failed = rows[rows["status"] != "ok"]
    reason = failed["error"].str.strip().str.split("\n").str[0].map(one_line)
    reason = reason.replace("", "no reason recorded")
    order = {entry.id: place for place, entry in enumerate(entries)}
    kind = reason.str.replace(r"[-+]?\d[\d.]*(?:e[-+]?\d+)?", "#", regex=True)
    groups = failed.assign(reason=reason, kind=kind).groupby(
        ["entry", "noise", "status", "kind"], as_index=False
    )
    counted = groups.agg(
        levels=("level", lambda found: ", ".join(written(level) for level in sorted({*found}))),
        cells=("key", "size"),
        reason=("reason", "first"),
    ).drop(columns="kind")
    return counted.sort_values(
        ["entry", "cells"],
        key=lambda c: c.map(order) if c.name == "entry" else -c,
        ignore_index=True,
    )


def _missing(rows: pd.DataFrame) -> pd.DataFrame:
    """Count the cells in which a metric that was asked for gave no score, by reason."""
    columns = ["metric", "reason", "cells"]
    if "missing" not in rows:
        return pd.DataFrame(columns=columns)
    told = rows.loc[rows["missing"].fillna("") != "", "missing"]
    found = [
        (metric, one_line(reason)) for text in told for metric, reason in json.loads(text).items()
    ]
    counted = pd.DataFrame(found, columns=columns[:2]).groupby(columns[:2], as_index=False)
    return counted.size().rename(columns={"size": "cells"})


def _attach(
    runs: Mapping[str, RunFolder], name: records.Name, entries: Sequence[Entry]
) -> pd.DataFrame:
    """Read a table of every run and add the column ``entry``."""
    frames = []
    for run, folder in runs.items():
        table = folder.table(name)
        if not table.empty:
            frames.append(table.assign(entry=run + "/" + table["method"].astype(str)))
    if not frames:
        return pd.DataFrame()
    table = pd.concat(frames, ignore_index=True)
    return table[table["entry"].isin([entry.id for entry in entries])].reset_index(drop=True)


def _trials(runs: Mapping[str, RunFolder], entries: Sequence[Entry]) -> pd.DataFrame:
    """Sum up what tuning tried, method by method."""
    cells = _attach(runs, "tuning", entries)
    if cells.empty:
        return trials.summarise(cells).assign(entry="")
    found = [trials.summarise(part).assign(entry=entry) for entry, part in cells.groupby("entry")]
    return pd.concat(found, ignore_index=True)


def _timing(
    runs: Mapping[str, RunFolder],
    manifests: Manifests,
    entries: Sequence[Entry],
) -> pd.DataFrame:
    """Read the timings and mark, per entry, the one at the run's size on the fewest threads."""
    timing = _attach(runs, "timing", entries)
    if timing.empty:
        return timing
    names = ("repeats", "median_ms", "low_ms", "high_ms", "min_ms", "max_ms", "cold_ms", "peak_mb")
    for name in names:
        timing[name] = timing.get(name, np.nan)
    run = timing["entry"].map({entry.id: entry.run for entry in entries})
    sizes = {name: str(manifest.size) for name, manifest in manifests.items()}
    side = timing["size"].astype(str).str.split("x").str[-1]
    order = timing.assign(other=side != run.map(sizes)).sort_values(
        ["other", "threads"], kind="stable"
    )
    timed = order[(order["status"] == "ok") & order["median_ms"].notna()]
    timing["main"] = timing.index.isin(timed.drop_duplicates("entry").index)
    return timing


def finite(summary: Summary, noise: str, metric: Score) -> pd.DataFrame:
    """Return the scores of a noise model and metric that are finite numbers."""
    scores = summary.scores
    scores = scores[(scores["noise"] == noise) & (scores["metric"] == metric.name)]
    return scores[np.isfinite(scores["mean"])]
