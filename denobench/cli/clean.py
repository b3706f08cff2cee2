"""``denobench clean``: remove what a run's folder or the cache does not need any more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.cli.say import say
from denobench.files import user_path


def clean(
    run: Annotated[
        Path | None,
        typer.Argument(parser=user_path, metavar="[RUN]", help="A run's folder: results/quick."),
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache", help="Volumes that were decoded into the cache.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; else it is only shown.")] = False,
) -> None:
    """Show or remove what a run's current plan does not use, or decoded volumes.

    Volumes that were not used for a month are forgotten without being asked for.
    """
    from denobench.errors import DenobenchError

    if (run is None) != cache:
        raise DenobenchError("Name a run's folder, or give --cache.")
    if run is None:
        _clean_cache(yes=yes)
    else:
        _clean_run(run, yes=yes)


def _clean_cache(*, yes: bool) -> None:
    from denobench.datasets import volumes

    found = volumes.kept()
    size = sum(each for _, each, _ in found)
    say(f"{len(found)} decoded files and series, {size / 2**20:,.0f} MB.")
    if found and yes:
        volumes.forget(place for place, _, _ in found)
        say("Removed.")
    elif found:
        say("All can be decoded again; --yes removes them.")


def _clean_run(run: Path, *, yes: bool) -> None:
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
