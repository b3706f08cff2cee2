"""What pydantic finds wrong with a value, as a person would say it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from pydantic import AllowInfNan, Strict, TypeAdapter, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# Neither texts nor true and false pass for numbers.
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict(), AllowInfNan(False)]
Flag = Annotated[bool, Strict()]

_RIGHT = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "a text",
    "path": "a path",
    "tuple": "a list, such as [a, b]",
    "list": "a list, such as [a, b]",
    "dict": "settings, such as {key: value}",
    "model": "settings, such as {key: value}",
}
_RIGHT_AND_FOUND = re.compile(r"must be (.*) \(found (.*)\)")
_BOUNDS = {
    "greater_than": ("gt", "above {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "below {}"),
    "less_than_equal": ("le", "at most {}"),
}


def explain(*findings: ErrorDetails) -> str:
    """Return what would be right in place of a value, and what was found.

    Parameters
    ----------
    *findings
        The errors of a `pydantic.ValidationError` about the value: one, or one for each kind that
        it might have been of.
    """
    texts = dict.fromkeys(map(_explain, findings))
    parts = [_RIGHT_AND_FOUND.fullmatch(text) for text in texts]
    if len(parts) == 1 or None in parts or parts[0] is None:
        return next(iter(texts))
    return f"must be {', or '.join(part[1] for part in parts if part)} (found {parts[0][2]})"


def _explain(found: ErrorDetails) -> str:
    """Say what would be right, and what was found."""
    kind, value = found["type"], found["input"]
    context: Mapping[str, Any] = found.get("ctx", {})
    if kind == "missing":
        return "must be given"
    if kind == "value_error":
        return f"{found['msg'].removeprefix('Value error, ')} (found {shown(value)})"
    if kind in _BOUNDS:
        bound, text = _BOUNDS[kind]
        limit = context[bound]
        right = text.format(int(limit) if limit == int(limit) else limit)
    elif kind == "literal_error":
        right = str(context["expected"]).replace("'", "")
        close = get_close_matches(str(value), right.replace(" or ", ", ").split(", "), n=1)
        if close:
            return f"must be {right} (found {shown(value)}; did you mean {close[0]}?)"
    else:
        right = _RIGHT.get(kind.partition("_")[0], "")
    if not right:
        return f"{found['msg']} (found {shown(value)})"
    hint = ""
    if isinstance(value, bool) and right in ("a text", "a path"):
        hint = "; YAML reads yes, no, on and off so: put quotes around it"
    elif isinstance(value, int | float) and right in ("a text", "a path"):
        hint = "; put quotes around it"
    return f"must be {right} (found {shown(value)}{hint})"


def shown(value: Any) -> str:
    """Return a value as a message shows it, not too long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return f"the text {text}" if isinstance(value, str) else text


def unfit(function: Callable[..., Any], given: Mapping[str, Any]) -> str:
    """Return what is wrong with values for a function's parameters, or an empty text.

    A value is held against its parameter's annotation, `pydantic.Field` and its like included; one
    without an annotation, or with one that says nothing of values, may be anything.

    Parameters
    ----------
    function
        Whose keyword parameters are set.
    given
        JSON-ready values by parameter.
    """
    try:
        hints = get_type_hints(function, include_extras=True) if given else {}
    except Exception:  # a stranger's annotation may name what is not imported
        return ""
    for name in hints.keys() & given.keys():
        try:
            text = json.dumps(given[name])
            TypeAdapter(hints[name]).validate_json(text, strict=True)
        except ValidationError as error:
            # The value as it is written, and not as JSON has it.
            return f"{name}: {explain({**error.errors()[0], 'input': given[name]})}."
        except TypeError:
            continue
        except Exception:  # of what pydantic cannot check
            continue
    return ""
