"""What makes a method stale: its source, with what that imports, and declared versions."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

from denobench import stabilisation


def source_digest(found: Any) -> str:
    """Return the digest of a method's source and of the versions of what it computes with.

    The source is the method's module and whatever that module imports from its own package; of
    ``vst(NAME)`` also the stabilisation's.
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


def installed_version(package: str) -> str:
    """Return a distribution's version, or ``absent``."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _sources(found: Any) -> set[Path]:
    """Return the files of a method's module and, recursively, of its imports in its package."""
    module = inspect.getmodule(found)
    assert module is not None
    start = Path(inspect.getfile(module))
    package = module.__package__ or ""
    # Of denobench, only the method's own sub-package: PROTOCOL stands for the rest.
    root = package if package.startswith("denobench") else package.partition(".")[0]
    if not root:
        return {start}
    folder = Path(sys.modules[root].__path__[0])
    seen: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        inside = ".".join([root, *path.relative_to(folder).parent.parts])
        for name in _imports(path, inside):
            if name == root or name.startswith(f"{root}."):
                below = folder.joinpath(*name.removeprefix(root).strip(".").split("."))
                files = (below.with_suffix(".py"), below / "__init__.py")
                waiting += [file for file in files if file.is_file()]
    return seen


def _imports(path: Path, package: str) -> Iterator[str]:
    """Yield the modules that a file of a package imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
