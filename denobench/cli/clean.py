"""``denobench clean``: remove what a run's folder does not need any more."""

from __future__ import annotations

from typing import Annotated

import typer

from denobench.cli import options
from denobench.cli.say import say


def clean(
    run: options.Run,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; else it is only shown.")] = False,
) -> None:
    """Show or remove rows, pictures and weights that the run's current plan does not use."""
    from denobench.engine import stale
    from denobench.rows import RunFolder

    folder = RunFolder.open(run)
    found = stale.find(folder)
    for method, count in found.methods.items():
        say(f"{count} rows of {method}")
    for path in found.files:
        say(str(path.relative_to(folder.path)))
    if not found.rows and not found.files:
        say("Nothing is stale.")
    elif yes:
        stale.remove(folder, found)
        say("Removed.")
    else:
        say("All this is stale; --yes removes it.")
