"""``denobench denoise``: a picture, a volume, a series or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.cli import options
from denobench.cli.say import say
from denobench.files import user_path


def denoise(
    source: Annotated[
        Path,
        typer.Argument(
            parser=user_path,
            metavar="IN",
            help="Noisy: a picture, NIfTI, DICOM, .npy, or a folder of these.",
        ),
    ],
    target: Annotated[
        Path, typer.Argument(parser=user_path, metavar="OUT", help="Where the denoised one goes.")
    ],
    method: Annotated[str, typer.Option(help="A method of `denobench methods`.")] = "nlm",
    sigma: Annotated[
        float | None,
        typer.Option(help="Noise as a fraction of full scale. Default: estimated."),
    ] = None,
    plugin: options.Plugins = None,
    model: options.Model = None,
) -> None:
    """Denoise a picture, a volume, a DICOM series, an array, or a folder of them."""
    from denobench import api
    from denobench.bars import Bars

    with Bars() as bars:
        written = api.denoise_file(
            source, target, model or method, sigma=sigma, plugins=plugin or [], watcher=bars
        )
    for each in written:
        if each.estimated and each.sigma is not None:
            say(f"{each.target}: sigma {each.sigma:.4f} of full scale, estimated.")
    say(f"Wrote {target}.")
