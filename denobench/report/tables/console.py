"""A table on the console."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from denobench.report.data.table import Column, Table

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table as RichTable


def to_rich(table: Table) -> RichTable:
    """Return a table for the console: the columns of a group in one, without intervals."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable
    from rich.text import Text

    styles = {1: "bold", 2: "underline"}
    shown = RichTable(title=table.title, title_style="bold", title_justify="left", box=SIMPLE_HEAD)
    spans = list(_spans(table))
    for group, columns in spans:
        title = " / ".join(column.title for column in columns)
        shown.add_column(
            f"{group}\n{title}" if group else title,
            justify="right" if columns[0].kind == "number" else "left",
            no_wrap=columns[0].kind == "number",
        )
    for section in table.sections:
        shown.add_section()
        if section.title:
            shown.add_row(Text(section.title.partition(":")[0], style="italic dim"))
        for row in section.rows:
            cells = iter(row)
            texts = []
            for _, columns in spans:
                parts = [next(cells) for _ in columns]
                text = Text(" / ").join(
                    Text(part.text, styles.get(part.rank, "")) + Text(part.marks, "red")
                    for part in parts
                )
                texts.append(text)
            shown.add_row(*texts)
    return shown


def _spans(table: Table) -> list[tuple[str, list[Column]]]:
    """Return the columns by group; those without one stand alone."""

    def key(pair: tuple[int, Column]) -> str:
        return pair[1].group or str(pair[0])

    spans = [[column for _, column in part] for _, part in groupby(enumerate(table.columns), key)]
    return [(columns[0].group, columns) for columns in spans]


def on_console(tables: Iterable[Table]) -> Group:
    """Return tables to be printed with rich."""
    from rich.console import Group

    return Group(*(to_rich(table) for table in tables))
