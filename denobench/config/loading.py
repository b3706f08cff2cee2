"""Where a config comes from: the shipped ones, a YAML file, and settings that replace its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from denobench.config import strict_yaml
from denobench.config.checking import parse
from denobench.config.models import Config
from denobench.errors import DenobenchError, unknown
from denobench.files import user_path
from denobench.validation import shown


def shipped() -> dict[str, str]:
    """Return the configs that come with denobench: name -> YAML text."""
    folder = resources.files("denobench") / "configs"
    found = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".yaml"): file.read_text("utf-8")
        for file in found
        if file.name.endswith(".yaml")
    }


def load(source: str | Path, settings: Mapping[str, Any] | None = None) -> Config:
    """Read a config and change some of its settings.

    Parameters
    ----------
    source
        A shipped config's name, or the path of a YAML file.
    settings
        Dotted keys and values that replace what stands in the file.

    Raises
    ------
    DenobenchError
        If the config is missing or not YAML, or a key or value is wrong; the message names it.
    """
    tree, origin, name = _find(str(source))
    if not isinstance(tree, dict) or not tree:
        found = "is empty" if not tree else f"holds {shown(tree)}"
        raise DenobenchError(f"{origin} {found}; a config has `key: value` lines, like `size: 64`.")
    tree.setdefault("name", name)
    _anchor(tree, Path(origin).parent)
    for key, value in (settings or {}).items():
        _set(tree, key, value)
    return parse(tree, origin, settings or ())


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Read ``key=value`` texts; values are YAML, so that numbers and lists work.

    Raises
    ------
    DenobenchError
        If one has no ``=``, or a value is not YAML.
    """
    settings = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not all(part.strip() for part in key.split(".")):
            raise DenobenchError(f"--set {text!r} is not of the form key=value, such as size=128.")
        settings[key.strip()] = strict_yaml.parse(value, f"--set {text}")
    return settings


def _find(source: str) -> tuple[Any, str, str]:
    """Return the tree, origin and name of a config."""
    path = user_path(source)
    configs = shipped()
    if source in configs and not path.is_file():
        return strict_yaml.parse(configs[source], f"config {source}"), f"config {source}", source
    if path.suffix in (".yaml", ".yml") or path.exists():
        return strict_yaml.read(path), str(path), path.stem
    raise unknown("config", source, configs, "or give the path of a YAML file")


def _anchor(tree: dict[str, Any], folder: Path) -> None:
    """Make paths relative to the config's folder, so that it may be used from any other."""

    def anchored(path: Any) -> Any:
        relative = isinstance(path, str) and path and not path.startswith("~")
        return str(folder / path) if relative else path

    for key in ("data", "masks", "references"):
        if key in tree and tree[key] != "none":
            tree[key] = anchored(tree[key])
    if isinstance(tree.get("plugins"), list):
        tree["plugins"] = [anchored(path) for path in tree["plugins"]]
    if isinstance(tree.get("methods"), dict):
        tree["methods"] = {
            name: entry | {"model": anchored(entry["model"])}
            if isinstance(entry, dict) and "model" in entry
            else entry
            for name, entry in tree["methods"].items()
        }


def _set(tree: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key in a tree of dictionaries."""
    if not isinstance(key, str):
        raise DenobenchError(f"Settings: a key must be a text (found {shown(key)}).")
    *parents, last = key.split(".")
    for depth, parent in enumerate(parents):
        below = tree.get(parent)
        if parent == "methods" and isinstance(below, list):
            below = {name: {} for name in below if isinstance(name, str)}
        elif parents == ["gallery"] and isinstance(below, int):
            below = {"images": below}
        if below is not None and not isinstance(below, dict):
            place = ".".join(parents[: depth + 1])
            raise DenobenchError(
                f"Setting {key}: {place} is {shown(below)} and has no settings below it; "
                f"set {place} itself."
            )
        tree[parent] = below = dict(below or {})
        tree = below
    tree[last] = value
