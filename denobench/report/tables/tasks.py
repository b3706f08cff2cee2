"""What was found on tasks, as tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from denobench.files import safe_name
from denobench.noise import written
from denobench.report.data.summary import Summary
from denobench.report.data.table import Column, Field, Section, Table
from denobench.report.text.captions import count
from denobench.statistics import holm
from denobench.tasks import scores

_REGIMES = {
    "clean": "Trained on clean images",
    "noisy": "Trained on noisy images",
    "denoised": "Trained on what the method leaves",
}
_REFERENCES = {"clean": "Clean images", "noisy": "Noisy images"}


def task_tables(summary: Summary) -> Iterator[Table]:
    """Yield a table per run, task, model and noise model; none where no task was asked for."""
    for run, folder in summary.folders.items():
        rows = folder.table("tasks")
        if rows.empty:
            continue
        seed = summary.manifests[run].seed or 0
        several = len(summary.folders) > 1
        for (task, model, noise), part in rows.groupby(["task", "model", "noise"], sort=False):
            name = safe_name(*([run] if several else []), str(task), str(model), str(noise))
            found = scores.summarise(part, seed=seed)
            yield _table(summary, name, f"{task}, {model} model", str(noise), found)


def _table(summary: Summary, name: str, title: str, noise: str, found: pd.DataFrame) -> Table:
    levels = sorted(found["level"].unique())
    for reference in ("noisy", "clean"):
        column = f"{reference}_p"
        tested = found[column].notna() if column in found else pd.Series(False, found.index)
        found.loc[tested, f"{reference}_holm"] = holm(found.loc[tested, column].to_numpy(float))
    sections = [
        Section(_REGIMES[str(regime)], tuple(_rows(part, levels)))
        for regime, part in found.groupby("regime", sort=False)
    ]
    groups = [f"σ = {written(level)}" for level in levels]
    titles = ("AUC", "accuracy", "Brier", "Δ noisy", "p", "Δ clean", "p ")
    first = found.iloc[0]
    return Table(
        name=name,
        title=f"{title}, {summary.noises.get(noise, noise)} noise",
        caption=f"{count(int(first['images']), 'image')} in "
        f"{count(int(first['clusters']), 'cluster')}, each scored once, by models that have not "
        "seen its cluster. AUC with its 95 % bootstrap interval over clusters; accuracy: balanced, "
        "at 0.5; Brier: mean squared error of the probability; Δ: difference in AUC to doing "
        "nothing and to the clean images.",
        columns=(
            Column("Images", kind="text"),
            *(Column(title, group) for group in groups for title in titles),
        ),
        sections=tuple(sections),
        notes=_notes(found),
        noise=noise,
        tidy=found,
    )


def _rows(part: pd.DataFrame, levels: list[float]) -> Iterator[tuple[Field, ...]]:
    by = {(row["method"], row["level"]): row for _, row in part.iterrows()}
    for method in part["method"].unique():
        cells: list[Field] = [Field(_REFERENCES.get(method, method))]
        for level in levels:
            row = by.get((method, level))
            cells += [Field("–")] * 7 if row is None else _cells(row)
        yield tuple(cells)


def _cells(row: pd.Series) -> list[Field]:
    interval = f"[{row['low']:.3f}, {row['high']:.3f}]"
    found = [Field(f"{row['auc']:.3f}", interval, value=float(row["auc"]))]
    found += [Field(f"{row[name]:.3f}", value=float(row[name])) for name in ("accuracy", "brier")]
    for reference in ("noisy", "clean"):
        difference, p = (row.get(f"{reference}_{name}", np.nan) for name in ("difference", "holm"))
        if not np.isfinite(difference):
            found += [Field("–"), Field("–")]
            continue
        text = f"{difference:+.3f}".replace("-", "−")
        found += [Field(text, value=float(difference))]
        found += [Field("< 0.001" if p < 0.001 else f"{p:.3f}", value=float(p))]
    return found


def _notes(found: pd.DataFrame) -> tuple[str, ...]:
    reach = [found[f"{name}_detectable"].median() for name in ("noisy", "clean")
             if f"{name}_detectable" in found]  # fmt: skip
    notes = [
        "p: paired bootstrap over clusters, adjusted by Holm over this table's comparisons with "
        "the same reference.",
        "Clean images are the most that can be had, noisy ones are doing nothing.",
    ]
    if reach and np.isfinite(reach).all():
        told = " and ".join(f"{value:.3f}" for value in reach)
        notes.append(
            "A difference in AUC that so many clusters would show, at 5 % with a power of 80 % and "
            f"before Holm's adjustment: {told} (median), to noisy and to clean images."
        )
    notes.append(
        "A cluster is a group of images that show the same slice; clusters are not patients, and "
        "labels are as they came."
    )
    return tuple(notes)
