"""A table as Markdown, and text in it."""

from __future__ import annotations

import re

from denobench.report.data.table import Field, Table

# Of CommonMark, and of GitHub: mathematics, strike-through, entities.
_SPECIAL = re.compile(r"[\\`*_\[\]<>|#~$&]|(?<![^\W_]):(?=[\w+-]+:)|!(?=\[)")
_FIRST = re.compile(r"^(\d+)([.)])(?=\s|$)|^([-+=])")


def markdown_escape(text: str) -> str:
    """Return text on one line that Markdown shows as it is written."""
    text = _SPECIAL.sub(lambda found: "\\" + found[0], " ".join(text.split()))
    return _FIRST.sub(
        lambda found: f"{found[1]}\\{found[2]}" if found[1] else "\\" + found[3], text
    )


def to_markdown(table: Table) -> str:
    """Return a table as GitHub shows it."""

    def cell(found: Field) -> str:
        text = markdown_escape(found.text)
        text = {1: f"**{text}**", 2: f"<ins>{text}</ins>"}.get(found.rank, text) + found.marks
        return f"{text}<br><sub>{found.interval}</sub>" if found.interval else text

    titles = [
        "<br>".join(map(markdown_escape, filter(None, (c.group, c.title)))) for c in table.columns
    ]
    lines = [
        f"**{markdown_escape(table.title)}.** {markdown_escape(table.caption)}",
        "",
        "| " + " | ".join(titles) + " |",
        "|"
        + "|".join("---:" if column.kind == "number" else ":---" for column in table.columns)
        + "|",
    ]
    for section in table.sections:
        if section.title:
            blank = " |" * (len(table.columns) - 1)
            lines.append(f"| *{markdown_escape(section.title)}* |{blank}")
        lines += ["| " + " | ".join(cell(found) for found in row) + " |" for row in section.rows]
    lines += ["", *(f"- {markdown_escape(note)}" for note in table.notes)]
    return "\n".join(lines).rstrip() + "\n"
