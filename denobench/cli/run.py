"""``denobench run``: a full comparison, from images to report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    config: Annotated[
        str, typer.Argument(help="quick, paper, full, natural, or the path of a YAML file.")
    ] = "quick",
    data: Annotated[
        Path | None, typer.Option(help="Folder of images; sub-folders are labels.")
    ] = None,
    methods: Annotated[str | None, typer.Option(help="Only these methods, such as tv,nlm.")] = None,
    noise: Annotated[
        str | None, typer.Option(help="These corruptions, such as gaussian:0.1,rician:0.05.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Test at most so many images.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder.  [default: results/NAME]")
    ] = None,
    plugin: Annotated[
        list[Path] | None, typer.Option(help="Python file with a method of your own.")
    ] = None,
    executor: Annotated[str | None, typer.Option(help="local or dask.  [default: local]")] = None,
    address: Annotated[
        str | None, typer.Option(help="Of a Dask scheduler.  [default: a cluster started here]")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any setting, such as seed=1 or size=128."),
    ] = None,
) -> None:
    """Compare denoising methods: images, noise, methods, scores, runtimes, report.

    Run again with the same folder, and what is finished is not computed again.
    """
    from denobench.bars import Bars
    from denobench.cli.comparison import load_config, show

    executing = [f"executor={executor}"] if executor else []
    executing += [f"address={address}"] if address else []
    loaded = load_config(
        config,
        data=data,
        methods=methods,
        noise=noise,
        limit=limit,
        plugins=plugin or [],
        settings=[*(settings or []), *executing],
    )
    from denobench.api import carry_out

    with Bars() as bars:
        outcome, report = carry_out(loaded, out, bars)
    show(outcome, report)
