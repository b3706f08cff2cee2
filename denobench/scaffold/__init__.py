"""Files to begin with: a plugin and its test, or a package that can be installed."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template

from denobench import methods, metrics, noise
from denobench.errors import DenobenchError
from denobench.files import write_text
from denobench.registry import Registry

_REGISTRIES: dict[str, Registry] = {
    "method": methods.REGISTRY,
    "fitted": methods.REGISTRY,
    "metric": metrics.REGISTRY,
    "noise": noise.REGISTRY,
    "package": methods.REGISTRY,
}
KINDS = tuple(_REGISTRIES)
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def write(kind: str, name: str, folder: Path) -> list[Path]:
    """Write files to begin with, and return where they are.

    Parameters
    ----------
    kind
        One of `KINDS`: ``method``, ``fitted`` (a method that is fitted first), ``metric``,
        ``noise``, or ``package`` (a method as a package that can be installed).
    name
        As a config is to name it: lower-case letters, digits and hyphens.
    folder
        Where they are written; a package gets a folder of its own in it.

    Raises
    ------
    DenobenchError
        If the name cannot be used or is taken, or a file is there already.
    """
    module = name.replace("-", "_")
    if not _NAME.fullmatch(name) or keyword.iskeyword(module):
        raise DenobenchError(
            f"{name!r} cannot name a {kind}: write lower-case letters, digits and hyphens, "
            "beginning with a letter, such as my-median."
        )
    registry = _REGISTRIES[kind]
    if name in (*registry.names(), *_REGISTRIES):
        raise DenobenchError(f"There is a {registry.noun} {name!r} already; take another name.")
    words = name.replace("-", " ")
    values = {
        "name": name,
        "title": words[0].upper() + words[1:],
        "module": module,
        "function": module,
        "cls": "".join(part.capitalize() for part in name.split("-")),
        "file": f"{module}.py",
        "distribution": f"denobench-{name}",
    }
    texts = {
        folder / path: _template(template).substitute(values)
        for path, template in _files(kind, name, module).items()
    }
    for path in texts:
        if path.exists():
            raise DenobenchError(f"{path} is there already; remove it, or take another name.")
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, text)
        except OSError as error:
            raise DenobenchError(f"{path}: cannot be written ({error.strerror}).") from None
    return list(texts)


def _files(kind: str, name: str, module: str) -> dict[str, str]:
    """Return which template each file is made from."""
    if kind != "package":
        return {f"{module}.py": f"{kind}.py", f"test_{module}.py": f"test_{kind}.py"}
    return {
        f"{name}/pyproject.toml": "pyproject.toml",
        f"{name}/README.md": "readme.md",
        f"{name}/{module}/__init__.py": "",
        f"{name}/{module}/method.py": "method.py",
        f"{name}/tests/test_{module}.py": "test_package.py",
    }


def _template(name: str) -> Template:
    if not name:
        return Template("")
    return Template((resources.files(__name__) / "templates" / f"{name}.txt").read_text("utf-8"))
