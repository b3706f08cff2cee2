"""A table as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from denobench.report.data.table import ALIKE, APART, BELOW, DIFFERENT, Field, Table
from denobench.report.tables.letters import latex_escape, unsettable

_MARKS = {
    BELOW: r"$^{\downarrow}$",
    APART: r"$^{\dagger}$",
    ALIKE: r"$^{\approx}$",
    DIFFERENT: "*",
}
_SHAPES = {"number": "r", "text": "l", "prose": r"p{0.45\textwidth}"}


class _Setter:
    """Sets a table's texts, different ones differently, and remembers what has no letters."""

    def __init__(self) -> None:
        self._set: dict[str, str] = {}
        self.transliterated: dict[str, str] = {}

    def name(self, text: str) -> str:
        """Return a name, numbered where it would look like another of this table."""
        if text not in self._set:
            plain = latex_escape(text)
            found, number = plain, 1
            while found in self._set.values():
                number += 1
                found = f"{plain} ({number})"
            self._set[text] = found
            self._note(text, found)
        return self._set[text]

    def text(self, text: str) -> str:
        """Return any other text."""
        found = latex_escape(text)
        self._note(text, found)
        return found

    def note(self, text: str) -> str:
        """Return a footnote, which may begin with a mark."""
        mark = _MARKS.get(text[:1])
        return mark + self.text(text[1:]) if mark and text[1:2] == " " else self.text(text)

    def _note(self, text: str, found: str) -> None:
        if unsettable(text):
            self.transliterated.setdefault(text, found)


def to_latex(table: Table) -> str:
    """Return a table as a LaTeX float that needs the packages booktabs and graphicx.

    Letters that pdfLaTeX's own fonts lack are transliterated; a comment on top and a footnote say
    which.
    """
    setter = _Setter()
    shape = "".join(_SHAPES[column.kind] for column in table.columns)
    title, caption = setter.text(table.title), setter.text(table.caption)
    body = [*_head(table, setter), *_body(table, setter)]
    notes = [setter.note(note) for note in table.notes]
    odd = {text: found for text, found in setter.transliterated.items() if len(text) <= 100}
    if setter.transliterated:
        names = f": {', '.join(odd.values())}" if odd else ""
        notes.append(f"Transliterated, since pdf\\LaTeX{{}} has no such letters{names}.")
    lines = [
        r"% Needs \usepackage{booktabs,graphicx}.",
        *(f"% Transliterated: {text} as {found}" for text, found in odd.items()),
        r"\begin{table}[tbp]",
        r"\centering",
        rf"\caption[{{{title}}}]{{\textbf{{{title}.}} {caption}}}",
        rf"\label{{tab:{table.name}}}\par\smallskip",
        # Only a table that is wider than the text is shrunk.
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{@{{}}{shape}@{{}}}}",
        r"\toprule",
        *body,
        *(r"\bottomrule", r"\end{tabular}}"),
    ]
    if notes:
        text = "\\\\\n".join(notes)
        lines.append(rf"\par\smallskip\parbox{{\linewidth}}{{\footnotesize\raggedright {text}}}")
    return "\n".join([*lines, r"\end{table}", ""])


def _body(table: Table, setter: _Setter) -> list[str]:
    lines = []
    for section in table.sections:
        lines.append(r"\midrule")
        if section.title:
            heading = rf"\emph{{{setter.text(section.title)}}}"
            lines.append(rf"\multicolumn{{{len(table.columns)}}}{{@{{}}l}}{{{heading}}} \\")
        for row in section.rows:
            lines += _row(row, setter)
    return lines


def _head(table: Table, setter: _Setter) -> list[str]:
    lines = []
    if table.grouped:
        heads, rules, first = [], [], 1
        for name, count in table.groups:
            last = first + count - 1
            if name:
                heads.append(rf"\multicolumn{{{count}}}{{c}}{{{setter.text(name)}}}")
                rules.append(rf"\cmidrule(lr){{{first}-{last}}}")
            else:
                heads.append(" & ".join([""] * count))
            first = last + 1
        lines += [" & ".join(heads) + r" \\", " ".join(rules)]
    return [*lines, " & ".join(setter.text(column.title) for column in table.columns) + r" \\"]


def _row(row: Sequence[Field], setter: _Setter) -> list[str]:
    def main(place: int, cell: Field) -> str:
        text = setter.name(cell.text) if place == 0 else setter.text(cell.text)
        text = {1: rf"\textbf{{{text}}}", 2: rf"\underline{{{text}}}"}.get(cell.rank, text)
        # Marks take no room, so that the digits stay in line.
        marks = "".join(_MARKS[mark] for mark in cell.marks)
        return text + (rf"\rlap{{{marks}}}" if marks else "")

    lines = [" & ".join(main(place, cell) for place, cell in enumerate(row)) + r" \\"]
    if any(cell.interval for cell in row):
        small = [
            rf"{{\scriptsize {setter.text(cell.interval)}}}" if cell.interval else ""
            for cell in row
        ]
        lines = [lines[0] + "[-2pt]", " & ".join(small) + r" \\[1pt]"]
    return lines
