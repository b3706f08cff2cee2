"""``denobench methods``: what can be compared."""

from __future__ import annotations

from typing import Annotated

import typer

from denobench.cli import options


def methods(
    name: Annotated[
        str | None, typer.Argument(help="Only this method, with its details; also vst(NAME).")
    ] = None,
    plugin: options.Plugins = None,
    details: Annotated[
        bool, typer.Option("--details", help="Also parameters, references and notes.")
    ] = False,
) -> None:
    """List the methods: tracks, licence, where from, and whether they are available."""
    from rich.table import Table
    from rich.text import Text

    from denobench import methods as registered
    from denobench.errors import DenobenchError, UnavailableError
    from denobench.printable import printable
    from denobench.registry import load_plugins
    from denobench.screen import Screen

    usable, broken = [], []
    for path in plugin or []:
        try:
            load_plugins([path])
            usable.append(path)
        except DenobenchError as error:
            broken.append(str(error))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("name", "title", "tracks", "licence", "from", "available"):
        table.add_column(column, overflow="fold", no_wrap=column == "name")
    more = []
    with load_plugins(usable):
        for each in [name] if name else registered.REGISTRY.names():
            where = ""
            try:
                origin = registered.origin(each)
                where = f"{origin}, hides {origin.hides}" if origin.hides else str(origin)
                found = registered.load(each)
            except DenobenchError as error:
                if name and not isinstance(error, UnavailableError):
                    raise
                table.add_row(each, "", "", "", where, Text(f"no: {printable(str(error))}", "red"))
                continue
            info = found.info
            title = f"{info.title} (3-D)" if info.dims == 3 else info.title
            texts = (each, title, ", ".join(info.tracks), info.licence, where)
            table.add_row(*texts, Text("yes", "green"))
            settings = [f"{key} = {value!r}" for key, value in registered.parameters(found).items()]
            lines = [", ".join(settings), info.reference, info.notes]
            more.append((each, [line for line in lines if line]))
    console = Screen()
    console.print(table)
    for each, lines in more if details or name else ():
        console.print(f"\n{each}", style="bold")
        for line in lines:
            console.print(f"  {line}")
    for line in broken:
        console.print(Text("Not listed:", "red"), line)
