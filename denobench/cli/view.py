"""``denobench view``: a run, or any images, in the viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.cli.say import say
from denobench.files import user_path


def view(
    targets: Annotated[
        list[Path],
        typer.Argument(
            parser=user_path,
            metavar="RUN | IMAGE...",
            help="Folder of a run, such as results/quick; or images or volumes of one size.",
        ),
    ],
    reference: Annotated[
        Path | None,
        typer.Option(
            parser=user_path, help="Image that the others are held against. Default: the first."
        ),
    ] = None,
    noisy: Annotated[
        Path | None, typer.Option(parser=user_path, help="Image that residuals are taken from.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(parser=user_path, help="Where the page goes. Default: the cache.")
    ] = None,
    launch: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Look at a run or at any images: flip, zoom, window, error maps."""
    from denobench.viewing import view as view_any

    found = view_any(*targets, reference=reference, noisy=noisy, out=out)
    say(f"Viewer: {found.path}")
    if launch and not found.open():
        say("No browser could be opened; open the file above in one.", err=True)
