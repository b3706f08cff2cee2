"""Scores averaged over clusters, ranked, and image by image against doing nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from denobench.report.data.entries import Entry, Score
from denobench.report.data.pairs import ClusterMeans
from denobench.statistics import bootstrap_intervals, cluster_means

# A method that completed fewer of a level's cells, or has fewer of a score, is shown, but neither
# ranked nor allowed to shrink the cells that the others are compared on.
COMPARED_FROM = 0.5

_CELL = ["cluster", "image", "realisation"]
_SCORES = ["noise", "level", "metric", "entry", "mean", "low", "high", "n", "clusters"]
_SCORES += ["completed", "planned", "compared", "rank", "below"]


def _by_level(rows: pd.DataFrame) -> Iterator[tuple[tuple[str, float], pd.DataFrame]]:
    """Yield the cells of every noise model and level, in order."""
    for noise, found in rows.groupby("noise"):
        for level in sorted(found["level"].unique()):
            yield (str(noise), float(level)), found[found["level"] == level]


def _wide(cells: pd.DataFrame, metrics: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the scores of completed cells by metric, one column per entry."""
    if not metrics:
        return {}
    completed = cells[cells["status"] == "ok"]
    wide = completed.pivot(index=_CELL, columns="entry", values=list(metrics))
    return {metric: pd.DataFrame(wide[metric]) for metric in metrics}


def _completed(cells: pd.DataFrame) -> tuple[pd.Series, int]:
    """Return how many cells each entry completed, and how many there are."""
    completed = (cells["status"] == "ok").groupby(cells["entry"]).sum()
    return completed, len(cells[["image", "realisation"]].drop_duplicates())


def take_means(
    rows: pd.DataFrame,
    entries: Sequence[Entry],
    metrics: Mapping[str, Score],
    seed: int | None,
) -> tuple[pd.DataFrame, ClusterMeans]:
    """Average every metric at every level, and rank the methods of a track.

    Parameters
    ----------
    rows, entries, metrics
        Of all runs.
    seed
        Of the bootstrap; None for no intervals.

    Returns
    -------
    pandas.DataFrame
        `Summary.scores`.
    ClusterMeans
        `Summary.means`.
    """
    records: list[dict[str, Any]] = []
    compared_means = {}
    present = rows.groupby("noise")["entry"].agg(set)
    for (noise, level), cells in _by_level(rows):
        shown = [entry for entry in entries if entry.id in present[noise]]
        counts = _completed(cells)
        wide = _wide(cells, [*metrics])
        for metric in metrics.values():
            where = {"noise": noise, "level": level, "metric": metric.name}
            found, shared = _at_level(wide[metric.name], counts, shown, metric, seed)
            records += [where | record for record in found]
            compared_means[noise, level, metric.name] = shared
    if not records:
        return pd.DataFrame(columns=_SCORES), compared_means
    scores = pd.DataFrame.from_records(records)
    scores["rank"] = _ranks(scores, entries, metrics)
    return scores[_SCORES], compared_means


def _at_level(
    wide: pd.DataFrame,
    counts: tuple[pd.Series, int],
    shown: Sequence[Entry],
    metric: Score,
    seed: int | None,
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Average one metric at one level, method by method, and over clusters of those compared."""
    completed, planned = counts
    wide = wide.reindex(columns=[entry.id for entry in shown])
    given = wide.notna()
    # Images that have no such score, such as a tumour's, count against nobody.
    possible = int(given.any(axis=1).sum())
    scored = given.sum()
    compared = [
        entry.id
        for entry in shown
        if completed.get(entry.id, 0) >= COMPARED_FROM * planned
        and (not possible or scored[entry.id] >= COMPARED_FROM * possible)
    ]
    common = wide.dropna(subset=compared)
    shared = cluster_means(common)
    intervals = _intervals(shared[compared], seed)
    records = []
    for entry in shown:
        joint = entry.id in compared
        part = common if joint else wide.dropna(subset=[entry.id])
        means = shared if joint else cluster_means(part)
        records.append(
            {
                "entry": entry.id,
                **_average(means, entry, shown, metric),
                **(intervals if joint else _intervals(means[[entry.id]], seed))[entry.id],
                "n": len(part),
                "completed": int(completed.get(entry.id, 0)),
                "planned": planned,
                "compared": joint and len(common) > 0,
            }
        )
    return records, shared[compared]


def _intervals(means: pd.DataFrame, seed: int | None) -> dict[str, dict[str, float]]:
    """Return the bootstrap intervals of columns; NaN without a seed."""
    ends = (
        np.full((means.shape[1], 2), np.nan)
        if seed is None
        else bootstrap_intervals(means.to_numpy(float).T, seed=seed)
    )
    return {
        str(name): {"low": float(low), "high": float(high)}
        for name, (low, high) in zip(means.columns, ends, strict=True)
    }


def _average(
    means: pd.DataFrame, entry: Entry, shown: Sequence[Entry], metric: Score
) -> dict[str, Any]:
    """Average one method's means of clusters, and hold them against the identity's."""
    values = means[entry.id].to_numpy(float)
    mean = values.mean() if values.size else np.nan
    identity = next((other.id for other in shown if other.identity), None)
    nothing = means[identity].mean() if identity else np.nan
    with np.errstate(invalid="ignore"):  # infinite both: nobody is below
        gap = np.round(mean, metric.digits) - np.round(nothing, metric.digits)
    below = not (entry.identity or metric.estimate) and bool(
        gap < 0 if metric.higher_is_better else gap > 0
    )
    return {"mean": mean, "clusters": len(values), "below": below}


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
        if metric.estimate:
            continue
        printed = group["mean"].round(metric.digits)
        places = printed.rank(method="dense", ascending=not metric.higher_is_better)
        if len(group) > 1:
            ranks[places.index[places == 1]] = 1
        if len(group) > 2:
            ranks[places.index[places == 2]] = 2
    return ranks


def take_gains(
    rows: pd.DataFrame, entries: Sequence[Entry], metrics: Mapping[str, Score]
) -> pd.DataFrame:
    """Return every image's gain over the identity, realisations averaged."""
    columns = ["noise", "level", "entry", "image", "gain"]
    identities = [entry.id for entry in entries if entry.identity]
    ranking = [each for each in metrics.values() if not each.estimate]
    metric = metrics.get("psnr") or next(iter(ranking), None)
    frames = []
    for (noise, level), cells in _by_level(rows):
        wide = _wide(cells, [metric.name])[metric.name] if metric else pd.DataFrame()
        nothing = [entry for entry in identities if entry in wide]
        if not metric or not nothing:
            continue
        gain = wide.drop(columns=nothing).sub(wide[nothing[0]], axis=0)
        gain = gain.replace([np.inf, -np.inf], np.nan).groupby(level="image").mean()
        gain = gain if metric.higher_is_better else -gain
        tidy = gain.melt(ignore_index=False, var_name="entry", value_name="gain").reset_index()
        frames.append(tidy.dropna().assign(noise=noise, level=level)[columns])
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
