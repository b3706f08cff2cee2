"""``denobench data``: what a folder of images holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from denobench.files import user_path

if TYPE_CHECKING:
    from denobench.datasets.audit import Audit

app = typer.Typer(help="Look at data before comparing with it.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    """Look at data before comparing with it."""


@app.command()
def audit(
    folder: Annotated[
        Path,
        typer.Argument(parser=user_path, metavar="FOLDER", help="Images; sub-folders are labels."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(
            parser=user_path, metavar="FILE", help="Picture of the images that show the same slice."
        ),
    ] = None,
) -> None:
    """Report formats, noise, duplicates and what a random split would leak."""
    from rich.table import Table
    from rich.text import Text

    from denobench.bars import Bars
    from denobench.datasets import audit as auditing
    from denobench.progress import of_stage
    from denobench.screen import Screen

    console = Screen()
    with Bars() as bars:
        found = auditing.audit(folder, progress=of_stage(bars, "Images"))
    if sheet:
        from denobench.datasets.sheet import contact_sheet

        contact_sheet(found, sheet)
    if as_json:
        typer.echo(found.to_json())
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for topic, finding in found.table().items():
        table.add_row(Text(topic, "bold"), finding)
    console.print(table)
    for note in found.dataset.notes:
        console.print(note, markup=False, soft_wrap=True)
    for file in found.unreadable:
        console.print(Text("unreadable:", "red"), f"{file.path}: {file.reason}")
    for line in _groups(found):
        console.print(line, soft_wrap=True)


def _groups(found: Audit) -> Iterator[str]:
    """Yield what belongs together, a line each; of a volume its name and how many slices it has."""
    for name, apart in found.members.items():
        shown = (
            f"{slices[0].whole} ({len(slices)} slice{'s' * (len(slices) > 1)})"
            if slices[0].whole
            else slices[0].id
            for slices in apart
        )
        yield f"{name}: {', '.join(shown)}"
