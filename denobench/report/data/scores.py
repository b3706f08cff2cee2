"""Scores averaged over clusters, ranked, and image by image against doing nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np
import pandas as pd

from denobench.report.data.entries import Entry, Score
from denobench.report.data.pairs import ClusterMeans
from denobench.statistics import bootstrap_intervals, cluster_means

# A method that completed fewer of a level's cells, or has fewer of a score, is shown, but neither
# ranked nor allowed to shrink the cells that the others are compared on.
COMPARED_FROM = 0.5

_WHERE = ["noise", "level", "entry"]
_CELL = ["cluster", "image", "realisation"]
_SCORES = ["noise", "level", "metric", "entry", "mean", "low", "high", "n", "clusters"]
_SCORES += ["completed", "planned", "compared", "rank", "below"]


def _by_level(rows: pd.DataFrame) -> Iterator[tuple[tuple[str, float], pd.DataFrame]]:
    """Yield the cells of every noise model and level, in order."""
    for noise, found in rows.groupby("noise"):
        for level in sorted(found["level"].unique()):
            yield (str(noise), float(level)), found[found["level"] == level]


def _wide(cells: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Return the scores of completed cells, one column per metric and entry."""
    completed = cells[cells["status"] == "ok"]
    return completed.pivot(index=_CELL, columns="entry", values=list(metrics))


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
    columns = [*_WHERE, *_CELL, "status", *metrics]
    for (noise, level), cells in _by_level(rows[columns]) if metrics else ():
        shown = [entry for entry in entries if entry.id in present[noise]]
        for metric, found, shared in _at_level(cells, shown, metrics):
            where = {"noise": noise, "level": level, "metric": metric}
            records += [where | record for record in found]
            compared_means[noise, level, metric] = shared
    if not records:
        return pd.DataFrame(columns=_SCORES), compared_means
    scores = pd.DataFrame.from_records(records)
    scores["low"], scores["high"] = _intervals([each["values"] for each in records], seed).T
    scores["rank"] = _ranks(scores, entries, metrics)
    return scores[_SCORES], compared_means


def _at_level(
    cells: pd.DataFrame, shown: Sequence[Entry], metrics: Mapping[str, Score]
) -> Iterator[tuple[str, list[dict[str, Any]], pd.DataFrame]]:
    """Average every metric at one level, and over clusters of the methods that it compares."""
    names = [entry.id for entry in shown]
    completed, planned = _completed(cells)
    completed = completed.reindex(names, fill_value=0)
    wide = _wide(cells, [*metrics]).reindex(columns=pd.MultiIndex.from_product([metrics, names]))
    wide = wide.astype(float)
    given = wide.notna().to_numpy(bool).reshape(len(wide), len(metrics), len(names))
    compared = _compared(given, completed.to_numpy(), planned)
    common = np.asarray(np.all(given | ~compared, axis=2))
    # All metrics at once: grouping takes longer than averaging.
    means = cluster_means(wide.where(np.repeat(common, len(names), axis=1)))
    cluster = means.index.get_indexer(wide.index.get_level_values("cluster"))
    averages = means.to_numpy().reshape(-1, *compared.shape)
    for place, metric in enumerate(metrics.values()):
        kept = np.unique(cluster[common[:, place]])
        shared = averages[kept, place]
        records = []
        for column, entry in enumerate(shown):
            joint = bool(compared[place, column])
            part = common[:, place] if joint else given[:, place, column]
            own = shared if joint else _own(wide, part, metric)
            records.append(
                {
                    "entry": entry.id,
                    **_average(own, column, shown, metric),
                    "n": int(part.sum()),
                    "completed": int(completed.iloc[column]),
                    "planned": planned,
                    "compared": joint and bool(part.any()),
                }
            )
        joint = compared[place]
        columns = [*compress(names, joint)]
        yield metric.name, records, pd.DataFrame(shared[:, joint], means.index[kept], columns)


def _own(wide: pd.DataFrame, part: np.ndarray, metric: Score) -> np.ndarray:
    """Return the means of clusters over a part of the cells."""
    return cluster_means(pd.DataFrame(wide.loc[part, metric.name])).to_numpy()


def _compared(given: np.ndarray, completed: np.ndarray, planned: int) -> np.ndarray:
    """Return which methods have enough of a score's cells to be held against each other.

    From which scores are there, (cells, metrics, methods), and from the cells that each method
    completed: (metrics, methods).
    """
    # Images that have no such score, such as a tumour's, count against nobody.
    possible = given.any(axis=2).sum(axis=0)
    scored = given.sum(axis=0) >= COMPARED_FROM * possible[:, None]
    return scored & (completed >= COMPARED_FROM * planned)


def _intervals(values: Sequence[np.ndarray], seed: int | None) -> np.ndarray:
    """Return the bootstrap intervals of means, (K, 2); NaN without a seed."""
    found = np.full((len(values), 2), np.nan)
    if seed is None:
        return found
    for size in {each.size for each in values}:
        same = [place for place, each in enumerate(values) if each.size == size]
        found[same] = bootstrap_intervals(np.stack([values[each] for each in same]), seed=seed)
    return found


def _average(
    means: np.ndarray, column: int, shown: Sequence[Entry], metric: Score
) -> dict[str, Any]:
    """Average a method's means of clusters, and hold them against the identity's."""
    values = means[:, column]
    identity = next((place for place, other in enumerate(shown) if other.identity), None)
    nothing = values[:0] if identity is None else means[:, identity]
    nothing = nothing[~np.isnan(nothing)]
    mean, least = (each.mean() if each.size else np.nan for each in (values, nothing))
    with np.errstate(invalid="ignore"):  # infinite both: nobody is below
        gap = np.round(mean, metric.digits) - np.round(least, metric.digits)
    below = not (shown[column].identity or metric.estimate) and bool(
        gap < 0 if metric.higher_is_better else gap > 0
    )
    return {"values": values, "mean": mean, "clusters": len(values), "below": below}


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
