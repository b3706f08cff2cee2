"""A config's tree held against its models: one line per mistake."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from denobench.config.models import Config, SentenceError
from denobench.config.sections import (
    GalleryEntry,
    PairsEntry,
    SlicesEntry,
    TimingEntry,
    TuningEntry,
)
from denobench.errors import DenobenchError, unknown
from denobench.validation import explain, shown

_DEEPEST = 50  # settings in one another

_SECTIONS: Mapping[tuple[int | str, ...], type[BaseModel]] = {
    ("timing",): TimingEntry,
    ("tuning",): TuningEntry,
    ("slices",): SlicesEntry,
    ("pairs",): PairsEntry,
    ("gallery",): GalleryEntry,
}


def parse(tree: Mapping[str, Any], origin: str, settings: Iterable[str] = ()) -> Config:
    """Check a config's tree and return the config.

    Parameters
    ----------
    tree
        What stands in the config.
    origin
        What a message calls it.
    settings
        Dotted keys that were set beside it: a mistake below one is theirs.

    Raises
    ------
    DenobenchError
        With one line per mistake: where, what, and what would be right.
    """
    plain = _plain(tree, origin)
    try:
        return Config.model_validate(plain)
    except ValidationError as error:
        findings: dict[tuple[int | str, ...], list[Any]] = {}
        for found in error.errors():
            findings.setdefault(_place(found, plain), []).append(found)
        lines = [_line(place, each, origin, tuple(settings)) for place, each in findings.items()]
        raise DenobenchError("\n".join(dict.fromkeys(lines))) from None


def _plain(value: Any, origin: str, place: tuple[str, ...] = ()) -> Any:
    """Return a tree of mappings, lists and scalars alone; NumPy's numbers become Python's.

    Raises
    ------
    DenobenchError
        If a value cannot stand in a config, such as NaN.
    """
    where = f"{origin}: {'.'.join(place)}"
    if len(place) > _DEEPEST:
        raise DenobenchError(f"{origin}: {place[0]}: values lie too deep in one another.")
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise DenobenchError(f"{where}: a key must be a text (found {shown(key)}).")
        return {key: _plain(below, origin, (*place, key)) for key, below in value.items()}
    if isinstance(value, list | tuple):
        below = enumerate(value)
        return [_plain(each, origin, (*place, str(number))) for number, each in below]
    if hasattr(value, "item") and not getattr(value, "shape", True):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise DenobenchError(f"{where}: must be a finite number (found {value}).")
    if isinstance(value, str) and "\0" in value:
        raise DenobenchError(f"{where}: must be a text without NUL characters.")
    return value


def _place(found: Any, tree: Any) -> tuple[int | str, ...]:
    """Return where in the config a value is that pydantic finds wrong.

    Where a value may be of several kinds, pydantic tells one finding for each, and names the kinds
    as if they were keys.
    """
    place: tuple[int | str, ...] = found["loc"]
    if found["type"] == "missing":
        return place
    for depth, part in enumerate(place):
        inside = isinstance(tree, Mapping) or (isinstance(tree, list) and isinstance(part, int))
        if not inside or (isinstance(tree, Mapping) and part not in tree):
            return place[:depth]
        tree = tree[part]
    return place


def _line(
    parts: tuple[int | str, ...], findings: Sequence[Any], origin: str, settings: tuple[str, ...]
) -> str:
    """Turn what pydantic finds of one value into a line."""
    place, found = ".".join(map(str, parts)), findings[0]
    own = any(f"{place}.".startswith(f"{key}.") or key.startswith(f"{place}.") for key in settings)
    if found["type"] == "extra_forbidden":
        parents, name = found["loc"][:-1], str(found["loc"][-1])
        noun = f"key of {parents[0]}" if parents else "key"
        fields = _SECTIONS.get(parents, Config).model_fields
        return f"{f'Setting {place}' if own else origin}: {unknown(noun, name, fields)}"
    cause = found.get("ctx", {}).get("error")
    sentence = str(cause) if isinstance(cause, SentenceError) else f"{explain(*findings)}."
    return f"{f'Setting {place}' if own else f'{origin}: {place}'}: {sentence}"
