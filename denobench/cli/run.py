"""``denobench run``: a full comparison, from images to report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.cli import options
from denobench.files import user_path


def run(
    config: options.ConfigName = "quick",
    data: options.Data = None,
    reference: Annotated[
        str | None,
        typer.Option(metavar="FOLDER|none", help="References of noisy --data, or the word none."),
    ] = None,
    methods: Annotated[str | None, typer.Option(help="Only these methods, such as tv,nlm.")] = None,
    noise: options.Noise = None,
    unit: Annotated[
        str | None, typer.Option(help="slice, or volume: whole volumes, for 3-D methods, too.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Test at most so many images.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=user_path, metavar="FOLDER", help="The run's folder. Default: results/NAME."
        ),
    ] = None,
    plugin: options.Plugins = None,
    model: options.Models = None,
    executor: Annotated[str | None, typer.Option(help="local or dask. Default: local.")] = None,
    address: Annotated[
        str | None, typer.Option(help="Of a Dask scheduler. Default: a cluster started here.")
    ] = None,
    device: options.Device = None,
    settings: options.Settings = None,
) -> None:
    """Compare denoising methods: images, noise, methods, scores, runtimes, report.

    Run again with the same folder, and what is finished is not computed again.
    """
    from denobench.bars import Bars
    from denobench.cli.comparison import load_config, show

    loaded = load_config(
        config,
        settings or [],
        data=data,
        references=reference,
        methods=methods,
        noise=noise,
        unit=unit,
        limit=limit,
        plugins=plugin or [],
        models=model or [],
        executor=executor,
        address=address,
        device=device,
    )
    from denobench.api import carry_out

    with Bars() as bars:
        outcome, report = carry_out(loaded, out, bars)
    show(outcome, report)
