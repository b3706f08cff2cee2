"""``denobench check``: does a method keep to the contract."""

from __future__ import annotations

from typing import Annotated

import typer

from denobench.cli import options


def check(
    name: Annotated[str, typer.Argument(help="The method's name.")],
    plugin: options.Plugins = None,
) -> None:
    """Check a method: shape, dtype, finite values, unchanged input, odd sizes, determinism."""
    from rich.text import Text

    from denobench import conformance
    from denobench.registry import load_plugins
    from denobench.screen import Screen

    with load_plugins(plugin or []):
        findings = conformance.check(name)
    console = Screen()
    for finding in findings:
        mark = Text("✗", "red") if finding.fault else Text("✓", "green")
        console.print(mark, f"{finding.check}: {finding.fault}".removesuffix(": "))
    faults = sum(bool(finding.fault) for finding in findings)
    console.print(f"{name}: {len(findings) - faults} of {len(findings)} checks passed.")
    raise typer.Exit(1 if faults else 0)
