"""Plugin files: each is imported under a name of its own, with what lies beside it.

A plugin's folder stands for a package, so that ``from .helper import f`` works; ``from helper
import f`` means the same file, unless an installed module or one of Python's own has that name.
Nothing of it is found by anybody else's imports. A file that was edited is imported again.
"""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from denobench.errors import DenobenchError, reason
from denobench.files import digest, digest_bytes, digest_of

_PACKAGE = "denobench_plugins_"
_OURS = ("denobench", "baselines")
_INSTALLED = ("site-packages", "dist-packages")

# By package: its folder, and the digests of its files as they were when they were imported.
_folders: dict[str, Path] = {}
_imported: dict[str, dict[Path, str]] = {}


@dataclass(frozen=True)
class Plugin:
    """A plugin file and its module."""

    path: Path
    module: ModuleType


@dataclass(frozen=True)
class Plugins:
    """The plugin files of one plan: what they offer is found by name within ``with``."""

    files: tuple[Plugin, ...] = ()
    offers: dict[str, Mapping[str, Any]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where they are, for another process."""
        return tuple(plugin.path for plugin in self.files)

    def __iter__(self) -> Iterator[Plugin]:
        return iter(self.files)

    def __enter__(self) -> Plugins:
        _active.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _active.pop()


_active = [Plugins()]


def active() -> Plugins:
    """Return the plugins of the plan that this process is at; none outside of one."""
    return _active[-1]


def import_files(paths: Iterable[str | Path]) -> Plugins:
    """Import plugin files; what was imported before and is unchanged is not run again.

    Raises
    ------
    DenobenchError
        If a file is missing, or fails when it is imported.
    """
    files = dict.fromkeys(Path(path).expanduser().resolve() for path in paths)
    for path in files:
        _forget_edited(_package(path.parent))
    return Plugins(tuple(Plugin(path, _import(path)) for path in files))


def is_plugin(module: ModuleType | None) -> bool:
    """Return whether a module is a plugin file, lies beside one, or stands for their folder."""
    return module is not None and module.__name__.partition(".")[0] in _folders


def beside(folder: Path, name: str) -> bool:
    """Return whether a plugin in the folder means its neighbour by a module's first name."""
    return _neighbour(folder / name) and not _installed(name, tuple(sys.path))


def _import(path: Path) -> ModuleType:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise DenobenchError(f"Plugin {path} {what}; give the path of a Python file.")
    if path.suffix != ".py":
        raise DenobenchError(f"Plugin {path} is not a Python file; its name should end in .py.")
    package = _package(path.parent)
    name = f"{package}.{path.stem}"
    if not path.stem.isidentifier():  # no import can name it, a point would even mean a folder
        name = f"{package}.{re.sub(r'[^A-Za-z0-9]', '_', path.stem)}_{digest_of(path.name)[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    try:
        import_module(package)
        spec = _spec(name, path, package)
        module = sys.modules[name] = module_from_spec(spec)
        assert spec.loader is not None
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        _forget(package)
        raise DenobenchError(f"Plugin {path} cannot be imported: {reason(error)}") from error
    return module


def _package(folder: Path) -> str:
    """Return the name of the package that a folder stands for."""
    name = f"{_PACKAGE}{digest_of(str(folder))[:12]}"
    _folders[name] = folder
    return name


def _forget_edited(package: str) -> None:
    """Forget a folder's modules if a file of theirs is not what was imported."""
    for path, known in _imported.get(package, {}).items():
        try:
            same = digest(path) == known
        except OSError:
            same = False
        if not same:
            _forget(package)
            return


def _forget(package: str) -> None:
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]:
        del sys.modules[name]
    _imported.pop(package, None)


def _neighbour(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or path.is_dir()


@lru_cache(maxsize=256)
def _installed(name: str, path: tuple[str, ...]) -> bool:
    """Return whether a module is Python's own, ours or of an installed package."""
    if name in sys.stdlib_module_names or name in _OURS:
        return True
    places = [place for place in path if Path(place).name in _INSTALLED]
    return PathFinder.find_spec(name, places) is not None


class _Finder(MetaPathFinder):
    """Finds the modules of plugins' folders."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return how a plugin's neighbour is loaded, or None for what is none."""
        package, _, below = fullname.partition(".")
        folder = _folders.get(package)
        if folder is None:
            return None
        if not below:
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [str(folder)]
            return spec
        place = folder.joinpath(*below.split("."))
        for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if file.is_file():
                return _spec(fullname, file, package)
        return None  # compiled modules and plain folders are found by the path


def _spec(name: str, path: Path, package: str) -> ModuleSpec:
    spec = spec_from_file_location(name, path, loader=_Loader(name, str(path), package))
    assert spec is not None
    return spec


class _Loader(SourceFileLoader):
    """Runs a file as it is now, leaves no compiled copy, and finds its neighbours for it."""

    def __init__(self, name: str, path: str, package: str) -> None:
        super().__init__(name, path)
        self._package = package

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the file as it is: a compiled copy is told by size and second."""
        path = self.get_filename(fullname)
        content = self.get_data(path)
        _imported.setdefault(self._package, {})[Path(path)] = digest_bytes(content)
        return self.source_to_code(content, path)

    def exec_module(self, module: ModuleType) -> None:
        """Run the file, with an ``import`` that knows its neighbours."""
        importing = _import_for(self._package)
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": importing}
        super().exec_module(module)


def _import_for(package: str) -> Callable[..., ModuleType]:
    """Return the ``import`` of a folder's modules."""
    folder = _folders[package]

    def importing(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        top = name.partition(".")[0]
        if level or not beside(folder, top):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        inner = f"{package}.{name}"
        if fromlist:
            return builtins.__import__(inner, globals, locals, fromlist, 0)
        import_module(inner)
        return sys.modules[f"{package}.{top}"]

    return importing


sys.meta_path.insert(0, _Finder())
