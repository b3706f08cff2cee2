"""``denobench new``: files to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.cli.say import say
from denobench.files import user_path

app = typer.Typer(
    help="Write a plugin and its test, or a package, to begin with.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="As a config is to name it, such as my-method.")]
Folder = Annotated[
    Path,
    typer.Option("--out", parser=user_path, metavar="FOLDER", help="Where to write the files."),
]


@app.command()
def method(name: Name, out: Folder = Path()) -> None:
    """Write a method, a function of the noisy image, and its test."""
    _write("method", name, out)


@app.command()
def fitted(name: Name, out: Folder = Path()) -> None:
    """Write a method that is fitted to training images first, and its test."""
    _write("fitted", name, out)


@app.command()
def metric(name: Name, out: Folder = Path()) -> None:
    """Write a score and its test."""
    _write("metric", name, out)


@app.command()
def noise(name: Name, out: Folder = Path()) -> None:
    """Write a noise model and its test."""
    _write("noise", name, out)


@app.command()
def package(name: Name, out: Folder = Path()) -> None:
    """Write a method as a package that can be installed, with its test."""
    _write("package", name, out)


def _write(kind: str, name: str, folder: Path) -> None:
    from denobench import scaffold

    written = scaffold.write(kind, name, folder)
    for path in written:
        say(f"Wrote {path}.")
    tried = written[0].parent if kind == "package" else written[0]
    say(
        {
            "method": f"Try it: denobench check {name} --plugin {tried}",
            "fitted": f"Try it: denobench check {name} --plugin {tried}",
            "metric": f'Try it: denobench run --plugin {tried} --set "metrics=[psnr, {name}]"',
            "noise": f"Try it: denobench run --plugin {tried} --noise {name}:0.1",
            "package": f"Try it: pip install -e {tried} && denobench check {name}",
        }[kind]
    )
