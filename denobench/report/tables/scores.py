"""The tables: scores per noise model, pairs and failures, and which tables a report has."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from denobench.files import safe_name
from denobench.noise import written
from denobench.report.data.entries import Entry, Score
from denobench.report.data.summary import TRACKS, Summary
from denobench.report.data.table import (
    ALIKE,
    APART,
    BELOW,
    DIFFERENT,
    Column,
    Field,
    Section,
    Table,
)
from denobench.report.tables.costs import timing, training
from denobench.report.tables.parts import (
    machine,
    method_columns,
    method_fields,
    named,
    number,
)
from denobench.report.tables.tasks import task_tables
from denobench.report.tables.tuning import tuning_table
from denobench.report.text import captions
from denobench.scorenames import on_foreground

TRACK_TITLES = {
    "oracle": "Oracle: told the true sigma",
    "estimated": "Estimated: told an estimate of sigma",
    "blind": "Blind: told nothing of sigma",
}

_REASON_LENGTH = 160


def make_tables(summary: Summary) -> list[Table]:
    """Return all tables of a report; those without content are left out."""
    tables = [
        _quality(summary, noise, name, metrics)
        for noise in summary.noises
        for name, metrics in _kinds(summary)
    ]
    tables += [
        _paired(summary, noise, metric) for noise in summary.noises for metric in summary.headline
    ]
    tables += task_tables(summary)
    tables += [tuning_table(summary), timing(summary), training(summary), failures(summary)]
    return [table for table in tables if any(section.rows for section in table.sections)]


def main_tables(summary: Summary) -> list[Table]:
    """Return the main table of every noise model."""
    metrics = summary.headline
    return [_quality(summary, noise, ("quality",), metrics) for noise in summary.noises if metrics]


def _kinds(summary: Summary) -> list[tuple[tuple[str, ...], list[Score]]]:
    """Return which scores share a table: the main ones, their foreground, every other metric."""
    main = summary.headline
    bases = [metric.base for metric in main]
    foreground = [
        summary.metrics[name]
        for name in map(on_foreground, bases)
        if name in summary.metrics and summary.metrics[name] not in main
    ]
    kinds: list[tuple[tuple[str, ...], list[Score]]] = [
        (("quality",), main),
        (("foreground",), foreground),
    ]
    others = dict.fromkeys(m.base for m in summary.metrics.values() if m.base not in bases)
    kinds += [
        (
            ("score", base) if base in ("quality", "foreground") else (base,),
            [metric for metric in summary.metrics.values() if metric.base == base],
        )
        for base in others
    ]
    return [(name, metrics) for name, metrics in kinds if metrics]


def _quality(
    summary: Summary, noise: str, name: tuple[str, ...], metrics: Sequence[Score]
) -> Table:
    """Return scores by method and level, methods grouped by track."""
    names = [metric.name for metric in metrics]
    scores = summary.scores
    scores = scores[(scores["noise"] == noise) & scores["metric"].isin(names)]
    places = [(level, metric) for level in summary.levels(noise) for metric in metrics]
    records = scores.to_dict("records")
    found = {(each["entry"], each["level"], each["metric"]): each for each in records}
    alike = _alike(summary, noise)
    milliseconds = summary.milliseconds()

    def row(entry: Entry) -> tuple[Field, ...]:
        keys = [(entry.id, level, metric.name) for level, metric in places]
        cells = [
            _score(found[key], metric, alike=key in alike)
            for key, (_, metric) in zip(keys, places, strict=True)
        ]
        once = [found[entry.id, level, names[0]] for level in summary.levels(noise)]
        return (
            *method_fields(summary, entry),
            *cells,
            number(milliseconds.get(entry.id)),
            _completed(*(sum(each[name] for each in once) for name in ("completed", "planned"))),
        )

    short, title, units = _titles(metrics)
    return Table(
        name=safe_name(*name, noise),
        title=f"{title}, {summary.noises[noise]} noise",
        caption=f"{captions.images(summary, noise)}. {units}σ is a fraction of full scale; "
        f"ms is the median time per {captions.item(summary.manifest)}.",
        columns=(
            *method_columns(summary),
            *(Column(short[m.name], f"σ = {written(level)}") for level, m in places),
            *map(Column, ("ms", "n")),
        ),
        sections=_by_track(summary.shown(noise), row),
        notes=captions.quality_notes(summary, noise, metrics) + _timing_note(summary),
        noise=noise,
        tidy=_tidy(summary, scores),
    )


def _alike(summary: Summary, noise: str) -> set[tuple[str, float, str]]:
    """Return the scores that do not differ from the reference method's."""
    pairs = summary.paired[summary.paired["noise"] == noise]
    same = pairs.loc[pairs["different"].eq(False), ["entry", "level", "metric"]]
    return {*same.itertuples(index=False, name=None)}


def _paired(summary: Summary, noise: str, metric: Score) -> Table:
    """Return the differences to the reference method, with tests and effect sizes."""
    pairs = summary.paired
    pairs = pairs[(pairs["noise"] == noise) & (pairs["metric"] == metric.name)]
    found = {(pair["entry"], pair["level"]): pair for pair in pairs.to_dict("records")}
    levels = [level for level in summary.levels(noise) if level in set(pairs["level"])]

    def row(entry: Entry) -> tuple[Field, ...]:
        cells = [_difference(found.get((entry.id, level)), metric) for level in levels]
        return Field(entry.label), *(cell for part in cells for cell in part)

    shown = [entry for entry in summary.shown(noise) if entry.id in set(pairs["entry"])]
    chosen = summary.reference.label if summary.reference else ""
    return Table(
        name=safe_name("paired", metric.name, noise),
        title=f"{metric.title} against {chosen}, {summary.noises[noise]} noise",
        caption=f"{captions.images(summary, noise)}. Δ: mean difference to {chosen}"
        f"{f' in {metric.unit}' if metric.unit else ''}, with its 95 % interval; p: paired "
        "Wilcoxon test, adjusted by Holm over this table; r: rank-biserial effect size, 1 where "
        f"the method is better in every {captions.noun_of(summary.manifest)}, −1 where it is worse "
        "in every one.",
        columns=(
            Column("Method", kind="text"),
            *(
                Column(title, f"σ = {written(level)}")
                for level in levels
                for title in ("Δ", "p", "r")
            ),
        ),
        sections=_by_track(shown, row),
        notes=captions.paired_notes(summary, pairs),
        noise=noise,
        tidy=named(summary, pairs.drop(columns="reference")),
    )


def _difference(pair: Mapping[Hashable, Any] | None, metric: Score) -> tuple[Field, Field, Field]:
    """Return difference, p value and effect size."""
    if pair is None:
        return Field("–"), Field("–"), Field("–")
    middle, low, high = (
        f"{pair[name]:+.{metric.digits}f}".replace("-", "−")
        for name in ("difference", "low", "high")
    )
    return (
        Field(
            middle,
            interval=f"[{low}, {high}]" if pd.notna(pair["low"]) else "",
            value=pair["difference"],
            marks=DIFFERENT if pair["different"] else "",
        ),
        Field(
            "<0.001" if pair["p_holm"] < 0.001 else f"{pair['p_holm']:.3f}", value=pair["p_holm"]
        ),
        Field(f"{pair['effect']:+.2f}".replace("-", "−"), value=pair["effect"]),
    )


def _titles(metrics: Sequence[Score]) -> tuple[dict[str, str], str, str]:
    """Return the columns' short titles, the table's title and a sentence on units."""
    inside = [metric for metric in metrics if metric.name != metric.base]
    suffix = "" if len(inside) == len(metrics) else " fg."
    plain = {metric.name: metric.title.replace(", foreground", "") for metric in metrics}
    short = {m.name: plain[m.name] + (suffix if m in inside else "") for m in metrics}
    title = captions.listing(dict.fromkeys(plain.values()))
    if inside:
        title += (
            " on the foreground" if not suffix else " on the whole image and the foreground (fg.)"
        )
    units = [f"{plain[m.name]} in {m.unit}" for m in metrics if m.unit]
    return short, title, f"{captions.listing(dict.fromkeys(units))}; " if units else ""


def _score(found: Mapping[Hashable, Any], metric: Score, *, alike: bool) -> Field:
    """Return a mean with its interval, rank and marks."""
    bounded = pd.notna(found["low"]) and pd.notna(found["high"])
    apart = found["n"] > 0 and not found["compared"]
    return Field(
        text=metric.text(found["mean"]),
        interval=f"[{metric.text(found['low'])}, {metric.text(found['high'])}]" if bounded else "",
        value=None if pd.isna(found["mean"]) else float(found["mean"]),
        rank=int(found["rank"]),
        marks=BELOW * found["below"] + APART * apart + ALIKE * alike,
    )


def _completed(completed: int, planned: int) -> Field:
    text = str(planned) if completed == planned else f"{completed}/{planned}"
    return Field(text, value=completed)


def _by_track(
    entries: Sequence[Entry], row: Callable[[Entry], tuple[Field, ...]]
) -> tuple[Section, ...]:
    """Return the identity, then one section per track."""
    sections = [Section("", tuple(row(entry) for entry in entries if entry.identity))]
    for track in [*TRACKS, *sorted({entry.track for entry in entries} - {*TRACKS})]:
        rows = [row(entry) for entry in entries if entry.track == track and not entry.identity]
        sections.append(Section(TRACK_TITLES.get(track, track), tuple(rows)))
    return tuple(section for section in sections if section.rows)


def _tidy(summary: Summary, scores: pd.DataFrame) -> pd.DataFrame:
    columns = ["noise", "level", "metric", "mean", "low", "high", "n", "clusters"]
    columns += ["completed", "planned", "compared", "rank", "below"]
    return named(summary, scores[["entry", *columns]])


def _timing_note(summary: Summary) -> tuple[str, ...]:
    """Say how the quoted runtimes were measured."""
    if not summary.milliseconds():
        return ("No timing pass was run.",)
    quoted = summary.timing[summary.timing["main"]]
    threads = captions.listing(f"{number:g}" for number in sorted(quoted["threads"].unique()))
    return (f"Timed apart, with {threads} thread{'s' * (threads != '1')}{machine(summary)}.",)


def failures(summary: Summary) -> Table:
    """Return the cells that did not complete, counted by reason."""
    rows = tuple(
        (
            Field(summary.entry(found["entry"]).label),
            Field(summary.noises[found["noise"]]),
            Field(found["levels"]),
            Field(found["status"]),
            Field(str(found["cells"]), value=float(found["cells"])),
            Field(found["reason"][:_REASON_LENGTH]),
        )
        for _, found in summary.failures.iterrows()
    )
    return Table(
        name="failures",
        title="Failures",
        caption="Cells that did not complete, by method and reason; reasons that differ in numbers "
        "only are counted together, under the first.",
        columns=(
            *(Column(title, kind="text") for title in ("Method", "Noise", "Levels", "Status")),
            Column("Cells"),
            Column("Reason", kind="prose"),
        ),
        sections=(Section("", rows),),
        tidy=named(summary, summary.failures),
    )
