"""What methods cost: runtimes and memory, and the training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from denobench.manifest import TrainingRecord
from denobench.report.data.entries import Entry
from denobench.report.data.summary import Summary
from denobench.report.data.table import Column, Field, Section, Table
from denobench.report.tables.parts import (
    machine,
    method_columns,
    method_fields,
    named,
    number,
)
from denobench.report.text import captions
from denobench.runtimes import machine_noise

TIMING_NOTE = (
    "A fresh process per method with threads pinned, warm-up first, methods interleaved. "
    "Cold start: import and first call. Training is not included. "
    "All cores: for methods that use more than one."
)


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


def timing(summary: Summary) -> Table:
    """Return runtimes and memory."""
    timed = [
        (entry, found)
        for entry in summary.entries
        for _, found in summary.timing.iterrows()
        if found["entry"] == entry.id
    ]
    failed = [
        f"{entry.label}: {found['status']}: {found.get('error')}"
        for entry, found in timed
        if found["status"] != "ok"
    ]
    said = [_libraries(summary), machine_noise(summary.timing), _programs(timed)]
    titles = ("Size", "Device", "Threads", "Median", "Min", "Max", "All cores", "Cold start")
    return Table(
        name="timing",
        title="Runtime",
        caption=f"Milliseconds per {captions.item(summary.manifest)}{machine(summary)}: median "
        "with quartiles, and extremes.",
        columns=(
            *method_columns(summary),
            *(map(Column, (*titles, "Peak MB", "Repeats"))),
        ),
        sections=(Section("", tuple(_timed(summary, entry, found) for entry, found in timed)),),
        notes=(TIMING_NOTE, *filter(None, said), *failed),
        tidy=named(summary, summary.timing.drop(columns="main")) if timed else summary.timing,
    )


def _timed(summary: Summary, entry: Entry, found: pd.Series) -> tuple[Field, ...]:
    """Return a method's row of the timing table."""
    median = number(found.get("median_ms"))
    if found["status"] == "ok":
        quartiles = (number(found.get(name)).text for name in ("low_ms", "high_ms"))
        median = replace(median, interval=f"[{', '.join(quartiles)}]")
    else:
        median = Field(str(found["status"]))
    names = ("min_ms", "max_ms", "all_cores_median_ms", "cold_ms", "peak_mb")
    repeats = found.get("repeats")
    return (
        *method_fields(summary, entry),
        Field(f"{found['size']}"),
        Field(_device(found)),
        Field(f"{found['threads']:g}"),
        median,
        *(number(found.get(name)) for name in names),
        Field(f"{repeats:g}" if pd.notna(repeats) else "–"),
    )


def _programs(timed: Sequence[tuple[Entry, pd.Series]]) -> str:
    """Say how much of a command's time its program takes, without the files."""
    parts = [
        f"{entry.label} {number(found['program_ms']).text}"
        for entry, found in timed
        if pd.notna(found.get("program_ms"))
    ]
    return f"Without writing and reading files, in ms: {', '.join(parts)}." if parts else ""


def _device(found: pd.Series) -> str:
    """Return where a method was timed; older runs, which do not say so, used none but CPUs."""
    device = found.get("device", "cpu")
    return str(device) if pd.notna(device) and device else "–"


def training(summary: Summary) -> Table:
    """Return what training cost and which epoch was kept."""
    trained = [(entry, told) for entry in summary.entries if (told := entry.details.training)]
    records = [
        {"entry": entry.id}
        | {name: _joined(value) for name, value in told.model_dump(exclude_none=True).items()}
        for entry, told in trained
    ]

    # What earlier runs did not note has no columns.
    costs = [each for each in _COSTS if any(getattr(told, each[0]) for _, told in trained)]

    def row(entry: Entry, told: TrainingRecord) -> tuple[Field, ...]:
        numbers = (told.images, told.epochs, told.kept_epoch)
        seconds = told.seconds
        return (
            Field(entry.label),
            *(_cost(getattr(told, name), unit) for name, _, unit in costs),
            *(Field("–" if number is None else _joined(number)) for number in numbers),
            Field("–" if seconds is None else f"{seconds / 60:.1f}", value=seconds),
            *([Field(told.device or "–")] if differ else []),
            Field(entry.details.remark),
        )

    devices = sorted({told.device for _, told in trained if told.device})
    differ = len(devices) > 1
    place = [] if differ else [f"Trained on {device}." for device in devices]
    return Table(
        name="training",
        title="Training",
        caption=" ".join(
            [_TRAINING_CAPTION, *([_COSTS_CAPTION] if costs else []), *_recipes(trained), *place]
        ),
        columns=(
            Column("Method", kind="text"),
            *(Column(title) for _, title, _ in costs),
            *(Column(title) for title in ("Images", "Epochs", "Kept", "Minutes")),
            *([Column("Trained on", kind="text")] if differ else []),
            Column("Remark", kind="prose"),
        ),
        sections=(Section("", tuple(row(entry, told) for entry, told in trained)),),
        tidy=named(summary, pd.DataFrame(records)) if records else pd.DataFrame(),
    )


# Field of a record, title of its column, and the unit that it is printed in.
_COSTS = (
    ("parameters", "Parameters (10³)", 1e3),
    ("multiplications", "Products (10⁹)", 1e9),
    ("seen", "Seen (10³)", 1e3),
)
_TRAINING_CAPTION = (
    "Images to train on and to validate with, epochs, the epoch whose weights were kept, and "
    "minutes."
)
_COSTS_CAPTION = (
    "Products are those that the convolutions of one image take as they are defined; seen are the "
    "images, or squares of them, of all steps."
)


def _recipes(trained: Sequence[tuple[Entry, TrainingRecord]]) -> list[str]:
    """Say which networks are trained as their sources state, where one has as many epochs."""
    stated = [
        entry.label for entry, told in trained if told.epochs and told.epochs == told.stated_epochs
    ]
    rest = "; the others as many as the config gives" if len(stated) < len(trained) else ""
    return [f"As many epochs as its source states: {', '.join(stated)}{rest}."] if stated else []


def _cost(value: int | None, unit: float) -> Field:
    """Return a cost in its unit, with three digits."""
    if value is None:
        return Field("–")
    text = f"{value / unit:.3g}" if value < 1000 * unit else f"{value / unit:.0f}"
    return Field(text, value=value)


def _joined(value: object) -> str:
    """Return a value as text; the parts of a list with a plus."""
    return " + ".join(map(str, value)) if isinstance(value, tuple) else str(value)
