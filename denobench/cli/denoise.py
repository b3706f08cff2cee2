"""``denobench denoise``: one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.cli import options
from denobench.cli.say import say
from denobench.files import user_path


def denoise(
    source: Annotated[
        Path, typer.Argument(parser=user_path, metavar="IN", help="The noisy image.")
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
    """Denoise one image file."""
    from denobench import api

    api.denoise_file(source, target, model or method, sigma=sigma, plugins=plugin or [])
    say(f"Wrote {target}.")
