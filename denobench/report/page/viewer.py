"""What the page's viewer shows, as plain data: pictures, scores by image and by level, looks."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from denobench.files import digest_bytes
from denobench.gallery import middle
from denobench.manifest import Shown
from denobench.printable import one_line
from denobench.report.data.entries import Entry
from denobench.report.data.summary import Summary
from denobench.report.figures.style import Look, looks
from denobench.report.page.pixels import Packed, pack

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
    left_out
        Views that did not fit.
    """

    data: dict[str, Any]
    pictures: list[Packed] = field(default_factory=list)
    left_out: int = 0

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


def content(summary: Summary) -> Content:
    """Return what the viewer of a report shows."""
    pictures = Pictures()
    views, left_out = [], 0
    for observed in _observed(summary):
        view, kept = _view(summary, observed, pictures)
        left_out += kept is False
        if view:
            views.append(view)
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
        "times": {name: number(value) for name, value in summary.milliseconds().items()},
        "scores": _means(summary),
        "cells": _cells(summary),
        "views": views,
        "reference": any(not metric.estimate for metric in summary.metrics.values()),
        "start": 0,
        "leftOut": left_out,
    }
    return Content(data, pictures.packed, left_out)


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


def _observed(summary: Summary) -> Iterator[dict[str, Shown]]:
    """Yield, for each observation that was kept, what each run that kept it says of it."""
    found: dict[tuple[str, str, float], dict[str, Shown]] = {}
    for run, manifest in summary.manifests.items():
        for shown in manifest.gallery:
            found.setdefault((shown.image, shown.noise, shown.level), {})[run] = shown
    yield from found.values()


def _view(
    summary: Summary, observed: Mapping[str, Shown], pictures: Pictures
) -> tuple[dict[str, Any] | None, bool | None]:
    """Return a view, and whether its pictures fit; None where they were not kept."""
    galleries = {run: summary.folders[run].gallery for run in observed}
    kept = (galleries[run].observation(shown.observation) for run, shown in observed.items())
    pair = next((each for each in kept if each is not None), None)
    if pair is None:
        return None, None
    shown = next(iter(observed.values()))
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
        answer = galleries[entry.run].answer(key, str(row["key"]), pair[0].shape)
        if answer is not None and not entry.identity:
            answers[entry.id] = middle(answer)
    pair = (middle(pair[0]), middle(pair[1]))
    if all(metric.estimate for metric in summary.metrics.values()):
        pair = (pair[1], pair[1])  # of noise that was measured without a reference
    places = pictures.add([*pair, *answers.values()])
    if places is None:
        return None, False
    view = {
        "image": one_line(shown.image),
        "noise": shown.noise,
        "level": shown.level,
        "clean": places[0],
        "noisy": places[1],
        "answers": dict(zip(answers, places[2:], strict=True)),
        "scores": scores,
    }
    return view, True


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
