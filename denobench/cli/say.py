"""A plain line on the terminal, in which nothing is obeyed."""

from __future__ import annotations

import os

import typer

from denobench.printable import printable


def say(text: str, *, colour: str | None = None, err: bool = False) -> None:
    """Print text, with strangers' control characters shown; ``err`` prints on standard error."""
    colour = None if os.environ.get("NO_COLOR") else colour
    typer.secho(printable(text, lines=True), fg=colour, err=err)
