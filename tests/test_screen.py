"""The terminal: strangers' text stands there as written."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

from denobench.cli import app
from denobench.screen import Screen

HOSTILE = "own [see file] [/x] :smile: [bold]b[/] [link=file:///x]l[/link]"


def screen() -> tuple[Screen, io.StringIO]:
    file = io.StringIO()
    return Screen(file=file, width=300), file


@pytest.mark.parametrize("text", [HOSTILE, "[/]", "[[a]", r"\[a]", "a [/lib] b"])
def test_markup_is_text(text: str) -> None:
    """Brackets and emoji codes are printed, alone, styled, in tables and in their heads."""
    console, file = screen()
    table = Table(text, title=text)
    table.add_row(text)
    console.print(text)
    console.print(text, style="bold")
    console.print(Text("!"), text)
    console.print(table)
    assert file.getvalue().count(text) == 6


def test_terminals_codes_are_shown() -> None:
    """An escape code reaches no terminal."""
    console, file = screen()
    console.print("a\x1b[2Jb\nc \u202ed \udcff")
    assert file.getvalue() == "a\\x1b[2Jb\nc \\u202ed \\udcff\n"


def test_methods_and_check_print_texts_as_written(tmp_path: Path) -> None:
    """Title, licence, notes, a method's error and that of a plugin that cannot be read."""
    (tmp_path / "bad.py").write_text('raise OSError("no licence in [/opt/lib]")\n', "utf-8")
    (tmp_path / "p.py").write_text(
        "from denobench import denoiser\n"
        f"@denoiser('bracketed', title='[b]M[/b]', licence={HOSTILE!r}, notes='needs [/dev/x]')\n"
        "def m(noisy, sigma): raise ValueError('shape [/x] \\x1b[31m')\n",
        "utf-8",
    )
    plugin = ["--plugin", str(tmp_path / "p.py")]
    run = CliRunner(env={"COLUMNS": "400"}).invoke
    for words, texts in (
        (["methods", "tv", "--plugin", str(tmp_path / "bad.py")], ["no licence in [/opt/lib]"]),
        (["methods", "bracketed", *plugin], ["[b]M[/b]", HOSTILE, "needs [/dev/x]"]),
        (["check", "bracketed", *plugin], [r"shape [/x] \x1b[31m"]),
    ):
        shown = run(app, words)
        assert not shown.exception or isinstance(shown.exception, SystemExit)
        for text in texts:
            assert text in shown.output
