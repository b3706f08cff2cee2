"""Everything the tables and figures show, as tidy frames made once from the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from denobench import trials
from denobench.manifest import Manifest
from denobench.report.data.entries import (
    Entry,
    Manifests,
    Score,
    find_entries,
    find_metrics,
    name_runs,
    noise_title,
    read_rows,
)
from denobench.report.data.pairs import ClusterMeans, paired, reference
from denobench.rows import RunFolder
from denobench.statistics import bootstrap_interval, cluster_means

TRACKS = ("oracle", "estimated", "blind")

# A method that completed fewer of a level's cells is shown, but neither ranked nor allowed to
# shrink the cells that the others are compared on.
COMPARED_FROM = 0.5

_CELL = ["cluster", "image", "realisation"]
_SCORES = ["noise", "level", "metric", "entry", "mean", "low", "high", "n", "clusters"]
_SCORES += ["completed", "planned", "compared", "rank", "below"]


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
    timing: pd.DataFrame
    training: pd.DataFrame
    trials: pd.DataFrame

    @property
    def headline(self) -> list[Score]:
        """The metrics of the main table: PSNR and SSIM where they were taken."""
        return _headline(self.metrics)

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
    manifests = {run: folder.manifest() for run, folder in runs.items()}
    rows = read_rows(runs)
    entries = find_entries(rows, manifests)
    rows = rows[rows["entry"].isin([entry.id for entry in entries])].reset_index(drop=True)
    metrics = find_metrics(rows, manifests)
    first = next(iter(manifests.values()))
    seed = first.seed or 0
    noises = {noise: noise_title(noise, manifests) for noise in pd.unique(rows["noise"])}
    scores, means = _scores(rows, entries, metrics, seed if intervals else None)
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
        paired=paired(means, chosen, _headline(metrics), seed),
        gains=_gains(rows, entries, metrics),
        failures=_failures(rows, entries),
        timing=_timing(runs, manifests, entries),
        training=_attach(runs, "training", entries),
        trials=_trials(runs, entries),
    )


def _headline(metrics: Mapping[str, Score]) -> list[Score]:
    found = [metrics[name] for name in ("psnr", "ssim") if name in metrics]
    return found or list(metrics.values())[:2]


def _by_level(rows: pd.DataFrame) -> Iterator[tuple[tuple[str, float], pd.DataFrame]]:
    """Yield the cells of every noise model and level, in order."""
    for noise, found in rows.groupby("noise"):
        for level in sorted(found["level"].unique()):
            yield (str(noise), float(level)), found[found["level"] == level]


def _wide(cells: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the scores of completed cells, one column per entry."""
    completed = cells[cells["status"] == "ok"]
    return completed.pivot(index=_CELL, columns="entry", values=metric)


def _completed(cells: pd.DataFrame) -> tuple[pd.Series, int]:
    """Return how many cells each entry completed, and how many there are."""
    completed = (cells["status"] == "ok").groupby(cells["entry"]).sum()
    return completed, len(cells[["image", "realisation"]].drop_duplicates())


def _scores(
    rows: pd.DataFrame,
    entries: Sequence[Entry],
    metrics: Mapping[str, Score],
    seed: int | None,
) -> tuple[pd.DataFrame, ClusterMeans]:
    """Average every metric at every level, and rank the methods of a track."""
    records = []
    compared_means = {}
    present = rows.groupby("noise")["entry"].agg(set)
    for (noise, level), cells in _by_level(rows):
        completed, planned = _completed(cells)
        shown = [entry for entry in entries if entry.id in present[noise]]
        compared = {
            entry.id for entry in shown if completed.get(entry.id, 0) >= COMPARED_FROM * planned
        }
        for metric in metrics.values():
            wide = _wide(cells, metric.name).reindex(columns=[entry.id for entry in shown])
            common = wide.dropna(subset=[entry.id for entry in shown if entry.id in compared])
            shared = cluster_means(common)
            compared_means[noise, level, metric.name] = shared[
                [entry.id for entry in shown if entry.id in compared]
            ]
            for entry in shown:
                joint = entry.id in compared
                part = common if joint else wide.dropna(subset=[entry.id])
                means = shared if joint else cluster_means(part)
                records.append(
                    {
                        "noise": noise,
                        "level": level,
                        "metric": metric.name,
                        "entry": entry.id,
                        **_average(means, entry, shown, metric, seed),
                        "n": len(part),
                        "completed": int(completed.get(entry.id, 0)),
                        "planned": planned,
                        "compared": joint and len(common) > 0,
                    }
                )
    if not records:
        return pd.DataFrame(columns=_SCORES), compared_means
    scores = pd.DataFrame.from_records(records)
    scores["rank"] = _ranks(scores, entries, metrics)
    return scores[_SCORES], compared_means


def _average(
    means: pd.DataFrame,
    entry: Entry,
    shown: Sequence[Entry],
    metric: Score,
    seed: int | None,
) -> dict[str, Any]:
    """Average one method's means of clusters, and hold them against the identity's."""
    values = means[entry.id].to_numpy(float)
    low, high = (np.nan, np.nan) if seed is None else bootstrap_interval(values, seed=seed)
    mean = values.mean() if values.size else np.nan
    identity = next((other.id for other in shown if other.identity), None)
    nothing = means[identity].mean() if identity else np.nan
    gap = np.round(mean, metric.digits) - np.round(nothing, metric.digits)
    below = not entry.identity and bool(gap < 0 if metric.higher_is_better else gap > 0)
    return {"mean": mean, "low": low, "high": high, "clusters": len(values), "below": below}


def _ranks(
    scores: pd.DataFrame, entries: Sequence[Entry], metrics: Mapping[str, Score]
) -> pd.Series:
    """Mark the best and the second of every track, where it has two or three to compare."""
    track = {entry.id: entry.track for entry in entries if not entry.identity}
    ranks = pd.Series(0, index=scores.index)
    ranked = scores[scores["compared"] & scores["mean"].notna() & scores["entry"].isin(track)]
    for (_, _, name, _), group in ranked.groupby(
        ["noise", "level", "metric", ranked["entry"].map(track)]
    ):
        metric = metrics[str(name)]
        printed = group["mean"].round(metric.digits)
        places = printed.rank(method="dense", ascending=not metric.higher_is_better)
        if len(group) > 1:
            ranks[places.index[places == 1]] = 1
        if len(group) > 2:
            ranks[places.index[places == 2]] = 2
    return ranks


def _gains(
    rows: pd.DataFrame, entries: Sequence[Entry], metrics: Mapping[str, Score]
) -> pd.DataFrame:
    """Return every image's gain over the identity, realisations averaged."""
    columns = ["noise", "level", "entry", "image", "gain"]
    identities = [entry.id for entry in entries if entry.identity]
    metric = metrics.get("psnr") or next(iter(metrics.values()), None)
    frames = []
    for (noise, level), cells in _by_level(rows):
        wide = _wide(cells, metric.name) if metric else pd.DataFrame()
        nothing = [entry for entry in identities if entry in wide]
        if not metric or not nothing:
            continue
        gain = wide.drop(columns=nothing).sub(wide[nothing[0]], axis=0)
        gain = gain.replace([np.inf, -np.inf], np.nan).groupby(level="image").mean()
        gain = gain if metric.higher_is_better else -gain
        tidy = gain.melt(ignore_index=False, var_name="entry", value_name="gain").reset_index()
        frames.append(tidy.dropna().assign(noise=noise, level=level)[columns])
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _failures(rows: pd.DataFrame, entries: Sequence[Entry]) -> pd.DataFrame:
    """Count the cells that did not complete, by method, noise and reason."""
    failed = rows[rows["status"] != "ok"]
    reason = failed["error"].str.strip().str.split("\n").str[0].replace("", "no reason recorded")
    order = {entry.id: place for place, entry in enumerate(entries)}
    kind = reason.str.replace(r"[-+]?\d[\d.]*(?:e[-+]?\d+)?", "#", regex=True)
    groups = failed.assign(reason=reason, kind=kind).groupby(
        ["entry", "noise", "status", "kind"], as_index=False
    )
    counted = groups.agg(
        levels=("level", lambda found: ", ".join(f"{level:g}" for level in sorted({*found}))),
        cells=("key", "size"),
        reason=("reason", "first"),
    ).drop(columns="kind")
    return counted.sort_values(
        ["entry", "cells"],
        key=lambda c: c.map(order) if c.name == "entry" else -c,
        ignore_index=True,
    )


def _attach(runs: Mapping[str, RunFolder], name: str, entries: Sequence[Entry]) -> pd.DataFrame:
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
        return trials.summarise(pd.DataFrame(columns=trials.SCOPE)).assign(entry="")
    cells["levels"] = cells["levels"].astype(str)
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
    side = timing["size"].astype(str).str.split("x").str[0]
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
