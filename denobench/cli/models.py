"""``denobench models``: networks, and the weights of those that were trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.cli.say import say
from denobench.files import user_path

app = typer.Typer(
    help="List, inspect, export or remove networks and their weights.", no_args_is_help=True
)

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
def inspect(
    path: Annotated[
        Path, typer.Argument(parser=user_path, metavar="FILE", help="A network's file or folder.")
    ],
) -> None:
    """Find out how a network's file is used, by trying it on images with known noise."""
    from rich.table import Table

    from denobench import foreign
    from denobench.bars import Bars
    from denobench.progress import of_stage
    from denobench.screen import Screen

    with Bars() as bars:
        file = foreign.inspect(path, progress=of_stage(bars, "Readings"))
    found, screen = file.found, Screen()
    screen.print(f"{file.kind}, SHA-256 {file.digest}")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("layout", "channels", "range", "answer", "sigma", "PSNR (dB)", "noisy (dB)"):
        table.add_column(column, justify="right" if "dB" in column else "left")
    for way, psnr, noisy in found.tried:
        table.add_row(*way.words(), f"{psnr:.2f}", f"{noisy:.2f}")
    screen.print(table)
    gains = ", ".join(f"{gain:+.1f} at {level:.3g}" for level, gain in found.gains.items())
    screen.print(f"Gain in dB by level: {gains}.")
    if found.remark:
        screen.print(f"The network {found.remark}.")
    screen.print("In a config:")
    say(foreign.config_line(foreign.name_of(path), file.path, found.reading))


@app.command()
def export(
    key: Key,
    path: Annotated[Path, typer.Argument(parser=user_path, metavar="FILE", help="File to write.")],
) -> None:
    """Write a network: .onnx, .keras, .h5, .pt, .pt2, a SavedModel's folder; .npz: weights."""
    from denobench import models

    models.export(key, path)
    say(f"Wrote {path}.")


@app.command()
def remove(key: Key) -> None:
    """Remove weights from the cache."""
    from denobench import models

    models.remove(key)
    say(f"Removed {key}.")
