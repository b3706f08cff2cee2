"""``denobench train``: train a config's networks, without running the comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.cli.say import say


def train(
    config: Annotated[
        str, typer.Argument(help="quick, paper, full, natural, or the path of a YAML file.")
    ] = "quick",
    data: Annotated[
        Path | None, typer.Option(help="Folder of images; sub-folders are labels.")
    ] = None,
    noise: Annotated[
        str | None, typer.Option(help="These corruptions, such as gaussian:0.1,rician:0.05.")
    ] = None,
    plugin: Annotated[
        list[Path] | None, typer.Option(help="Python file with a method of your own.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Any setting, such as methods.cdae.epochs=50."
        ),
    ] = None,
) -> None:
    """Train the networks of a config; weights are cached, so that `denobench run` finds them.

    Stop it at any moment: the same command goes on where it was.
    """
    from denobench.api import train as train_all
    from denobench.bars import Bars
    from denobench.cli.comparison import load_config

    loaded = load_config(
        config,
        data=data,
        methods=None,
        noise=noise,
        limit=None,
        plugins=plugin or [],
        settings=settings or [],
    )
    with Bars() as bars:
        trained = train_all(loaded, bars)
    for model in trained:
        say(f"{model.key[:12]}  {model.weights}")
