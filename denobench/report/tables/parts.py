"""What tables have in common: numbers as they are printed, and what a tidy table names."""

from __future__ import annotations

import pandas as pd

from denobench.report.data.entries import Entry
from denobench.report.data.summary import Summary
from denobench.report.data.table import Column, Field
from denobench.report.text import captions


def number(value: float | None) -> Field:
    """Return a positive number with three significant digits."""
    if value is None or pd.isna(value):
        return Field("–")
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    if value < 0.005:
        return Field("<0.01", value=float(value))
    return Field(f"{value:,.{digits}f}".replace(",", "\u00a0"), value=float(value))


def named(summary: Summary, frame: pd.DataFrame) -> pd.DataFrame:
    """Put run, method, label and track where a frame has the entry's id."""
    entries = {entry.id: entry for entry in summary.entries}
    found = [entries[identifier] for identifier in frame["entry"]]
    rest = frame.drop(columns=["entry", "run", "method", "track"], errors="ignore")
    for name in ("track", "label", "name", "run"):
        column = "method" if name == "name" else name
        rest.insert(0, column, [getattr(entry, name) for entry in found])
    return rest


def machine(summary: Summary) -> str:
    """Return the processor that methods were timed on, with the words that lead to it."""
    cpu = summary.manifest.hardware.cpu
    return f" on {cpu}" if cpu else ""


def method_columns(summary: Summary) -> list[Column]:
    """Return the first columns: the method, and whether it is 3-D where volumes are tested."""
    whole = captions.item(summary.manifest) == "volume"
    return [Column("Method", kind="text"), *[Column("Dim.", kind="text")] * whole]


def method_fields(summary: Summary, entry: Entry) -> list[Field]:
    """Return what stands in the columns of `method_columns`."""
    return [Field(entry.label), Field(f"{entry.details.dims}-D")][: len(method_columns(summary))]
