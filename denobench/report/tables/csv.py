"""Tidy data as CSV that no spreadsheet computes with."""

from __future__ import annotations

import pandas as pd

from denobench.printable import inert


def to_csv(frame: pd.DataFrame) -> str:
    """Return a frame as CSV, without its index.

    Text that a spreadsheet would take for a formula (OWASP's "CSV injection") has an apostrophe
    before it, as spreadsheets themselves mark text; numbers are as they are. A carriage return,
    which pandas would write without quotes, is a line feed.
    """
    texts = frame.select_dtypes(include=["object", "string", "category"]).columns
    return frame.assign(**{name: frame[name].map(_harmless) for name in texts}).to_csv(index=False)


def _harmless(value: object) -> object:
    if not isinstance(value, str):
        return value
    return inert(value.replace("\r\n", "\n").replace("\r", "\n"))
