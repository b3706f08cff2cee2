"""``denobench verify``: does a finished run hold what it says."""

from __future__ import annotations

from typing import Annotated

import typer

from denobench.cli import options
from denobench.cli.say import say


def verify(
    run: options.Run,
    sample: Annotated[
        int, typer.Option(min=0, help="Rows to compute again; 0 checks tables alone.")
    ] = 10,
    data: options.Data = None,
    plugin: options.Plugins = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Import the plugins that the run's folder names.")
    ] = False,
) -> None:
    """Make every table again from the rows, and a sample of the rows again from the images.

    Exit code 1 if anything differs. The folder is data: no code that it names is run, but that of
    --plugin, or with --trust.
    """
    from denobench import api
    from denobench.bars import Bars

    with Bars() as bars:
        found = api.verify(
            run, sample=sample, data=data, plugins=plugin or (), trust=trust, watcher=bars
        )
    for name, (then, here) in found.versions.items():
        say(f"{name} was {then}, here it is {here}.", colour="yellow")
    for problem in found.problems:
        say(problem, colour="red")
    say(
        f"{found.files} texts made again from the rows, {found.rows} rows computed again: "
        f"{len(found.problems) or 'no'} differences."
    )
    if found.problems:
        raise typer.Exit(1)
