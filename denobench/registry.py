"""How anything is found by name: methods, noise models, metrics and data sets.

Installed packages name what they offer in an entry-point group; a plugin file offers everything of
the right kind that is defined in it. Names are listed without importing anything, so that a broken
or heavy package costs nobody else anything. What plugin files offer is known while their plan is
made and carried out (`denobench.plugins.Plugins`), and to no other.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from typing import Any

from denobench import __version__
from denobench.errors import DenobenchError, UnavailableError, reason, unknown
from denobench.plugins import Plugins, active, import_files


@dataclass(frozen=True)
class Origin:
    """Where something comes from.

    Attributes
    ----------
    distribution, version
        The installed package, or empty.
    plugin
        The plugin file, or None.
    hides
        What a plugin file's takes the place of: the installed packages with one of that name.
    """

    distribution: str = ""
    version: str = ""
    plugin: Path | None = None
    hides: str = ""

    @property
    def own(self) -> bool:
        """Whether it comes with denobench itself."""
        return self.plugin is None and self.distribution == "denobench"

    def __str__(self) -> str:
        return str(self.plugin) if self.plugin else f"{self.distribution} {self.version}".strip()


@dataclass(frozen=True)
class Offer:
    """What a plugin file offers: the object, the function or class that it was made of, the file.

    The latter says where it was defined: what a file has only imported, it does not offer.
    """

    name: str
    found: Any
    source: Any
    path: Path = Path()


# Tells an object of a kind: its name, and the function or class that it was made of.
Told = Callable[[Any], "tuple[str, Any] | None"]

_kinds: dict[str, Registry] = {}


@dataclass(frozen=True)
class Registry:
    """Objects of one kind, found by name.

    Parameters
    ----------
    group
        Entry-point group that installed packages register in.
    noun
        What an object is called in an error message.
    tell
        Tells an object of this kind in a plugin file; without it plugin files offer none.
    """

    group: str
    noun: str
    tell: Told = lambda _: None

    def __post_init__(self) -> None:
        _kinds.setdefault(self.group, self)

    def names(self) -> list[str]:
        """Return every known name, sorted, without importing what stands behind it."""
        return sorted({*self._entry_points(), *self.offers()})

    def offers(self) -> Mapping[str, Offer]:
        """Return what the plan's plugin files offer, by name."""
        plugins = active()
        if self.group not in plugins.offers:
            plugins.offers[self.group] = self._offers_of(plugins)
        return plugins.offers[self.group]

    def origin(self, name: str) -> Origin:
        """Return where a name comes from.

        Raises
        ------
        DenobenchError
            If the name is unknown, or several installed packages have it.
        """
        if offer := self.offers().get(name):
            hidden = [str(_origin(point)) for point in self._entry_points().get(name, ())]
            return Origin(plugin=offer.path, hides=", ".join(hidden))
        return _origin(self._point(name))

    def load(self, name: str) -> Any:
        """Import and return the object behind a name.

        Raises
        ------
        DenobenchError
            If the name is unknown, or several installed packages have it.
        UnavailableError
            If what stands behind it cannot be imported.
        """
        if offer := self.offers().get(name):
            return offer.found
        point = self._point(name)
        try:
            return point.load()
        except (Exception, SystemExit) as error:
            raise UnavailableError(
                f"The {self.noun} {name!r} ({point.value}) cannot be loaded: {reason(error)}"
            ) from error

    def _entry_points(self) -> Mapping[str, tuple[EntryPoint, ...]]:
        return _entry_points(self.group, tuple(sys.path))

    def _point(self, name: str) -> EntryPoint:
        points = self._entry_points()
        if name not in points:
            raise unknown(self.noun, name, self.names())
        if len(points[name]) > 1:
            homes = " and ".join(f"{_origin(point)} ({point.value})" for point in points[name])
            raise DenobenchError(
                f"The {self.noun} {name!r} is in several installed packages, {homes}: uninstall "
                "all but one, or rename it."
            )
        return points[name][0]

    def _offers_of(self, plugins: Plugins) -> dict[str, Offer]:
        """Return what plugin files offer of this kind.

        Raises
        ------
        DenobenchError
            If two things have one name; it names both.
        """
        offers: dict[str, Offer] = {}
        for plugin in plugins:
            for value in list(vars(plugin.module).values()):
                told = self.tell(value)
                if told is None or getattr(told[1], "__module__", "") != plugin.module.__name__:
                    continue
                new = Offer(*told[:1], value, told[1], plugin.path)
                old = offers.setdefault(new.name, new)
                if old.source is not new.source:
                    raise DenobenchError(
                        f"Two {self.noun}s are called {new.name!r}: {_place(old)} and "
                        f"{_place(new)}. Rename one of them."
                    )
        return offers


def load_plugins(paths: Iterable[str | Path]) -> Plugins:
    """Import plugin files and look what they offer.

    Raises
    ------
    DenobenchError
        If a file cannot be imported or offers nothing, or two things have one name.
    """
    plugins = import_files(paths)
    with plugins:
        offering = {
            offer.path for kind in list(_kinds.values()) for offer in kind.offers().values()
        }
    for path in plugins.paths:
        if path not in offering:
            raise DenobenchError(
                f"Plugin {path} offers nothing: decorate a function with @denoiser(...), "
                "@metric(...), @noise_model(...) or @data_set(...)."
            )
    return plugins


def hidings(plugins: Plugins) -> list[str]:
    """Return a sentence for each installed thing that one of a plugin file hides."""
    found = []
    with plugins:
        for kind in _kinds.values():
            for name in kind.offers():
                origin = kind.origin(name)
                if origin.hides:
                    found.append(
                        f"The {kind.noun} {name!r} is that of {origin}; it hides the one of "
                        f"{origin.hides}."
                    )
    return found


def _place(offer: Offer) -> str:
    return f"{getattr(offer.source, '__qualname__', offer.source)} in {offer.path}"


def _origin(point: EntryPoint) -> Origin:
    if point.dist is None:
        return Origin("denobench", __version__)  # a checkout that is not installed
    return Origin(point.dist.name, point.dist.version)


@lru_cache
def _entry_points(group: str, path: tuple[str, ...]) -> dict[str, tuple[EntryPoint, ...]]:
    """Return a group's entry points by name, looked for once for each ``sys.path``."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in (*_installed(path).select(group=group), *_of_checkout(group)):
        found[point.name] = (*found.get(point.name, ()), point)
    return found


@lru_cache(maxsize=4)
def _installed(path: tuple[str, ...]) -> Any:  # noqa: ARG001
    """Return all entry points: to look for those of one group takes as long."""
    return entry_points()


def _of_checkout(group: str) -> list[EntryPoint]:
    """Return denobench's own entry points where it runs from a checkout and is not installed."""
    file = Path(__file__).parents[1] / "pyproject.toml"
    try:
        distribution("denobench")
    except PackageNotFoundError:
        if file.is_file():
            project = tomllib.loads(file.read_text("utf-8"))
            named = project["project"]["entry-points"].get(group, {})
            return [EntryPoint(name, value, group) for name, value in named.items()]
    return []
