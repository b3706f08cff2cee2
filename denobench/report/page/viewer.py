"""What the page's viewer shows, as plain data: pictures, scores by image and by level, looks."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from denobench.files import digest_bytes
from denobench.manifest import Shown
from denobench.printable import one_line
from denobench.report.data.entries import Entry
from denobench.report.data.summary import Summary
from denobench.report.figures.style import Look, looks
from denobench.report.page.pixels import STEPS, Packed, pack
from denobench.report.text import captions
from denobench.report.text.pictures import gallery_notes

BUDGET = 11_000_000  # letters of pictures in a page, so that it stays below 15 MB


@dataclass
class Content:
    """What is embedded for the viewer.

    Attributes
    ----------
    data
        JSON-ready: see ``viewer/data.js`` for its types.
    pictures
        The packed pictures; ``data`` names them by their place here.
    notes
        What is said of the pictures: which there are, and why no more.
    """

    data: dict[str, Any]
    pictures: list[Packed] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> list[int]:
        """Places of the pictures that the page begins with."""
        if not self.data["views"]:
            return []
        view = self.data["views"][self.data["start"]]
        places = {view["clean"], view["noisy"], view["tumour"], *view["answers"].values()}
        return sorted(places - {None})

    @property
    def json(self) -> str:
        """The data as JSON that can stand in a page's script."""
        about = [
            {name: value for name, value in asdict(picture).items() if name != "data"}
            for picture in self.pictures
        ]
        text = json.dumps(self.data | {"pictures": about}, allow_nan=False, separators=(",", ":"))
        return text.replace("<", "\\u003c")


class Pictures:
    """Packs pictures, equal ones once, until there is no room."""

    def __init__(self) -> None:
        self.packed: list[Packed] = []
        self._places: dict[str, int] = {}
        self._size = 0

    def add(self, pictures: list[Any]) -> list[int] | None:
        """Return the places of pictures, or None where they do not fit."""
        found = [pack(each) for each in pictures]
        keys = [digest_bytes(f"{each}".encode()) for each in found]
        new = {k: each for k, each in zip(keys, found, strict=True) if k not in self._places}
        size = sum(len(each.data) for each in new.values())
        if self._size + size > BUDGET:
            return None
        self._size += size
        for key, each in new.items():
            self._places[key] = len(self.packed)
            self.packed.append(each)
        return [self._places[key] for key in keys]


def content(summary: Summary, *, private: bool = False) -> Content:
    """Return what the viewer of a report shows.

    Parameters
    ----------
    summary
        The runs.
    private
        Whether the page stays on this machine, so that all pictures may be in it.
    """
    pictures = Pictures()
    views, left_out = [], []
    for observed in _observed(summary, private):
        for view in _views(summary, observed):
            places = pictures.add(view.pictures)
            if places is None:
                left_out.append(view.name)
            else:
                views.append(view.told(places))
    looked = looks(summary)
    data = {
        "methods": [_method(entry, looked[entry.id]) for entry in summary.entries],
        "metrics": [
            {
                "name": metric.name,
                "title": metric.title,
                "unit": metric.unit,
                "digits": metric.digits,
                "higher": metric.higher_is_better,
            }
            for metric in summary.metrics.values()
        ],
        "noises": [
            {"name": noise, "title": title, "levels": summary.levels(noise)}
            for noise, title in summary.noises.items()
        ],
        "unit": captions.item(summary.manifest),
        "times": {name: number(value) for name, value in summary.milliseconds().items()},
        "scores": _means(summary),
        "cells": _cells(summary),
        "views": views,
        "reference": summary.referenced,
        "start": _start(views),
    }
    notes = gallery_notes(summary, {view["image"] for view in views}, left_out, private)
    return Content(data, pictures.packed, tuple(notes))


def _start(views: Sequence[Mapping[str, Any]]) -> int:
    """Return the place of the view to start with: the middle level, of a volume the middle slice.

    It is of the first image, which is there at all levels.
    """
    if not views:
        return 0
    first = views[0]["image"], views[0]["noise"]
    found = [n for n, view in enumerate(views) if (view["image"], view["noise"]) == first]
    levels = sorted({views[n]["level"] for n in found})
    middle = levels[(len(levels) - 1) // 2]
    slices = [n for n in found if views[n]["level"] == middle]
    return slices[len(slices) // 2]


def _method(entry: Entry, look: Look) -> dict[str, Any]:
    return {
        "id": entry.id,
        "label": entry.label,
        "track": entry.track,
        "identity": entry.identity,
        "colour": look.colour,
        "dashed": bool(look.dashes),
    }


def number(value: Any) -> float | str | None:
    """Return a number for JSON, which knows neither NaN nor infinity."""
    value = float(value)
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else "inf" if value > 0 else "-inf"


def _observed(summary: Summary, private: bool) -> Iterator[dict[str, Shown]]:
    """Yield, for each observation that was kept, what each run that kept it says of it.

    Image by image: where there is no room for all, images are left out, and not levels.
    """
    found: dict[str, dict[tuple[str, float], dict[str, Shown]]] = {}
    for run, manifest in summary.manifests.items():
        for shown in manifest.gallery if manifest.share or private else ():
            levels = found.setdefault(shown.image, {})
            levels.setdefault((shown.noise, shown.level), {})[run] = shown
    for levels in found.values():
        yield from levels.values()


@dataclass
class _View:
    """A picture with all methods' answers, of an image or of one slice of a volume."""

    shown: Shown
    slice: int
    pair: tuple[np.ndarray, np.ndarray]
    answers: dict[str, np.ndarray]
    tumour: np.ndarray | None
    scores: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is called where it is left out."""
        return one_line(self.shown.image) + (f", slice {self.slice}" if self.slice else "")

    @property
    def pictures(self) -> list[np.ndarray]:
        """All pictures, the mask's labels as steps."""
        mask = [] if self.tumour is None else [self.tumour / STEPS]
        return [*self.pair, *self.answers.values(), *mask]

    def told(self, places: Sequence[int]) -> dict[str, Any]:
        """Return it as the viewer reads it."""
        return {
            "image": one_line(self.shown.image),
            "slice": self.slice,
            "depth": self.shown.depth,
            "noise": self.shown.noise,
            "level": self.shown.level,
            "clean": places[0],
            "noisy": places[1],
            "tumour": None if self.tumour is None else places[-1],
            "answers": dict(zip(self.answers, places[2:], strict=False)),
            "scores": self.scores,
        }


def _views(summary: Summary, observed: Mapping[str, Shown]) -> Iterator[_View]:
    """Yield the views of an observation: one, or one per slice, or none that was kept."""
    galleries = {run: summary.folders[run].gallery for run in observed}
    kept = (galleries[run].observation(shown.observation) for run, shown in observed.items())
    pair = next((each for each in kept if each is not None), None)
    if pair is None:
        return
    shown, shape = next(iter(observed.values())), pair[0].shape
    rows = summary.rows
    rows = rows[
        (rows["image"] == shown.image) & (rows["noise"] == shown.noise)
        & (rows["level"] == shown.level) & (rows["realisation"] == 0) & (rows["status"] == "ok")
    ].set_index("entry")  # fmt: skip
    answers, scores = {}, {}
    for entry in summary.entries:
        if entry.id not in rows.index or entry.run not in observed:
            continue
        row = rows.loc[entry.id]
        scores[entry.id] = {m: number(row[m]) for m in summary.metrics}
        key = observed[entry.run].observation
        answer = galleries[entry.run].answer(key, str(row["key"]), shape)
        if answer is not None and not entry.identity:
            answers[entry.id] = answer
    if not summary.referenced:
        pair = (pair[1], pair[1])
    masks = (galleries[run].tumour(each.observation, shape) for run, each in observed.items())
    tumour = next((mask for mask in masks if mask is not None and mask.any()), None)
    for place, slice_number in enumerate(shown.slices or (0,)):
        here: Any = place if shown.slices else slice(None)
        yield _View(
            shown, slice_number, (pair[0][here], pair[1][here]),
            {entry: answer[here] for entry, answer in answers.items()},
            None if tumour is None else tumour[here], scores,
        )  # fmt: skip


def _means(summary: Summary) -> list[dict[str, Any]]:
    """Return the means that the tables print, with their intervals."""
    return [
        {
            "noise": found["noise"],
            "level": found["level"],
            "metric": found["metric"],
            "method": found["entry"],
            "mean": number(found["mean"]),
            "low": number(found["low"]),
            "high": number(found["high"]),
        }
        for found in summary.scores.to_dict("records")
    ]


def _cells(summary: Summary) -> dict[str, Any]:
    """Return every image's scores, realisations averaged, as columns."""
    names = [*summary.metrics]
    done = summary.rows[summary.rows["status"] == "ok"]
    by = ["noise", "level", "image", "entry"]
    means: pd.DataFrame = done.groupby(by, sort=False)[names].mean().reset_index()
    return {
        "noise": means["noise"].tolist(),
        "level": means["level"].tolist(),
        "image": means["image"].map(one_line).tolist(),
        "method": means["entry"].tolist(),
        "scores": {
            name: [None if math.isnan(v) else number(round(v, 6)) for v in means[name]]
            for name in names
        },
    }
