"""The terminal, on which strangers' text is shown and never obeyed."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from denobench.printable import printable


class Screen(Console):
    """A console that prints text as it is written: no markup, no emoji codes, no control codes.

    What is to be coloured is a `rich.text.Text`, or printed with ``style``.

    Parameters
    ----------
    **options
        Of rich's console, such as ``stderr``, ``file`` or ``width``.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return text for the terminal; rich calls it for whatever is printed or put in a table."""
        return super().render_str(printable(text, lines=True), **options)
