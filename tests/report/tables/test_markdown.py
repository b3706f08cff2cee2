"""Markdown: tables that GitHub shows, and text that it does not obey."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from denobench.report.data.table import Column, Field, Section, Table
from denobench.report.tables.markdown import markdown_escape, to_markdown

# As GitHub reads it: with tables, struck-through text and HTML.
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shown(markdown: str) -> str:
    """Return what a reader sees of a paragraph."""
    found = PARSER.render(markdown)
    assert found.startswith("<p>"), found
    return html.unescape(re.sub("<[^>]*>", "", found)).removesuffix("\n")


@pytest.mark.parametrize(
    "text",
    [
        "a_b_c *d* **e** `f` [g](h) ![i](j) <b>k</b> ~~l~~ | m",
        "# no head", "1. no list", "12) no list", "- no list", "+ no list", "= no head",
        "&lt; &amp; &#35;", "\\* \\\\ \\_", "$x_1^2$ $$y$$", "> no quote", "[a]: b", "---", "===",
        "<script>alert(1)</script>", "a <!-- b --> c", ":tada:", "λ [ε] 小波",
    ],
)  # fmt: skip
def test_text_is_shown_as_written(text: str) -> None:
    """A Markdown parser shows the very text, and finds no mark-up in it."""
    assert shown(markdown_escape(text)) == text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
def test_any_text_is_shown_as_written(text: str) -> None:
    """So it is with any printable text."""
    assert shown(markdown_escape(text)) == text


def test_dollars_and_emoji_codes_are_no_code() -> None:
    """GitHub's own mathematics and emoji are escaped, too."""
    assert markdown_escape("from $1 to $2 :tada:") == r"from \$1 to \$2 \:tada:"
    assert markdown_escape("n: 5, 10:30") == "n: 5, 10:30"


def test_tables_are_tables(tables: dict[str, Table]) -> None:
    """A Markdown parser finds one table per file, with every row as wide as its head."""
    for table in tables.values():
        found = PARSER.render(to_markdown(table))
        assert found.count("<table>") == 1
        widths = {len(re.findall(r"<t[hd][ >]", row)) for row in found.split("<tr>")[1:]}
        assert widths == {len(table.columns)}
    found = PARSER.render(to_markdown(tables["quality-gaussian"]))
    assert "Sharpening &amp; more_noise" in found
    assert "<strong>" in found
    assert "<ins>" in found


def test_hostile_titles_stay_in_their_cells() -> None:
    """Pipes, line breaks and tags in a title, a head or a heading make no cell or element."""
    worst = "a | b\n\n| c <script>x</script> [d](javascript:e)"
    table = Table(
        name="t", title=worst, caption=worst, columns=(Column(worst, worst, "text"), Column("n")),
        sections=(Section(worst, ((Field(worst, rank=1), Field("1")),)),), notes=(worst,),
    )  # fmt: skip
    found = PARSER.render(to_markdown(table))
    assert "<script" not in found
    assert "<a " not in found
    assert len(re.findall(r"<t[hd][ >]", found)) == 6
