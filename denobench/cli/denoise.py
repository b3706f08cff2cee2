"""``denobench denoise``: one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.cli.say import say


def denoise(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The noisy image.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Where the denoised one goes.")],
    method: Annotated[str, typer.Option(help="A method of `denobench methods`.")] = "nlm",
    sigma: Annotated[
        float | None,
        typer.Option(help="Noise as a fraction of full scale.  [default: estimated]"),
    ] = None,
    plugin: Annotated[
        list[Path] | None, typer.Option(help="Python file with a method of your own.")
    ] = None,
) -> None:
    """Denoise one image file."""
    from denobench import api, images, methods

    for path in plugin or []:
        methods.add_plugin(path)
    images.write(target, api.denoise(images.read(source), method, sigma=sigma))
    say(f"Wrote {target}.")
