"""The one error a user sees, and the hint for a misspelt name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from denobench.printable import printable


class DenobenchError(Exception):
    """A mistake in what the user gave; shown as one message, exit code 2, no traceback.

    The message names the file or key, what is wrong with it and what would be right.
    """


class UnavailableError(DenobenchError):
    """Something is known by name, but cannot be imported on this machine."""


def reason(error: BaseException) -> str:
    """Return an exception's type and message, in characters that can be printed and stored.

    The exception may be a stranger's: its message may be huge, or raise itself.
    """
    try:
        message = str(error)[:2000]
    except Exception as second:
        message = f"(its message raises {type(second).__name__})"
    return f"{type(error).__name__}: {printable(message, lines=True)}"


def unknown(noun: str, name: str, choices: Iterable[str], way_out: str = "") -> DenobenchError:
    """Return the error for a name that is not among the valid choices.

    Parameters
    ----------
    noun
        What the name stands for, such as ``"method"``.
    name
        What the user wrote.
    choices
        The valid names; the closest one is offered, and all are listed.
    way_out
        What else there is to do, behind the names.
    """
    choices = sorted(choices)
    cases = {choice.casefold(): choice for choice in choices}
    close = get_close_matches(name.casefold(), cases, n=1, cutoff=0.5)
    hint = f" Did you mean {cases[close[0]]!r}?" if close else ""
    valid = "; ".join(filter(None, [", ".join(choices) or "none", way_out]))
    return DenobenchError(f"Unknown {noun} {name!r}.{hint} Valid: {valid}.")
