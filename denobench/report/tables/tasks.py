"""What was found on tasks, as tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd

from denobench.files import safe_name
from denobench.noise import written
from denobench.report.data.summary import Summary
from denobench.report.data.table import Column, Field, Section, Table
from denobench.report.data.tasks import ASKED, Part, answered, candidates, parts, use
from denobench.report.text.captions import count
from denobench.statistics import holm
from denobench.tasks import REGIMES, outlines, scores

_REGIMES = {
    "clean": "Trained on clean images",
    "noisy": "Trained on noisy images",
    "denoised": "Trained on what the method leaves",
    "random": "Trained on clean images, in folds that ignore clusters",
}
_NAMES = {"clean": "Clean images", "noisy": "Noisy images"}
_REFERENCES = ("noisy", "clean")


@dataclass(frozen=True)
class _Kind:
    """Which columns a table has, what its caption says of them, and which score is tested."""

    columns: tuple[tuple[str, str, int], ...]  # title, column, digits
    tested: str
    caption: str
    test: str


_CLASSES = _Kind(
    (("AUC", "auc", 3), ("accuracy", "accuracy", 3), ("Brier", "brier", 3),
     ("ECE", "calibration", 3)),
    "AUC",
    "AUC, the Brier score (mean squared error of the probability) and the expected calibration "
    "error with 95 % bootstrap intervals over clusters; accuracy: balanced, at 0.5",
    "paired bootstrap over clusters",
)  # fmt: skip
_OUTLINES = _Kind(
    (("Dice", "dice", 3), ("HD95", "hd95", 1), ("missed", "missed", 3),
     ("small missed", "small_missed", 3), ("invented", "invented", 2)),
    "Dice",
    "Means over clusters of images with a lesion, with 95 % bootstrap intervals; HD95: 95 % "
    "Hausdorff distance where something was outlined; missed: share of the lesions, and of the "
    "small ones, that no outline touches; invented: outlines per image that touch no lesion",
    "Wilcoxon's signed-rank test over clusters",
)  # fmt: skip


def task_tables(summary: Summary) -> Iterator[Table]:
    """Yield a table per run, task, model and noise model; none where no task was asked for.

    Behind those of a task stands which score of images predicts it.
    """
    for _, found in groupby(parts(summary), key=lambda part: (part.run, part.task, part.noise)):
        models = [*found]
        for part in models:
            yield _table(summary, part)
        table = _predictors(summary, models)
        if table is not None:
            yield table


def _table(summary: Summary, part: Part) -> Table:
    kind, summarise = (_CLASSES, scores.summarise)
    if part.outlines:
        kind, summarise = _OUTLINES, outlines.summarise
    found = summarise(part.rows, seed=part.seed)
    levels = sorted(found["level"].unique())
    for reference in _REFERENCES:
        column = f"{reference}_p"
        tested = found[column].notna() if column in found else pd.Series(False, found.index)
        found.loc[tested, f"{reference}_holm"] = holm(found.loc[tested, column].to_numpy(float))
    sections = [
        Section(_REGIMES[regime], tuple(_rows(kind, own, levels)))
        for regime in REGIMES
        if not (own := found[found["regime"] == regime]).empty
    ]
    groups = [f"σ = {written(level)}" for level in levels]
    titles = (*(title for title, _, _ in kind.columns), "Δ noisy", "p", "Δ clean", "p ")
    first = found.iloc[0]
    return Table(
        name=safe_name(*part.names),
        title=f"{part.task}, {part.model} model, {summary.noises.get(part.noise, part.noise)} "
        "noise",
        caption=f"{count(int(first['images']), 'image')} in "
        f"{count(int(part.rows['cluster'].nunique()), 'cluster')}, each answered once, by models "
        f"that have not seen its cluster. {kind.caption}. Δ: difference in {kind.tested} to doing "
        "nothing and to the clean images.",
        columns=(
            Column("Images", kind="text"),
            *(Column(title, group) for group in groups for title in titles),
        ),
        sections=tuple(sections),
        notes=(*_notes(kind, found), *_claims(part), *_lesions(part, first)),
        noise=part.noise,
        tidy=found,
    )


def _rows(kind: _Kind, part: pd.DataFrame, levels: list[float]) -> Iterator[tuple[Field, ...]]:
    by = {(row["method"], row["level"]): row for _, row in part.iterrows()}
    for method in part["method"].unique():
        cells: list[Field] = [Field(_NAMES.get(method, method))]
        for level in levels:
            row = by.get((method, level))
            width = len(kind.columns) + 2 * len(_REFERENCES)
            cells += [Field("–")] * width if row is None else _cells(kind, row)
        yield tuple(cells)


def _cells(kind: _Kind, row: pd.Series) -> list[Field]:
    found = []
    for _, name, digits in kind.columns:
        value, low, high = (row.get(f"{name}{end}", np.nan) for end in ("", "_low", "_high"))
        if not np.isfinite(value):
            found.append(Field("–"))
            continue
        ends = f"[{low:.{digits}f}, {high:.{digits}f}]" if np.isfinite(low) else ""
        found.append(Field(f"{value:.{digits}f}", ends, value=float(value)))
    for reference in _REFERENCES:
        difference, p = (row.get(f"{reference}_{name}", np.nan) for name in ("difference", "holm"))
        if not np.isfinite(difference):
            found += [Field("–"), Field("–")]
            continue
        text = f"{difference:+.3f}".replace("-", "−")
        found += [Field(text, value=float(difference))]
        found += [Field("< 0.001" if p < 0.001 else f"{p:.3f}", value=float(p))]
    return found


def _notes(kind: _Kind, found: pd.DataFrame) -> Iterator[str]:
    reach = [
        found[f"{name}_detectable"].median()
        for name in _REFERENCES
        if f"{name}_detectable" in found
    ]
    yield (
        f"p: {kind.test}, adjusted by Holm over this table's comparisons with the same reference."
    )
    yield "Clean images are the most that can be had, noisy ones are doing nothing."
    if reach and np.isfinite(reach).all():
        told = " and ".join(f"{value:.3f}" for value in reach)
        yield (
            f"A difference in {kind.tested} that so many clusters would show, at 5 % with a power "
            f"of 80 % and before Holm's adjustment: {told} (median), to noisy and to clean images."
        )
    yield (
        "A cluster is a group of images that show the same slice, unless subjects are known; "
        "clusters of slices are not patients, and labels and masks are as they came."
    )


def _claims(part: Part) -> Iterator[str]:
    """Say what a split with near-duplicates on both sides would claim."""
    if part.outlines:
        return
    rows = part.rows[part.rows["level"] == part.rows["level"].min()]
    told = scores.claim(rows, seed=part.seed)
    if told is None:
        return
    held = told.held
    yield (
        (
            f"In folds that ignore clusters, as split: paper draws them, {told.leaked} of "
            f"{told.images} images have another of their cluster among those trained on. Of clean "
            f"images the AUC is then {told.mixed:.3f}, {held.difference:+.3f} [{held.low:+.3f}, "
            f"{held.high:+.3f}] to folds by cluster; {100 * told.accuracy:.1f} % of those images "
            f"are answered rightly, and {100 * told.other:.1f} % of the others."
        )
        .replace("-0.", "−0.")
        .replace("nan %", "none")
    )


def _lesions(part: Part, first: pd.Series) -> Iterator[str]:
    """Say what lesions there are, and which of them are small."""
    if part.outlines:
        known = "an eighth of the image's side" if first["unit"] == "pixels" else "20 mm"
        yield (
            f"{count(int(first['lesions']), 'lesion')}, {first['small']} of them small (a "
            f"diameter below {known}); distances are in {first['unit']}."
        )


def _predictors(summary: Summary, models: list[Part]) -> Table | None:
    """Return which score of images predicts a task's, by rank correlation."""
    records: list[dict[str, object]] = []
    sections = [
        Section(f"{part.model} model", tuple(_predicted(summary, part, records))) for part in models
    ]
    if not records:
        return None
    first = models[0]
    names = [name for name in first.names if name != first.model]
    titles = [(title, _REGIMES[regime]) for regime in ASKED for title in ("all", "within")]
    return Table(
        name=safe_name("predictors", *names),
        title=f"Which score of images predicts {first.task}, "
        f"{summary.noises.get(first.noise, first.noise)} noise",
        caption="Spearman's rank correlation of a score of images with "
        f"{'the Dice' if first.outlines else 'the AUC'}, a point a method and level, with its "
        "95 % bootstrap interval over clusters; positive where better images are of better use.",
        columns=(Column("Score", kind="text"), *(Column(*title) for title in titles)),
        sections=tuple(sections),
        notes=(
            "all: over all methods and levels, where more noise makes both worse; within: the mean "
            "of the correlations within the levels, which says whether a score chooses the method.",
        ),
        noise=first.noise,
        tidy=pd.DataFrame(records),
    )


def _predicted(
    summary: Summary, part: Part, records: list[dict[str, object]]
) -> Iterator[tuple[Field, ...]]:
    """Yield a row per score of images, and add what stands in it to the records."""
    told_of = {regime: answered(summary, part, regime) for regime in ASKED}
    for metric in candidates(summary):
        cells = [Field(metric.title)]
        for regime in ASKED:
            found = use(summary, told_of[regime], metric)
            for name, told in (("all", found.overall), ("within", found.within)):
                if told is None:
                    cells.append(Field("–"))
                    continue
                cells.append(Field(told.text, told.ends, value=told.rho))
                where = {"model": part.model, "metric": metric.name, "regime": regime}
                records.append(where | {"points": name} | vars(told))
        yield tuple(cells)
