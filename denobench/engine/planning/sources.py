"""What makes cells stale: sources, with what they import, and versions."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec, resolve_name
from pathlib import Path
from types import ModuleType
from typing import Any

from denobench import stabilisation
from denobench.files import digest, digest_bytes, digest_of
from denobench.methods import Denoiser
from denobench.plugins import beside, is_plugin

# What reads, resizes, corrupts, estimates and scores; PROTOCOL stands for denobench's own part.
_HARNESS = ("numpy", "scipy", "scikit-image", "PyWavelets", "pillow", "opencv-python-headless")
# Where denobench's own methods are: of the rest of the toolkit, PROTOCOL stands for what matters.
_METHODS = ("baselines", "denobench.autoencoder", "denobench.networks", "denobench.foreign")


def source_digest(found: Any) -> str:
    """Return the digest of a method's source and of the versions of what it computes with.

    The source is the method's module, those of the classes it derives from, and whatever these
    import from their own package, from beside a plugin file, or of denobench's methods; of
    ``vst(NAME)`` also the stabilisation's.
    """
    paths = _sources(found)
    if found.info.assumes == "rician" and hasattr(found, "__wrapped__"):
        paths.add(Path(stabilisation.__file__))
    texts = [path.read_bytes() for path in sorted(paths)]
    packages = sorted(found.info.packages)
    versions = [f"{package}=={installed_version(package)}".encode() for package in packages]
    return digest_bytes(b"".join([*texts, *versions]))


def protocol_digest(*found: Any, packages: Iterable[str] = ()) -> str:
    """Return the digest of what reads, corrupts and scores.

    Parameters
    ----------
    *found
        The functions and classes that do. The sources of strangers' count, and the versions of the
        libraries that all use; PROTOCOL stands for denobench's own.
    packages
        Further distributions, such as those that decode a data set's formats.
    """
    foreign = [each for each in found if not each.__module__.startswith("denobench.")]
    paths = {path for each in foreign for path in _sources(each)}
    sources = sorted(map(digest, paths))
    return digest_of([sorted(_versions((*_HARNESS, *packages)).items()), sources])


def harness_versions() -> dict[str, str]:
    """Return the versions of what reads, corrupts and scores images, by distribution."""
    return _versions(("denobench", *_HARNESS))


def _versions(packages: Iterable[str]) -> dict[str, str]:
    return {package: installed_version(package) for package in packages}


def installed_version(package: str) -> str:
    """Return a distribution's version, or ``absent``."""
    try:
        found = distribution(package)
    except PackageNotFoundError:
        return "absent"
    # One line of what it tells of itself: to parse all takes far longer, above all its readme.
    line = re.search(r"^Version: *(\S+)", found.read_text("METADATA") or "", re.MULTILINE)
    return line[1] if line else found.version


def _sources(found: Any) -> set[Path]:
    """Return the files of a method's module and, recursively, of what counts as its source."""
    waiting = [_Source.of(module) for module in _modules(found)]
    seen: set[Path] = set()
    while waiting:
        source = waiting.pop()
        if source.path not in seen:
            seen.add(source.path)
            waiting += source.imports()
    return seen


def _modules(found: Any) -> Iterator[ModuleType]:
    """Yield the modules of a function, or of a class and the methods that it derives from."""
    classes = inspect.getmro(found)[1:] if inspect.isclass(found) else ()
    for each in (found, *(base for base in classes if issubclass(base, Denoiser))):
        module = inspect.getmodule(each)
        if module is not None and module.__name__ != Denoiser.__module__:
            yield module


class _Source:
    """A file, and the package whose modules count with it.

    Parameters
    ----------
    path
        The file.
    root
        The package: a distribution's, or one of denobench's own; empty for a module that is alone.
    """

    def __init__(self, path: Path, root: str) -> None:
        self.path = path
        self._root = root

    @classmethod
    def of(cls, module: ModuleType) -> _Source:
        """Return a module's file."""
        name = module.__package__ or ""
        own = [root for root in _METHODS if f"{name}.".startswith(f"{root}.")]
        return cls(Path(inspect.getfile(module)), own[0] if own else name.partition(".")[0])

    def imports(self) -> Iterator[_Source]:
        """Yield what the file imports that counts, anywhere in it."""
        folder = next((each for each in _folders(self._root) if each in self.path.parents), None)
        inside = self._root
        if folder:
            inside = ".".join([self._root, *self.path.relative_to(folder).parent.parts])
        plugin = folder is not None and is_plugin(sys.modules.get(self._root))
        for name in _imports(self.path.read_bytes(), inside):
            root = self._root
            if folder and plugin and beside(folder, name.partition(".")[0]):
                name = f"{root}.{name}"
            elif not root or not f"{name}.".startswith(f"{root}."):
                root = next((each for each in _METHODS if f"{name}.".startswith(f"{each}.")), "")
            for place in _folders(root):
                below = place.joinpath(*name.removeprefix(root).strip(".").split("."))
                for file in (below.with_name(f"{below.name}.py"), below / "__init__.py"):
                    if file.is_file():
                        yield _Source(file, root)


def _folders(package: str) -> list[Path]:
    """Return a package's folders, without importing it."""
    if not package:
        return []
    if package in sys.modules:
        places = getattr(sys.modules[package], "__path__", ())
    else:
        spec = find_spec(package)
        places = (spec.submodule_search_locations if spec else None) or ()
    return [Path(place) for place in places]


@lru_cache(maxsize=256)
def _imports(text: bytes, package: str) -> tuple[str, ...]:
    """Return the modules that a file of a package imports, anywhere in it."""
    found = []
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # a neighbour that nothing could import
        return ()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (package or not node.level):
            base = resolve_name("." * node.level + (node.module or ""), package)
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return tuple(found)
