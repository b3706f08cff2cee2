"""Packages of the extra ``mr``, imported when a method is called."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from denobench.errors import UnavailableError, reason


def needed(distribution: str, module: str) -> ModuleType:
    """Return a module.

    Raises
    ------
    UnavailableError
        If it cannot be imported, with the command that installs it.
    """
    try:
        return import_module(module)
    except Exception as error:
        raise UnavailableError(
            f"{distribution} cannot be imported ({reason(error)}): pip install 'denobench[mr]'"
        ) from error
