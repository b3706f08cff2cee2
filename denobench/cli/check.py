"""``denobench check``: does a method keep to the contract."""

from __future__ import annotations

from typing import Annotated

import typer

from denobench.cli import options


def check(
    name: Annotated[str | None, typer.Argument(help="The method's name.")] = None,
    plugin: options.Plugins = None,
    model: options.Model = None,
) -> None:
    """Check a method: shape, dtype, finite values, unchanged input, odd sizes, determinism."""
    from rich.text import Text

    from denobench import conformance, foreign
    from denobench.errors import DenobenchError
    from denobench.registry import load_plugins
    from denobench.screen import Screen

    if (name is None) == (model is None):
        raise DenobenchError("Name one method to check, or give one by --model FILE.")
    with load_plugins(plugin or []):
        if model is not None:
            name, findings = model.name, conformance.check_method(foreign.method_of(model))
        else:
            findings = conformance.check(str(name))
    console = Screen()
    for finding in findings:
        mark = Text("✗", "red") if finding.fault else Text("✓", "green")
        console.print(mark, f"{finding.check}: {finding.fault}".removesuffix(": "))
    faults = sum(bool(finding.fault) for finding in findings)
    console.print(f"{name}: {len(findings) - faults} of {len(findings)} checks passed.")
    raise typer.Exit(1 if faults else 0)
