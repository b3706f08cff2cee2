"""What tuning has tried: one line per cell of a trial, and the scores that follow from them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

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
    if (cells["status"] != "ok").any():
        return -math.inf
    images = cells.groupby(["level", "cluster", "image"])[SCORE].mean()
    mean = images.groupby(["level", "cluster"]).mean().mean()
    return -math.inf if math.isnan(mean) else float(mean)


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
    records = []
    for scope, tried in cells.groupby(SCOPE, sort=False):
        found: list[dict[str, Any]] = [
            {
                **dict(zip(SCOPE, scope, strict=True)),
                "trial": trial,
                "settings": part["settings"].iloc[0],
                "score": score(part),
                "images": part["image"].nunique(),
                "clusters": part["cluster"].nunique(),
            }
            for trial, part in tried.groupby("trial")
        ]
        best = max(range(len(found)), key=lambda place: found[place]["score"])
        texts = [json.loads(each["settings"]) for each in found]
        edge = tuple(at_edge(texts, texts[best]))
        records += [
            {**each, "chosen": place == best, "edge": edge if place == best else ()}
            for place, each in enumerate(found)
        ]
    columns = [*SCOPE, "trial", "settings", "score", "images", "clusters", "chosen", "edge"]
    return pd.DataFrame.from_records(records, columns=columns)


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
