"""How anything is found by name: methods, noise models, metrics and data sets.

Installed packages name what they offer in an entry-point group; a plugin file offers everything
in it that carries an ``info`` of the right kind. Names are listed without importing anything, so
that a broken or heavy plugin costs nobody else anything.
"""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from denobench import __version__
from denobench.errors import DenobenchError, UnavailableError, reason, unknown
from denobench.files import digest_of

PLUGIN = "denobench_plugin_"  # how the modules of plugin files are called


@dataclass
class Registry:
    """Objects of one kind, found by name.

    Parameters
    ----------
    group
        Entry-point group that installed packages register in.
    noun
        What an object is called in an error message.
    """

    group: str
    noun: str
    _added: dict[str, tuple[Any, str]] = field(default_factory=dict)

    def _entry_points(self) -> dict[str, EntryPoint]:
        return _entry_points(self.group, tuple(sys.path))

    def names(self) -> list[str]:
        """Return every known name, sorted, without importing what stands behind it."""
        return sorted({*self._entry_points(), *self._added})

    def add(self, name: str, found: Any, origin: str) -> None:
        """Register an object from a plugin file; it hides an installed one of the same name."""
        self._added[name] = (found, origin)

    def origin(self, name: str) -> str:
        """Return where a name comes from: ``distribution version`` or the plugin file's path."""
        if name in self._added:
            return self._added[name][1]
        point = self._point(name)
        if point.dist:
            return f"{point.dist.name} {point.dist.version}"
        return f"denobench {__version__}"  # a checkout that is not installed

    def load(self, name: str) -> Any:
        """Import and return the object behind a name.

        Raises
        ------
        DenobenchError
            If the name is unknown.
        UnavailableError
            If what stands behind it cannot be imported.
        """
        if name in self._added:
            return self._added[name][0]
        point = self._point(name)
        try:
            return point.load()
        except (Exception, SystemExit) as error:
            raise UnavailableError(
                f"The {self.noun} {name!r} ({point.value}) cannot be loaded: {reason(error)}"
            ) from error

    def _point(self, name: str) -> EntryPoint:
        points = self._entry_points()
        if name not in points:
            raise unknown(self.noun, name, self.names())
        return points[name]


@lru_cache
def _entry_points(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:  # noqa: ARG001
    """Return a group's entry points by name, looked for once for each ``sys.path``."""
    points = {point.name: point for point in entry_points(group=group)}
    try:
        distribution("denobench")
    except PackageNotFoundError:
        return _of_checkout(group) | points
    return points


def _of_checkout(group: str) -> dict[str, EntryPoint]:
    """Return denobench's own entry points where it runs from a checkout and is not installed."""
    file = Path(__file__).parents[1] / "pyproject.toml"
    if not file.is_file():
        return {}
    project = tomllib.loads(file.read_text("utf-8"))
    named = project["project"]["entry-points"].get(group, {})
    return {name: EntryPoint(name, value, group) for name, value in named.items()}


def import_file(path: Path) -> ModuleType:
    """Import a plugin file under a name of its own.

    Raises
    ------
    DenobenchError
        If the file is missing, or fails when it is imported.
    """
    path = path.resolve()
    if not path.is_file():
        raise DenobenchError(f"Plugin {path} does not exist; give the path of a Python file.")
    name = f"{PLUGIN}{path.stem}_{digest_of(str(path))[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DenobenchError(f"Plugin {path} is not a Python file; its name should end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise DenobenchError(f"Plugin {path} cannot be imported: {reason(error)}") from error
    return module
