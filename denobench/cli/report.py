"""``denobench report``: the tables and figures of a paper from one or more runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.files import user_path


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            parser=user_path, metavar="RUN...", help="Folders of runs, such as results/quick."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            parser=user_path, metavar="FOLDER", help="Where to write; needed for several runs."
        ),
    ] = None,
) -> None:
    """Write the tables, figures and page of one or more runs again, from their rows."""
    from denobench import api
    from denobench.cli.comparison import show_report

    show_report(api.report(runs, out=out))
