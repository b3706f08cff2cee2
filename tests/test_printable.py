"""Strangers' text: shown as written, and commanding nobody."""

from __future__ import annotations

import doctest
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denobench import printable as module
from denobench.printable import alive, inert, one_line, printable


@pytest.mark.parametrize(
    "text",
    [
        "Łukasz [λ = 0.1] $x$",
        "小波去噪",
        "نویز",
        "ש ל ו",
        "a\u00a0b",
        "👩‍🔬 ½ °",
        "می\u200cشود",
        "a\\n",
    ],
)
def test_what_can_be_read_stays(text: str) -> None:
    """Letters of every script, signs, spaces and joiners are as they were."""
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2066\u2069\u200e\u200f\ufeff", r"\u2066\u2069\u200e\u200f\ufeff"),
        ("b\udce9d", r"b\udce9d"),
        ("\u2028\x85\x9b31m", r"\u2028\x85\x9b31m"),
    ],
)
def test_what_commands_is_shown(text: str, shown: str) -> None:
    """Escape codes, line breaks, marks of direction and lone bytes are written out."""
    assert printable(text) == shown


@given(st.text())
def test_no_text_holds_a_command(text: str) -> None:
    """Whatever comes in, what comes out has no control character and can be encoded."""
    for shown in (printable(text), one_line(text)):
        shown.encode("utf-8")
        assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in shown)
    assert len(one_line(text, 20)) <= 20


def test_lines_may_stay() -> None:
    """A message keeps its line breaks where it is asked to."""
    assert printable("a\n\x1bb", lines=True) == "a\n\\x1bb"


@given(st.text("'=+-@\t\n\rab", max_size=5))
def test_no_text_is_a_formula(text: str) -> None:
    """A spreadsheet takes no text for a formula, and each one comes back."""
    assert not inert(text).startswith(("=", "+", "-", "@", "\t", "\n", "\r"))
    assert alive(inert(text)) == text


def test_examples_are_true() -> None:
    """The documentation's examples give what they say."""
    assert doctest.testmod(module).failed == 0
