"""What the verbs that carry out a comparison share: options into a config, results onto screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from denobench import config as configs
from denobench.cli.say import say
from denobench.config import Config
from denobench.errors import DenobenchError

if TYPE_CHECKING:
    from denobench.engine.coordinator import Outcome
    from denobench.report import Report


def load_config(
    source: str,
    settings: Sequence[str],
    *,
    methods: str | None = None,
    noise: str | None = None,
    plugins: Sequence[Path] = (),
    models: Sequence[Path] = (),
    **options: Any,
) -> Config:
    """Return the config that a command line asks for.

    Methods of plugin files join the config's, unless ``methods`` names what to run.

    Parameters
    ----------
    source
        A shipped config's name or a file's path.
    settings
        Texts ``key=value``.
    methods, noise
        Names and corruptions, separated by commas.
    plugins, models
        Files; every model is a method of its file's name.
    **options
        Further settings; those that are None are left as the config has them.
    """
    changes = configs.parse_settings(settings)
    changes |= {name: value for name, value in options.items() if value is not None}
    if noise is not None:
        changes["noise"] = _listed("--noise", noise, "gaussian:0.1,rician:0.05")
    loaded = configs.load(source, changes)
    loaded = loaded.model_copy(
        update={"plugins": (*loaded.plugins, *(path.expanduser().resolve() for path in plugins))}
    )
    if methods is not None:
        names = _listed("--methods", methods, "tv,nlm")
        entries = {name: loaded.methods.get(name, configs.MethodEntry()) for name in names}
        loaded = loaded.model_copy(update={"methods": entries})
    elif "methods" not in changes and loaded.plugins:
        from denobench.engine.planning.methods import with_plugin_methods

        loaded = with_plugin_methods(loaded)
    if models:
        from denobench.engine.planning.methods import with_models

        loaded = with_models(loaded, models)
    return loaded


def _listed(option: str, text: str, example: str) -> list[str]:
    """Return what an option lists, each once."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise DenobenchError(f"{option} {text!r} must be names and commas, such as {example}.")
    return list(dict.fromkeys(names))


def show(outcome: Outcome, report: Report | None) -> None:
    """Print a run's table and where its results are.

    Exits with 130 if the run was interrupted, with 1 if cells failed or none could be computed.
    """
    if report:
        show_report(report)
    if outcome.interrupted:
        say(
            f"Interrupted: {outcome.computed} cells were computed and are kept in "
            f"{outcome.folder.path}. Run the same command again to go on.",
            colour="yellow",
            err=True,
        )
        raise typer.Exit(130)
    if report and (report.failures or not outcome.scored):
        raise typer.Exit(1)


def show_report(report: Report) -> None:
    """Print a report's table, its summary and where it lies."""
    from denobench.screen import Screen

    screen = Screen()
    screen.print(report.table)
    for line in report.summary:
        screen.print(line)
    screen.print(f"Report: {report.page}")
