"""The command line: parse, call, print. One file per verb."""

from __future__ import annotations

import io
import os
import sys

import typer

from denobench.cli import (
    check,
    clean,
    data,
    denoise,
    methods,
    models,
    new,
    report,
    run,
    status,
    train,
    verify,
    view,
)
from denobench.cli.say import say
from denobench.errors import DenobenchError

app = typer.Typer(
    name="denobench",
    help="Fair, repeatable comparisons of denoising methods on brain MR images.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command()(run.run)
app.command()(report.report)
app.command()(verify.verify)
app.command()(view.view)
app.command()(status.status)
app.command()(clean.clean)
app.command()(methods.methods)
app.command()(check.check)
app.command()(denoise.denoise)
app.command()(train.train)
app.add_typer(new.app, name="new")
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")


def _version(asked: bool) -> None:
    if asked:
        from denobench import __version__

        typer.echo(f"denobench {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Fair, repeatable comparisons of denoising methods on brain MR images."""


def main() -> None:
    """Run the program; a user's mistake is one message and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may know fewer letters than a name
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="denobench")
    except BrokenPipeError:  # whoever reads has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except DenobenchError as error:
        say(f"Error: {error}", colour="red", err=True)
        sys.exit(2)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        say(f"Error: {where}{error.strerror or error}.", colour="red", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        say("Interrupted. What is finished is kept: the same command goes on.", err=True)
        sys.exit(130)
