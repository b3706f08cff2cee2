"""``denobench models``: the trained weights in the cache."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.cli.say import say
from denobench.files import user_path

app = typer.Typer(help="List, export or remove trained weights.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(help="The key, or its first characters.")]


@app.command("list")
def list_models() -> None:
    """List the trained weights: method, noise, levels, images, epochs, where they are."""
    from rich.table import Table

    from denobench import models
    from denobench.screen import Screen

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("key", "method", "noise", "levels", "images", "epochs", "where"):
        table.add_column(column, overflow="fold")
    for model in models.models():
        training = model.record.training
        table.add_row(
            model.key[:12],
            model.record.method,
            training.noise,
            " ".join(f"{level:g}" for level in training.levels),
            " + ".join(str(count) for count in training.images),
            str(len(model.history)),
            str(model.folder),
        )
    Screen().print(table)


@app.command()
def export(
    key: Key,
    path: Annotated[Path, typer.Argument(parser=user_path, metavar="FILE", help="File to write.")],
) -> None:
    """Copy weights to a file."""
    from denobench import models

    models.export(key, path)
    say(f"Wrote {path}.")


@app.command()
def remove(key: Key) -> None:
    """Remove weights from the cache."""
    from denobench import models

    models.remove(key)
    say(f"Removed {key}.")
