"""What tuning has tried: one line per cell of a trial, and the scores that follow from them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from denobench.scorenames import on_foreground

SCORE = on_foreground("psnr")

# What is tuned together; ``levels`` is a tuple.
SCOPE = ["method", "fold", "noise", "levels"]


def score(cells: pd.DataFrame) -> float:
    """Return the score of a trial.

    Parameters
    ----------
    cells
        Of one trial: columns level, cluster, image, status and `SCORE`.

    Returns
    -------
    float
        Mean PSNR in dB on the foreground: of the levels, their clusters and the images of those;
        minus infinity if a cell has no score.
    """
    return _score(_clusters(cells, []), failed=bool((cells["status"] != "ok").any()))


def _clusters(cells: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """Average the images of a cluster, level by level."""
    scope = [*by, "level", "cluster"]
    return cells.groupby([*scope, "image"])[SCORE].mean().groupby(scope).mean()


def _score(clusters: pd.Series, *, failed: bool) -> float:
    mean = -math.inf if failed else float(clusters.mean())
    return -math.inf if math.isnan(mean) else mean


def summarise(cells: pd.DataFrame) -> pd.DataFrame:
    """Return one row per trial.

    Parameters
    ----------
    cells
        ``tuning.csv``: the columns of `SCOPE`, trial (from 0, the defaults), settings (as JSON) and
        those that `score` needs.

    Returns
    -------
    pandas.DataFrame
        The columns of `SCOPE`, trial, settings, score, images, clusters, chosen (whether the trial
        has the best score of its scope; the first of equals, and the defaults if all failed) and
        edge (of the chosen one: its parameters at an edge of what was tried, a tuple).
    """
    columns = [*SCOPE, "trial", "settings", "score", "images", "clusters", "chosen", "edge"]
    if cells.empty:
        return pd.DataFrame(columns=columns)
    by = [*SCOPE, "trial"]
    trials = cells.groupby(by, sort=False)
    found = trials[["settings"]].first()
    failed = (cells["status"] != "ok").groupby([cells[name] for name in by]).any()
    means = dict(iter(_clusters(cells, by).groupby(by)))
    none = pd.Series(dtype=float)  # a table of a stranger's may lack an image's name
    found["score"] = [_score(means.get(each, none), failed=failed[each]) for each in found.index]
    found["images"], found["clusters"] = trials["image"].nunique(), trials["cluster"].nunique()
    found = pd.concat(
        [_judged(tried.sort_values("trial")) for _, tried in found.groupby(SCOPE, sort=False)]
    )
    return found.reset_index()[columns]


def _judged(tried: pd.DataFrame) -> pd.DataFrame:
    """Mark the best trial of a scope, and its parameters at an edge."""
    best = int(np.argmax(tried["score"]))
    texts = [json.loads(text) for text in tried["settings"]]
    edge = tuple(at_edge(texts, texts[best]))
    chosen = [place == best for place in range(len(tried))]
    edges = pd.Series([edge if each else () for each in chosen], tried.index)
    return tried.assign(chosen=chosen, edge=edges)


def at_edge(tried: Iterable[Mapping[str, Any]], chosen: Mapping[str, Any]) -> list[str]:
    """Return the parameters of which the chosen value is the least or the greatest tried."""
    tried = list(tried)
    values = {name: {settings[name] for settings in tried} for name in chosen}
    return [
        name
        for name, value in chosen.items()
        if isinstance(value, int | float)
        and len(values[name]) > 1
        and value in (min(values[name]), max(values[name]))
    ]
