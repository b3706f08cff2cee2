"""A table before it is written: fields, columns, sections, footnotes and the tidy data."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

import pandas as pd

BELOW = "▼"
APART = "†"
ALIKE = "≈"
DIFFERENT = "*"


@dataclass(frozen=True)
class Field:
    """What stands in one place of a table.

    Attributes
    ----------
    text
        As it is printed.
    interval
        A second, smaller line.
    value
        What the column is sorted by on the page.
    rank
        1: bold, 2: underlined.
    marks
        Footnote marks behind the text.
    """

    text: str
    interval: str = ""
    value: float | None = None
    rank: int = 0
    marks: str = ""


@dataclass(frozen=True)
class Column:
    """A column: its title, the group above it, and how it is set.

    ``kind`` is ``number`` (to the right), ``text`` (to the left) or ``prose`` (broken into lines).
    """

    title: str
    group: str = ""
    kind: str = "number"


@dataclass(frozen=True)
class Section:
    """Rows under a common heading; empty for none."""

    title: str
    rows: tuple[tuple[Field, ...], ...]


@dataclass(frozen=True)
class Table:
    """A table with its caption, footnotes and tidy data.

    Attributes
    ----------
    name
        Of its files.
    title, caption
        The first in bold, the second behind it.
    noise
        The noise model it is about, or empty.
    """

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    noise: str = ""
    tidy: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Column groups in order, each with its number of columns."""
        return [(name, len([*found])) for name, found in groupby(c.group for c in self.columns)]

    @property
    def grouped(self) -> bool:
        """Whether there are column groups at all."""
        return any(column.group for column in self.columns)
