"""Methods held against one reference method, cluster by cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from denobench.report.data.entries import Entry, Score
from denobench.statistics import compare, holm, smallest_p

ALPHA = 0.05

ClusterMeans = Mapping[tuple[str, float, str], pd.DataFrame]

_COLUMNS = ["noise", "level", "metric", "entry", "reference", "difference", "low", "high"]
_COLUMNS += ["p", "p_holm", "effect", "clusters", "different"]


def reference(entries: Sequence[Entry], wanted: str | None) -> Entry | None:
    """Return the method that others are held against.

    It is the config's choice, made before anything is seen; else BM3D; else the first method. The
    identity is none: that everything beats it says little.
    """
    methods = [entry for entry in entries if not entry.identity]
    for name in (wanted, "bm3d"):
        for entry in methods:
            if entry.name == name:
                return entry
    return methods[0] if methods else None


def paired(
    means: ClusterMeans, chosen: Entry | None, metrics: Sequence[Score], seed: int
) -> pd.DataFrame:
    """Hold every method against the reference.

    Parameters
    ----------
    means
        Per noise, level and metric: one row per cluster, one column per compared entry.
    chosen
        The reference.
    metrics
        The scores to compare.
    seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row per noise, level, metric and entry: the mean ``difference`` to the reference with
        ``low`` and ``high``, ``p`` of the Wilcoxon test and ``p_holm`` adjusted over its family,
        which is a noise model and a metric (one printed table); ``effect`` is positive where the
        method is better; ``different`` says whether ``p_holm`` is below 5 %, and is None where so
        few clusters could not show it of any method.
    """
    records = []
    for (noise, level, name), table in means.items():
        metric = next((metric for metric in metrics if metric.name == name), None)
        if metric is None or chosen is None or chosen.id not in table or table.empty:
            continue
        finite = table.columns[np.asarray(np.isfinite(table.to_numpy(float)).all(axis=0))]
        others = finite.drop(chosen.id, errors="ignore")
        if chosen.id not in finite or others.empty:
            continue
        values, other = table[others].to_numpy(float).T, table[chosen.id].to_numpy(float)
        for entry, pair in zip(others, compare(values, other, seed=seed), strict=True):
            found = asdict(pair)
            found["effect"] *= 1 if metric.higher_is_better else -1
            where = {"noise": noise, "level": level, "metric": name}
            records.append({**where, "entry": entry, "reference": chosen.id, **found})
    if not records:
        return pd.DataFrame(columns=_COLUMNS)
    frame = pd.DataFrame.from_records(records)
    families = frame.groupby(["noise", "metric"])
    frame["p_holm"] = families["p"].transform(lambda found: holm(found.to_numpy()))
    sizes = families["p"].transform("size")
    least = pd.Series([*map(smallest_p, frame["clusters"], sizes)], index=frame.index)
    frame["different"] = (frame["p_holm"] < ALPHA).astype(object).where(least < ALPHA, None)
    return frame[_COLUMNS]
