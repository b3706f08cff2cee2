"""Whose rows are reported: runs, methods, scores and noise models, each with its printed name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from denobench.errors import DenobenchError
from denobench.manifest import Manifest, MethodRecord, MetricRecord, parse
from denobench.noise import written
from denobench.printable import one_line
from denobench.rows import RunFolder, score_columns
from denobench.scorenames import metric_of

Manifests = Mapping[str, Manifest]

LONGEST = 80  # letters of a title
_TITLES = {"psnr": ("PSNR", "dB"), "ssim": ("SSIM", ""), "nrmse": ("NRMSE", "")}
_LOWER_IS_BETTER = ("nrmse", "rmse", "mse", "mae", "lpips")


@dataclass(frozen=True)
class Score:
    """A score, as tables print it."""

    name: str
    title: str
    unit: str
    higher_is_better: bool
    estimate: bool = False  # taken without a reference: ranks nothing

    @property
    def plain(self) -> str:
        """The title without the part of the image."""
        return self.title.replace(", foreground", "")

    @property
    def digits(self) -> int:
        """Decimals that are printed, and at which two values count as equal."""
        return 2 if self.unit == "dB" else 3

    @property
    def base(self) -> str:
        """The metric's name without the part of the image it is taken on."""
        return metric_of(self.name)

    @property
    def axis(self) -> str:
        """Title with unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def text(self, value: float) -> str:
        """Return a value as it is printed."""
        if np.isnan(value):
            return "–"
        return f"{value:.{self.digits}f}" if np.isfinite(value) else "∞" if value > 0 else "−∞"


@dataclass(frozen=True)
class Entry:
    """A method of a run, as it stands in tables and figures.

    Attributes
    ----------
    id
        Unique among all runs that are reported together.
    run, name
        The run, and the method as its config names it.
    label
        Its title, made unique.
    track
        What it was told of sigma.
    identity
        Whether it is the do-nothing line.
    details
        What the manifest says of it: licence, reference, notes, training, remark.
    """

    id: str
    run: str
    name: str
    label: str
    track: str
    identity: bool
    details: MethodRecord


def legible(manifest: Manifest) -> Manifest:
    """Return a manifest whose texts, which may be anybody's, are each on a line and command nobody.

    Names by which things are found stay as they are.
    """

    def lines(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: lines(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [lines(each) for each in value]
        return one_line(value, 1000) if isinstance(value, str) else value

    told = manifest.record()
    texts = ("name", "created", "dataset", "methods", "metrics", "protocol", "noise_models",
             "versions", "hardware", "git")  # fmt: skip
    return parse(told | {name: lines(told[name]) for name in texts}, "manifest.json")


def name_runs(folders: Sequence[RunFolder]) -> dict[str, RunFolder]:
    """Name runs by their folders, with the parent folder where two are called the same."""
    if not folders:
        raise DenobenchError("No run was given; name the folder of at least one run.")
    names = [folder.name for folder in folders]
    runs = {}
    for folder, name in zip(folders, names, strict=True):
        if names.count(name) > 1:
            name = "/".join(folder.path.resolve().parts[-2:])
        if name in runs:
            raise DenobenchError(f"{folder.path} was given twice, or has a namesake: rename it.")
        runs[name] = folder
    return runs


def read_rows(runs: Mapping[str, RunFolder]) -> pd.DataFrame:
    """Read the rows of all runs; each cell once per method."""
    frames = []
    for run, folder in runs.items():
        frame = folder.frame()
        if frame.empty:
            raise DenobenchError(f"{folder.path} holds no rows yet: `denobench run` writes them.")
        frames.append(frame.assign(run=run, entry=run + "/" + frame["method"]))
    rows = pd.concat(frames, ignore_index=True)
    rows["cluster"] = rows["cluster"].where(rows["cluster"].fillna("") != "", rows["image"])
    rows["error"] = rows["error"].fillna("")
    twice = rows.duplicated(["entry", "noise", "level", "image", "realisation"])
    if twice.any():
        cell = rows[twice].iloc[0]
        raise DenobenchError(
            f"Run {cell['run']} holds two rows of method {cell['method']!r} for image "
            f"{cell['image']} at {cell['noise']}:{written(cell['level'])}: its plan.json is "
            "missing. Run it again to record which rows belong to its plan."
        )
    if len(runs) > 1:
        _check_same_images(rows)
    return rows


def _check_same_images(rows: pd.DataFrame) -> None:
    """Refuse runs that scored different noisy images of the same noise model."""
    for noise, cells in rows.groupby("noise"):
        shared = cells.groupby(["level", "image", "realisation"])
        runs = sorted(cells["run"].unique())
        same = all(
            (shared[digest].agg(lambda found: found[found != ""].nunique()) <= 1).all()
            for digest in ("image_digest", "field_digest")
        )
        if not same or (len(runs) > 1 and shared["run"].nunique().max() < 2):
            raise DenobenchError(
                f"Runs {', '.join(runs)} cannot stand in one table: their noisy images of "
                f"{noise!r} differ. Give runs of the same data set, split, size, levels and seed, "
                "or report them one by one."
            )


def find_entries(rows: pd.DataFrame, manifests: Manifests) -> tuple[Entry, ...]:
    """Collect the methods of all runs; one whose cells an earlier run holds is left out."""
    keys = rows.groupby("entry")["key"].agg(set)
    tracks = rows.groupby("entry")["track"].first()
    found: list[tuple[str, str, str, str, MethodRecord]] = []
    for run, manifest in manifests.items():
        described = manifest.methods
        present = pd.unique(rows.loc[rows["run"] == run, "method"])
        for name in [*(n for n in described if n in present), *sorted({*present} - {*described})]:
            entry = f"{run}/{name}"
            earlier = [other for other, _, other_name, _, _ in found if other_name == name]
            if not any(keys[entry] <= keys[other] for other in earlier):
                details = described.get(name) or MethodRecord()
                found.append((entry, run, name, details.title or name, details))
    names = [name for _, _, name, _, _ in found]
    titles = [
        _specify(_title(title), _title(run)) if names.count(name) > 1 else _title(title)
        for _, run, name, title, _ in found
    ]
    entries: list[Entry] = []
    for (entry, run, name, _, details), title in zip(found, titles, strict=True):
        twins = [
            tracks[other[0]] for other, label in zip(found, titles, strict=True) if label == title
        ]
        label = title
        if len(twins) > 1:
            alone = twins.count(tracks[entry]) == 1
            label = _specify(title, tracks[entry] if alone else _title(name))
        label = unlike(label, [other.label for other in entries])
        identity = (details.method or name) == "identity"
        entries.append(Entry(entry, run, name, label, tracks[entry], identity, details))
    return tuple(sorted(entries, key=lambda entry: not entry.identity))


def _title(text: str) -> str:
    """Return a title on one line, short enough for a table."""
    return one_line(text, LONGEST) or "(no title)"


def unlike(text: str, others: Collection[str]) -> str:
    """Return a text with a number behind it where others are the same."""
    found, number = text, 1
    while found in others:
        number += 1
        found = f"{text} ({number})"
    return found


def _specify(title: str, detail: str) -> str:
    """Put a detail in brackets behind a title: into its own, where it ends with some."""
    return f"{title[:-1]}, {detail})" if title.endswith(")") else f"{title} ({detail})"


def find_metrics(
    rows: pd.DataFrame, manifests: Manifests, missing: Collection[str]
) -> dict[str, Score]:
    """Describe the scores of the rows and those that are missing, as the manifests know them."""
    known: dict[str, MetricRecord] = {}
    for manifest in manifests.values():
        known.update(manifest.metrics)
    names = [name for name in score_columns(rows) if rows[name].notna().any()]
    names += sorted({*missing} - {*names})
    order = [*_TITLES, "sure-psnr", *sorted({*map(metric_of, names)})]
    metrics = {}
    for name in sorted(names, key=lambda name: (order.index(metric_of(name)), name)):
        base = metric_of(name)
        title, unit = _TITLES.get(base, (base.upper(), ""))
        told = known.get(name) or known.get(base) or MetricRecord()
        title = _title(told.title or title)
        if name != base and "foreground" not in title.lower():
            title += ", foreground"
        better = told.better or ("lower" if base in _LOWER_IS_BETTER else "higher")
        metrics[name] = Score(
            name, title, told.unit or unit, better == "higher", not told.reference
        )
    return metrics


def noise_title(noise: str, manifests: Manifests) -> str:
    """Return a noise model's title, by the first manifest that knows it."""
    for manifest in manifests.values():
        told = manifest.noise_models.get(noise)
        if told and told.title:
            return _title(told.title)
    return _title(noise)
