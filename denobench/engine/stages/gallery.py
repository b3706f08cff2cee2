"""The gallery: pictures of images that are chosen by their scores."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import pandas as pd

from denobench import metrics
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import Plan
from denobench.manifest import Shown
from denobench.rows import RowStore


def by_score(plan: Plan, cells: Iterable[Cell], store: RowStore) -> frozenset[str]:
    """Return the ids of the images that the config names by their scores.

    An image's place is the mean, over its cells, of how far the first metric's score is from that
    of the same method and noise over all images: a method that failed on it moves it nowhere.

    Parameters
    ----------
    plan
        Names what is shown.
    cells
        All that can be computed.
    store
        Their rows.
    """
    wanted = plan.config.gallery.show
    if not wanted:
        return frozenset()
    name = plan.config.metrics[0]
    keys = {cell.key for cell in cells if not cell.realisation}
    told = [
        (found.method, found.noise, found.level, found.image, found.metrics[name])
        for found in store
        if found.key in keys and found.status == "ok" and name in found.metrics
    ]
    frame = pd.DataFrame(told, columns=["method", "noise", "level", "image", "score"])
    frame["score"] -= frame.groupby(["method", "noise", "level"])["score"].transform("mean")
    if metrics.REGISTRY.load(name).better == "lower":
        frame["score"] *= -1
    # Names decide between equals, so that a resumed run chooses the same.
    ranked = frame.dropna().groupby("image")["score"].mean().sort_index()
    order = [*ranked.sort_values(kind="stable").index]
    if not order:
        return frozenset()
    places = {"worst": 0, "median": (len(order) - 1) // 2, "best": -1}
    return frozenset(order[places[each]] for each in wanted)


def pictured(cells: Iterable[Cell], images: Collection[str]) -> list[Cell]:
    """Return cells with those of some images to be pictured."""
    return [
        replace(cell, picture=cell.picture or (not cell.realisation and cell.item.id in images))
        for cell in cells
    ]


def shown(cells: Sequence[Cell], images: Collection[str]) -> tuple[Shown, ...]:
    """Return what the gallery shows: the observations of the pictured cells of some images."""
    chosen = (cell for cell in cells if cell.picture and cell.item.id in images)
    observed = {cell.observation: cell for cell in chosen}
    return tuple(
        Shown(
            image=cell.item.id,
            noise=cell.noise.model,
            level=cell.noise.level,
            observation=observation,
            slices=tuple(number + 1 for number in cell.item.shown),
            depth=len(cell.item.slices),
        )
        for observation, cell in observed.items()
    )
