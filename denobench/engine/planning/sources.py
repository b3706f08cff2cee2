"""What makes cells stale: sources, with what they import, and declared versions."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

from denobench import stabilisation
from denobench.registry import PLUGIN

_HARNESS = ("denobench", "numpy", "scipy", "scikit-image", "pillow", "opencv-python-headless")


def source_digest(found: Any) -> str:
    """Return the digest of a method's source and of the versions of what it computes with.

    The source is the method's module and whatever that module imports from its own package, or, if
    it is a plugin file, from beside it; of ``vst(NAME)`` also the stabilisation's.
    """
    digest = sha256()
    paths = _sources(found)
    if found.info.assumes == "rician" and hasattr(found, "__wrapped__"):
        paths.add(Path(stabilisation.__file__))
    for path in sorted(paths):
        digest.update(path.read_bytes())
    for package in sorted(found.info.packages):
        digest.update(f"{package}=={installed_version(package)}".encode())
    return digest.hexdigest()


def foreign_digest(*found: Any) -> str:
    """Return the digest of the sources of functions and classes, as far as they are strangers'.

    Empty where all are denobench's own, which PROTOCOL stands for.
    """
    foreign = [each for each in found if not each.__module__.startswith("denobench.")]
    paths = {path for each in foreign for path in _sources(each)}
    if not paths:
        return ""
    return sha256(b"".join(path.read_bytes() for path in sorted(paths))).hexdigest()


def harness_versions() -> dict[str, str]:
    """Return the versions of what reads, corrupts and scores images, by distribution."""
    return {package: installed_version(package) for package in _HARNESS}


def installed_version(package: str) -> str:
    """Return a distribution's version, or ``absent``."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _sources(found: Any) -> set[Path]:
    """Return the files of a module and, recursively, of its imports in its package."""
    module = inspect.getmodule(found)
    assert module is not None
    start = Path(inspect.getfile(module))
    package = module.__package__ or ""
    # Of denobench, only the method's own sub-package: PROTOCOL stands for the rest.
    root = package if package.startswith("denobench") else package.partition(".")[0]
    if not root and not module.__name__.startswith(PLUGIN):
        return {start}
    folder = Path(sys.modules[root].__path__[0]) if root else start.parent
    seen: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        inside = ".".join(filter(None, [root, *path.relative_to(folder).parent.parts]))
        for name in _imports(path.read_text("utf-8"), inside):
            top = name.partition(".")[0]
            # Of a plugin file all that lies beside it, but denobench's own checkout.
            if f"{name}.".startswith(f"{root}.") if root else top != "denobench":
                below = folder.joinpath(*name.removeprefix(root).strip(".").split("."))
                files = (below.with_suffix(".py"), below / "__init__.py")
                waiting += [file for file in files if file.is_file()]
    return seen


@lru_cache(maxsize=256)
def _imports(text: str, package: str) -> tuple[str, ...]:
    """Return the modules that a file of a package imports, anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return tuple(found)
