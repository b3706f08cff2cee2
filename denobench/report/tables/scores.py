"""The tables: scores per noise model, runtimes, training and failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from denobench.files import safe_name
from denobench.manifest import TrainingRecord
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
from denobench.report.tables.tuning import tuning_table
from denobench.report.text import captions
from denobench.runtimes import machine_noise

TRACK_TITLES = {
    "oracle": "Oracle: told the true sigma",
    "estimated": "Estimated: told an estimate of sigma",
    "blind": "Blind: told nothing of sigma",
}

TIMING_NOTE = (
    "A fresh process per method with threads pinned, warm-up first, methods interleaved. "
    "Cold start: import and first call. Training is not included. "
    "All cores: for methods that use more than one."
)

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
    tables += [tuning_table(summary), _timing(summary), _training(summary), failures(summary)]
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
        summary.metrics[f"{base}_foreground"]
        for base in bases
        if f"{base}_foreground" in summary.metrics
        and summary.metrics[f"{base}_foreground"] not in main
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
    levels = summary.levels(noise)
    found = {(s["entry"], s["level"], s["metric"]): s for _, s in scores.iterrows()}
    alike = {
        (pair["entry"], pair["level"], pair["metric"])
        for _, pair in summary.paired[summary.paired["noise"] == noise].iterrows()
        if pair["different"] is False
    }
    milliseconds = summary.milliseconds()

    def row(entry: Entry) -> tuple[Field, ...]:
        cells = [
            _score(
                found[entry.id, level, metric.name],
                metric,
                alike=(entry.id, level, metric.name) in alike,
            )
            for level in levels
            for metric in metrics
        ]
        once = scores[(scores["entry"] == entry.id) & (scores["metric"] == names[0])]
        return (
            Field(entry.label),
            *cells,
            _number(milliseconds.get(entry.id)),
            _completed(int(once["completed"].sum()), int(once["planned"].sum())),
        )

    short, title, units = _titles(metrics)
    return Table(
        name=safe_name(*name, noise),
        title=f"{title}, {summary.noises[noise]} noise",
        caption=f"{captions.images(summary, noise)}. {units}σ is a fraction of full scale; "
        "ms is the median time per image.",
        columns=(
            Column("Method", kind="text"),
            *(Column(short[m.name], f"σ = {written(level)}") for level in levels for m in metrics),
            Column("ms"),
            Column("n"),
        ),
        sections=_by_track(summary.shown(noise), row),
        notes=captions.quality_notes(summary, noise, metrics) + _timing_note(summary),
        noise=noise,
        tidy=_tidy(summary, scores),
    )


def _paired(summary: Summary, noise: str, metric: Score) -> Table:
    """Return the differences to the reference method, with tests and effect sizes."""
    pairs = summary.paired
    pairs = pairs[(pairs["noise"] == noise) & (pairs["metric"] == metric.name)]
    found = {(pair["entry"], pair["level"]): pair for _, pair in pairs.iterrows()}
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
        "the method is better in every cluster, −1 where it is worse in every one.",
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
        tidy=_named(summary, pairs.drop(columns="reference")),
    )


def _difference(pair: pd.Series | None, metric: Score) -> tuple[Field, Field, Field]:
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


def _score(found: pd.Series, metric: Score, *, alike: bool) -> Field:
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


def _number(value: float | None) -> Field:
    """Return a positive number with three significant digits."""
    if value is None or pd.isna(value):
        return Field("–")
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    if value < 0.005:
        return Field("<0.01", value=float(value))
    return Field(f"{value:,.{digits}f}".replace(",", "\u00a0"), value=float(value))


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


def _named(summary: Summary, frame: pd.DataFrame) -> pd.DataFrame:
    """Put run, method, label and track where a frame has the entry's id."""
    entries = {entry.id: entry for entry in summary.entries}
    found = [entries[identifier] for identifier in frame["entry"]]
    rest = frame.drop(columns=["entry", "run", "method", "track"], errors="ignore")
    for name in ("track", "label", "name", "run"):
        column = "method" if name == "name" else name
        rest.insert(0, column, [getattr(entry, name) for entry in found])
    return rest


def _tidy(summary: Summary, scores: pd.DataFrame) -> pd.DataFrame:
    columns = ["noise", "level", "metric", "mean", "low", "high", "n", "clusters"]
    columns += ["completed", "planned", "compared", "rank", "below"]
    return _named(summary, scores[["entry", *columns]])


def _timing_note(summary: Summary) -> tuple[str, ...]:
    """Say how the quoted runtimes were measured."""
    if not summary.milliseconds():
        return ("No timing pass was run.",)
    quoted = summary.timing[summary.timing["main"]]
    threads = captions.listing(f"{number:g}" for number in sorted(quoted["threads"].unique()))
    return (f"Timed apart, with {threads} thread{'s' * (threads != '1')}{_machine(summary)}.",)


def _machine(summary: Summary) -> str:
    cpu = summary.manifest.hardware.cpu
    return f" on {cpu}" if cpu else ""


def _libraries(summary: Summary) -> str:
    """Say which versions of which libraries the timed methods computed with."""
    timing = summary.timing
    if "versions" not in timing:
        return ""
    labels = {entry.id: entry.label for entry in summary.entries}
    timed = {labels[found["entry"]]: str(found["versions"]) for _, found in timing.iterrows()}
    users: dict[str, list[str]] = {}
    for label, versions in timed.items():
        for library in versions.split(", "):
            users.setdefault(library, []).append(label)
    parts = [
        library if len(found) == len(timed) else f"{library} ({', '.join(found)})"
        for library, found in users.items()
    ]
    return f"Libraries: {'; '.join(parts)}."


def _timing(summary: Summary) -> Table:
    """Return runtimes and memory."""
    timing = summary.timing

    def row(entry: Entry, found: pd.Series) -> tuple[Field, ...]:
        def value(name: str) -> Field:
            return _number(found.get(name))

        median = value("median_ms")
        if found["status"] == "ok":
            median = replace(median, interval=f"[{value('low_ms').text}, {value('high_ms').text}]")
        else:
            median = Field(str(found["status"]))
        names = ("min_ms", "max_ms", "all_cores_median_ms", "cold_ms", "peak_mb")
        rest = [value(name) for name in names]
        repeats = found.get("repeats")
        return (
            Field(entry.label),
            Field(f"{found['size']}"),
            Field(f"{found['threads']:g}"),
            median,
            *rest,
            Field(f"{repeats:g}" if pd.notna(repeats) else "–"),
        )

    rows = []
    notes = [TIMING_NOTE, *filter(None, [_libraries(summary), machine_noise(timing)])]
    for entry in summary.entries:
        for _, found in timing[timing["entry"] == entry.id].iterrows() if len(timing) else ():
            rows.append(row(entry, found))
            if found["status"] != "ok":
                notes.append(f"{entry.label}: {found['status']}: {found.get('error')}")
    titles = (
        "Size",
        "Threads",
        "Median",
        "Min",
        "Max",
        "All cores",
        "Cold start",
        "Peak MB",
        "Repeats",
    )
    return Table(
        name="timing",
        title="Runtime",
        caption=f"Milliseconds per image{_machine(summary)}: median with quartiles, and extremes.",
        columns=(Column("Method", kind="text"), *(Column(title) for title in titles)),
        sections=(Section("", tuple(rows)),),
        notes=tuple(notes),
        tidy=_named(summary, timing.drop(columns="main")) if rows else timing,
    )


def _training(summary: Summary) -> Table:
    """Return what training cost and which epoch was kept."""
    trained = [(entry, told) for entry in summary.entries if (told := entry.details.training)]
    records = [
        {"entry": entry.id}
        | {name: _joined(value) for name, value in told.model_dump(exclude_none=True).items()}
        for entry, told in trained
    ]

    def row(entry: Entry, told: TrainingRecord) -> tuple[Field, ...]:
        numbers = (told.images, told.epochs, told.kept_epoch)
        seconds = told.seconds
        return (
            Field(entry.label),
            *(Field("–" if number is None else _joined(number)) for number in numbers),
            Field("–" if seconds is None else f"{seconds / 60:.1f}", value=seconds),
            Field(entry.details.remark),
        )

    return Table(
        name="training",
        title="Training",
        caption="Images to train on and to validate with, epochs, the epoch whose weights were "
        "kept, and minutes.",
        columns=(
            Column("Method", kind="text"),
            *(Column(title) for title in ("Images", "Epochs", "Kept", "Minutes")),
            Column("Remark", kind="prose"),
        ),
        sections=(Section("", tuple(row(entry, told) for entry, told in trained)),),
        tidy=_named(summary, pd.DataFrame(records)) if records else pd.DataFrame(),
    )


def _joined(value: object) -> str:
    """Return a value as text; the parts of a list with a plus."""
    return " + ".join(map(str, value)) if isinstance(value, tuple) else str(value)


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
        tidy=_named(summary, summary.failures),
    )
