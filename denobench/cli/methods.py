"""``denobench methods``: what can be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def methods(
    plugin: Annotated[
        list[Path] | None, typer.Option(help="Python file with a method of your own.")
    ] = None,
    details: Annotated[
        bool, typer.Option("--details", help="Also parameters, references and notes.")
    ] = False,
) -> None:
    """List the methods: tracks, licence, where from, and whether they are available."""
    from rich.console import Console
    from rich.table import Table

    from denobench import methods as registered
    from denobench.errors import DenobenchError

    broken = []
    for path in plugin or []:
        try:
            registered.add_plugin(path)
        except DenobenchError as error:
            broken.append(str(error))
    table = Table(box=None, header_style="bold", pad_edge=False)
    columns = ["name", "title", "tracks", "licence", "from", "available"]
    for column in columns + (["details"] if details else []):
        table.add_column(column, overflow="fold", no_wrap=column == "name")
    for name in registered.REGISTRY.names():
        origin = registered.REGISTRY.origin(name)
        try:
            found = registered.load(name)
        except DenobenchError as error:
            reason = f"[red]no: {error}"
            table.add_row(name, "", "", "", origin, reason, *([""] if details else []))
            continue
        info = found.info
        cells = [name, info.title, ", ".join(info.tracks), info.licence, origin, "[green]yes"]
        if details:
            settings = ", ".join(f"{k}={v!r}" for k, v in registered.parameters(found).items())
            cells.append("\n".join(part for part in (settings, info.reference, info.notes) if part))
        table.add_row(*cells)
    console = Console()
    console.print(table)
    for line in broken:
        console.print(f"[red]Not listed:[/] {line}", highlight=False)
