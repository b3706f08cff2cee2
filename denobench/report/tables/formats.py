"""A table as Markdown, LaTeX and on the console."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from denobench.report.data.table import ALIKE, APART, BELOW, Column, Field, Table

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table as RichTable


def to_markdown(table: Table) -> str:
    """Return a table as GitHub shows it."""

    def cell(found: Field) -> str:
        text = _markdown_escape(found.text)
        text = {1: f"**{text}**", 2: f"<ins>{text}</ins>"}.get(found.rank, text) + found.marks
        return f"{text}<br><sub>{found.interval}</sub>" if found.interval else text

    titles = [f"{c.group}<br>{c.title}" if c.group else c.title for c in table.columns]
    lines = [
        f"**{_markdown_escape(table.title)}.** {_markdown_escape(table.caption)}",
        "",
        "| " + " | ".join(titles) + " |",
        "|"
        + "|".join("---:" if column.kind == "number" else ":---" for column in table.columns)
        + "|",
    ]
    for section in table.sections:
        if section.title:
            blank = " |" * (len(table.columns) - 1)
            lines.append(f"| *{_markdown_escape(section.title)}* |{blank}")
        lines += ["| " + " | ".join(cell(found) for found in row) + " |" for row in section.rows]
    lines += ["", *(f"- {_markdown_escape(note)}" for note in table.notes)]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_escape(text: str) -> str:
    for letter in "\\`*_[]<>|#":
        text = text.replace(letter, "\\" + letter)
    return " ".join(text.split())


_LATEX = {
    **{letter: "\\" + letter for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    BELOW: r"$^{\downarrow}$",
    APART: r"$^{\dagger}$",
    ALIKE: r"$^{\approx}$",
    "σ": r"$\sigma$",
    "∞": r"$\infty$",
    "−": "$-$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "±": r"$\pm$",
    "Δ": r"$\Delta$",
    "µ": r"$\mu$",
    "–": "--",
    "—": "---",
    "·": r"$\cdot$",
    "’": "'",
    "“": "``",
    "”": "''",
    "[": "{[}",  # else an option of the line break before it
    "\u00a0": "~",
}


def latex_escape(text: str) -> str:
    """Return text that LaTeX prints as it is; letters it does not know lose their accents."""

    def letter(found: str) -> str:
        if found in _LATEX:
            return _LATEX[found]
        plain = unicodedata.normalize("NFKD", found).encode("ascii", "ignore").decode()
        known = found.isascii() or ("\u00c0" <= found <= "\u017f" and plain)
        return found if known else "".join(_LATEX.get(other, other) for other in plain) or "?"

    return "".join(letter(found) for found in " ".join(text.split()))


def to_latex(table: Table) -> str:
    """Return a table as a LaTeX float that needs the packages booktabs and graphicx."""
    width = len(table.columns)
    shapes = {"number": "r", "text": "l", "prose": r"p{0.45\textwidth}"}
    shape = "".join(shapes[column.kind] for column in table.columns)
    lines = [
        r"% Needs \usepackage{booktabs,graphicx}.",
        r"\begin{table}[tbp]",
        r"\centering",
        rf"\caption{{\textbf{{{latex_escape(table.title)}.}} {latex_escape(table.caption)}}}",
        rf"\label{{tab:{table.name}}}\par\smallskip",
        # Only a table that is wider than the text is shrunk.
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{@{{}}{shape}@{{}}}}",
        r"\toprule",
        *_latex_head(table),
    ]
    for section in table.sections:
        lines.append(r"\midrule")
        if section.title:
            lines.append(
                rf"\multicolumn{{{width}}}{{@{{}}l}}{{\emph{{{latex_escape(section.title)}}}}} \\"
            )
        for row in section.rows:
            lines += _latex_row(row)
    lines += [r"\bottomrule", r"\end{tabular}}"]
    if table.notes:
        notes = "\\\\\n".join(latex_escape(note) for note in table.notes)
        lines.append(rf"\par\smallskip\parbox{{\linewidth}}{{\footnotesize\raggedright {notes}}}")
    return "\n".join([*lines, r"\end{table}", ""])


def _latex_head(table: Table) -> list[str]:
    lines = []
    if table.grouped:
        heads, rules, first = [], [], 1
        for name, count in table.groups:
            last = first + count - 1
            if name:
                heads.append(rf"\multicolumn{{{count}}}{{c}}{{{latex_escape(name)}}}")
                rules.append(rf"\cmidrule(lr){{{first}-{last}}}")
            else:
                heads.append(" & ".join([""] * count))
            first = last + 1
        lines += [" & ".join(heads) + r" \\", " ".join(rules)]
    return [*lines, " & ".join(latex_escape(column.title) for column in table.columns) + r" \\"]


def _latex_row(row: Sequence[Field]) -> list[str]:
    def main(cell: Field) -> str:
        text = latex_escape(cell.text)
        text = {1: rf"\textbf{{{text}}}", 2: rf"\underline{{{text}}}"}.get(cell.rank, text)
        # Marks take no room, so that the digits stay in line.
        return text + (rf"\rlap{{{latex_escape(cell.marks)}}}" if cell.marks else "")

    lines = [" & ".join(main(cell) for cell in row) + r" \\"]
    if any(cell.interval for cell in row):
        small = [
            rf"{{\scriptsize {latex_escape(cell.interval)}}}" if cell.interval else ""
            for cell in row
        ]
        lines = [lines[0] + "[-2pt]", " & ".join(small) + r" \\[1pt]"]
    return lines


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
