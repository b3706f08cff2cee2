"""What tuning tried and chose, as a table."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from denobench.report.data.entries import Entry
from denobench.report.data.summary import Summary
from denobench.report.data.table import Column, Field, Section, Table
from denobench.report.text.captions import count, level_list, noun_of


def tuning_table(summary: Summary) -> Table:
    """Return the chosen values, their score and the defaults', per method, noise and levels."""
    found = summary.trials
    rows, notes = [], []
    for entry in summary.entries:
        own = found[found["entry"] == entry.id]
        for (noise, levels), part in own.groupby(["noise", "levels"], sort=False):
            rows.append(_row(summary, entry, str(noise), levels, part))
    if rows:
        images, clusters = found["images"].max(), found["clusters"].max()
        folds, noun = found["fold"].nunique(), noun_of(summary.manifest)
        notes = [
            f"PSNR in dB on the foreground of {count(images, 'validation image')} in "
            f"{count(clusters, noun)}{f' per fold, mean of {folds} folds' * (folds > 1)}: the "
            f"mean of {noun}s, and of levels where they share a value. No test image is looked at.",
            "The defaults are the first trial. A parameter at an edge had its least or greatest "
            "value tried when the trials were used up: the optimum may lie beyond.",
        ]
        if (found["score"] == -np.inf).any():
            failed = int((found["score"] == -np.inf).sum())
            notes.append(f"{count(failed, 'trial')} failed on some image, and had no score.")
    return Table(
        name="tuning",
        title="Tuning",
        caption="What was chosen on validation images, and how much better it is there than the "
        "defaults. Oracle: per level; estimated: one multiple of the estimated σ for all levels; "
        "blind: one value for all levels.",
        columns=(
            *(Column(title, kind="text") for title in ("Method", "Noise")),
            Column("σ", kind="text"),
            *(Column(title, kind="text") for title in ("Default", "Chosen")),
            *(Column(title) for title in ("Default, dB", "Chosen, dB", "Gain", "Trials")),
            Column("At an edge", kind="text"),
        ),
        sections=(Section("", tuple(rows)),),
        notes=tuple(notes),
        tidy=_tidy(summary, found) if rows else pd.DataFrame(),
    )


def _tidy(summary: Summary, found: pd.DataFrame) -> pd.DataFrame:
    """Return all trials, the method named as in the other tables."""
    labels = found["entry"].map({entry.id: entry.label for entry in summary.entries})
    tidy = found.drop(columns="entry").assign(
        levels=found["levels"].map(level_list), edge=found["edge"].map(", ".join)
    )
    tidy.insert(1, "label", labels)
    return tidy


def _row(
    summary: Summary, entry: Entry, noise: str, levels: Any, part: pd.DataFrame
) -> tuple[Field, ...]:
    chosen, defaults = part[part["chosen"]], part[part["trial"] == 0]
    before, after = defaults["score"].mean(), chosen["score"].mean()
    edges = {name for names in chosen["edge"] for name in names}
    tried = part.groupby("fold").size()
    return (
        Field(entry.label),
        Field(summary.noises.get(noise, noise)),
        Field(level_list(levels)),
        Field(_values(defaults)),
        Field(_values(chosen)),
        *(Field(_decibel(score), value=float(score)) for score in (before, after)),
        Field(f"{after - before:+.2f}".replace("-", "−"), value=float(after - before)),
        Field(f"{tried.max()}", value=float(tried.max())),
        Field(", ".join(sorted(edges))),
    )


def _decibel(score: float) -> str:
    return f"{score:.2f}" if np.isfinite(score) else "–"


def _values(part: pd.DataFrame) -> str:
    """Return settings as text; where folds differ, each value with how often it was chosen."""
    texts = [json.loads(text) for text in part["settings"]]
    parts = []
    for name in texts[0]:
        values = Counter(str(settings[name]) for settings in texts)
        listed = (f"{v} ({n}×)" if len(values) > 1 else v for v, n in values.most_common())
        parts.append(f"{name} = {', '.join(listed)}")
    return "; ".join(parts)
