"""Strangers' text as it may be shown: as written, but for what would command whoever shows it."""

from __future__ import annotations

import unicodedata

# Joiners inside words of some scripts, and inside emoji: invisible, but nothing is moved by them.
JOINERS = "\u200c\u200d\ufe0e\ufe0f"

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # begin what a spreadsheet computes


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return text with its control characters shown as Python writes them, such as ``\x1b``.

    These are line breaks, terminals' escape codes, marks that turn the direction of what follows,
    and what is no character at all (the bytes of a file's name that is not UTF-8). Letters of any
    script stay, and so do spaces.

    Parameters
    ----------
    text
        Such as a title, a licence, a message or a path.
    lines
        Whether line breaks stay.

    Examples
    --------
    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(letter if _stays(letter, lines) else repr(letter)[1:-1] for letter in text)


def _stays(letter: str, lines: bool) -> bool:
    if letter in JOINERS or letter.isprintable() or (lines and letter == "\n"):
        return True
    return unicodedata.category(letter) == "Zs"


def one_line(text: str, longest: int = 200) -> str:
    r"""Return text on one line, spaces joined, and its middle left out where it is longer.

    Examples
    --------
    >>> one_line("two\n  lines")
    'two lines'
    >>> one_line("abcdefgh", 5)
    'ab…gh'
    """
    text = printable(" ".join(text.split()))
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 2
    return f"{text[: longest - 1 - tail]}…{text[len(text) - tail :]}"


def inert(text: str) -> str:
    """Return text with an apostrophe before it where a spreadsheet would take it for a formula.

    This is OWASP's "CSV injection", and the mark is the spreadsheets' own. `alive` takes it away.

    Examples
    --------
    >>> inert("=1+1")
    "'=1+1"
    >>> inert("tv")
    'tv'
    """
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def alive(text: str) -> str:
    """Return the text that `inert` was given."""
    marked = text.startswith("'") and text.lstrip("'").startswith(_FORMULA)
    return text[1:] if marked else text
