"""``denobench status``: how far a run is."""

from __future__ import annotations

from typing import Annotated

import typer

from denobench.cli import options


def status(
    run: options.Run,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Tell how far a run is, what runs now and what has failed; also while it runs."""
    from rich.table import Table

    from denobench.engine.status import read
    from denobench.rows import STATUSES
    from denobench.screen import Screen

    found = read(run)
    if as_json:
        typer.echo(found.to_json())
        return
    console = Screen()
    done = sum(sum(counts.values()) for counts in found.statuses.values())
    console.print(f"{found.run}: {found.state}, {done} of {found.cells} cells done.")
    if found.state == "running":
        text = f"{found.stage}: {found.done:g} of {found.total:g} {found.text}".rstrip()
        console.print(text)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("method", overflow="fold")
    for name in STATUSES:
        table.add_column(name, justify="right")
    for method, counts in found.statuses.items():
        table.add_row(method, *(str(counts.get(name, 0)) for name in STATUSES))
    console.print(table)
    for failure in found.failures:
        console.print(f"{failure.method} {failure.status} ({failure.cells}): {failure.reason}")
