"""YAML as people mean it: numbers are numbers, a key stands once, and a mistake is one sentence.

A key is the text that is written, so that a method may be called ``no``. A value is a text, a whole
number, a number, true or false, nothing, a list or settings; what looks like a date is a text, and
``7e-1`` is a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from denobench.errors import DenobenchError

_MOST_BYTES = 2**18
_MOST_VALUES = 20_000  # aliases count as often as they are used
_DEEPEST = 50

_TAG = "tag:yaml.org,2002:"
_SCALARS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"(?i:true|false|yes|no|on|off)", list("tTfFyYnNoO")),
    "int": (r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    "merge": (r"<<", ["<"]),
}

# What PyYAML finds, and what a person may do about it.
_HINTS = {
    "mapping values are not allowed here": "a text that holds a colon and a space needs quotes",
    "could not find expected ':'": "a line is `key: value`",
    "'\\t'": "YAML wants spaces where there is a tab",
    "but found another document": "a file holds one document; remove the line ---",
    "undefined alias": "a text that begins with * needs quotes",
    "'%'": "a text that begins with % needs quotes",
    "'@'": "a text that begins with @ needs quotes",
    "'`'": "a text that begins with ` needs quotes",
}


class _Loader(yaml.SafeLoader):
    """Composes nodes, with scalars told apart by `_SCALARS`."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - PyYAML's own form


for _name, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(rf"(?:{_pattern})\Z"), _first)


def read(path: Path) -> Any:
    """Return what a YAML file holds; None if it holds nothing.

    Raises
    ------
    DenobenchError
        If the file cannot be read, is no text or not valid YAML; the message names file and line.
    """
    if path.is_dir():
        raise DenobenchError(f"{path} is a folder; give the path of a YAML file.")
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise DenobenchError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > _MOST_BYTES:
        raise DenobenchError(f"{path} is no config: it is larger than {_MOST_BYTES // 1024} KiB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DenobenchError(f"{path} is no text in UTF-8; a config is a YAML text file.") from None
    return parse(text, str(path))


def parse(text: str, origin: str) -> Any:
    """Return what a YAML text holds; None if it holds nothing.

    Parameters
    ----------
    text
        One document.
    origin
        What a message calls the text; lines are named where it has several.

    Raises
    ------
    DenobenchError
        If it is not valid YAML, has a key twice, a tag, or more values than a config can have.
    """
    reader = _Reader(origin, lines="\n" in text.strip())
    try:
        node = yaml.compose(text, _Loader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position)
        raise reader.mistake(line, f"the character {error.character:#04x} is not for texts") from (
            None
        )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise reader.mistake(mark.line if mark else 0, _explain(error)) from None
    except (RecursionError, yaml.YAMLError, ValueError):
        raise reader.mistake(0, "not valid YAML: values lie too deep in one another") from None
    return None if node is None else reader.value(node, 0)


def _explain(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "it cannot be parsed"
    hint = next((f" ({hint})" for found, hint in _HINTS.items() if found in problem), "")
    return f"not valid YAML: {problem}{hint}"


@dataclass
class _Reader:
    """Turns nodes into values."""

    origin: str
    lines: bool
    count: int = 0

    def mistake(self, line: int, text: str) -> DenobenchError:
        place = f"line {line + 1}: " if self.lines else ""
        return DenobenchError(f"{self.origin}: {place}{text}.")

    def value(self, node: yaml.Node, depth: int) -> Any:
        self.count += 1
        line = node.start_mark.line
        if self.count > _MOST_VALUES or depth > _DEEPEST:
            kind = "too many values" if depth <= _DEEPEST else "values too deep in one another"
            raise self.mistake(line, f"{kind} for a config; does an alias (*) repeat them?")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if isinstance(node, yaml.SequenceNode):
            self._check_tag(node, "seq")
            return [self.value(each, depth + 1) for each in node.value]
        self._check_tag(node, "map")
        return self._settings(node, depth)

    def _settings(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key, below in node.value:
            line = key.start_mark.line
            if not isinstance(key, yaml.ScalarNode):
                raise self.mistake(line, "a key must be a text, not a list or settings")
            name = key.value
            if name in lines:
                raise self.mistake(
                    line, f"{name!r} is set twice (before in line {lines[name] + 1}); keep one"
                )
            lines[name] = line
            value = self.value(below, depth + 1)
            if key.tag == f"{_TAG}merge":
                for each in value if isinstance(value, list) else [value]:
                    if not isinstance(each, dict):
                        raise self.mistake(line, "<< takes settings, such as `<<: *name`")
                    merged = {**each, **merged}
            else:
                found[name] = value
        return {**merged, **found}

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text, line = node.value, node.start_mark.line
        tag = self._check_tag(node, "str", "null", "bool", "int", "float", "merge")
        try:
            if tag == "null":
                return None
            if tag == "bool":
                return text.lower() in ("true", "yes", "on")
            if tag == "int":
                return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
            if tag == "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            raise self.mistake(line, f"{text[:40]!r} cannot be read as a number") from None
        return text

    def _check_tag(self, node: yaml.Node, *valid: str) -> str:
        tag = node.tag.removeprefix(_TAG)
        if tag not in valid:
            raise self.mistake(node.start_mark.line, f"the tag {tag!r} is not for configs; drop it")
        return tag
