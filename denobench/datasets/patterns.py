"""Which files are noisy and which are references: by a pattern, or by BIDS's entities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from denobench.errors import DenobenchError, unknown

# BIDS's entities, and the name's last part.
ENTITIES = (
    "sub", "ses", "sample", "task", "tracksys", "acq", "ce", "trc", "stain", "rec", "dir", "run",
    "mod", "echo", "flip", "inv", "mt", "part", "proc", "hemi", "space", "split", "recording",
    "chunk", "seg", "res", "den", "label", "desc", "suffix",
)  # fmt: skip
_PIECE = re.compile(r"\{([^{}]*)\}|(\*\*/?)|(\*)|(\?)|([^{}*?]+)|([{}])")

Written = str | Mapping[str, str | int]


@dataclass(frozen=True)
class Pattern:
    """What the files of one side of a pair are called.

    Attributes
    ----------
    written
        As the config has it.
    names
        What a pattern leaves open, in its order; of entities none.
    """

    written: Written
    names: tuple[str, ...]
    _regex: re.Pattern[str] | None = None
    _entities: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, written: Written, key: str) -> Pattern:
        """Read what a config says.

        Parameters
        ----------
        written
            A path below the data's folder, in which ``{subject}`` and any other name in braces
            stands for a part without a slash, ``*`` for anything in a folder's or file's name, and
            ``**`` for any folders; or values by BIDS's entities, such as ``{acq: fast}``.
        key
            What a message calls it.

        Raises
        ------
        DenobenchError
            If it is no pattern, or an entity is unknown.
        """
        if not isinstance(written, str):
            for name in written:
                if name not in ENTITIES:
                    raise unknown(f"BIDS entity of {key}", name, ENTITIES)
            return cls(written, (), None, {name: str(value) for name, value in written.items()})
        names: list[str] = []
        parts = [_piece(found, names, written, key) for found in _PIECE.finditer(written)]
        return cls(written, tuple(names), re.compile("".join(parts)))

    def match(self, name: str) -> dict[str, str] | None:
        """Return what a file's path below the data's folder says, or None if it is another's."""
        if self._regex is not None:
            found = self._regex.fullmatch(name)
            return None if found is None else found.groupdict()
        told = entities(name)
        if any(told.get(each) != value for each, value in self._entities.items()):
            return None
        return {each: value for each, value in told.items() if each not in self._entities}

    def wants(self, name: str) -> bool:
        """Return whether a file is of this side."""
        return self.match(name) is not None

    @property
    def fixed(self) -> frozenset[str]:
        """The entities whose values are given."""
        return frozenset(self._entities)


def _piece(found: re.Match[str], names: list[str], written: str, key: str) -> str:
    """Return the regular expression of a piece of a pattern, and note what it leaves open."""
    name, deep, star, one, text, brace = found.groups()
    if brace or (name is not None and not name.isidentifier()):
        raise DenobenchError(
            f"{key}: {written!r} is no pattern; names stand in braces, such as "
            "sub-{subject}/*_run-{run}_T1w.nii.gz."
        )
    if name:
        if name in names:
            return f"(?P={name})"
        names.append(name)
        return f"(?P<{name}>[^/]+?)"
    if deep:
        return "(?:.*/)?" if deep.endswith("/") else ".*"
    return "[^/]*" if star else "[^/]" if one else re.escape(text)


def entities(name: str) -> dict[str, str]:
    """Return BIDS's entities in a file's name, and its last part as ``suffix``."""
    *pairs, last = PurePosixPath(name).name.partition(".")[0].split("_")
    found = {key: value for key, dash, value in (pair.partition("-") for pair in pairs) if dash}
    return {**found, "suffix": last}


@dataclass(frozen=True)
class Sides:
    """What noisy files and references are called.

    Attributes
    ----------
    noisy, reference
        Their patterns.
    """

    noisy: Pattern
    reference: Pattern

    @classmethod
    def parse(cls, noisy: Written, reference: Written) -> Sides:
        """Read what a config says.

        Raises
        ------
        DenobenchError
            If a pattern is wrong, or the reference leaves open what the noisy file does not say.
        """
        if isinstance(noisy, str) != isinstance(reference, str):
            raise DenobenchError(
                "pairs: noisy and reference are both patterns, or both BIDS's entities."
            )
        sides = cls(
            Pattern.parse(noisy, "pairs.noisy"), Pattern.parse(reference, "pairs.reference")
        )
        more = [name for name in sides.reference.names if name not in sides.noisy.names]
        if more:
            raise DenobenchError(
                f"pairs.reference: {{{more[0]}}} is not in pairs.noisy, so that no noisy file "
                "tells which reference it has."
            )
        return sides

    def is_noisy(self, name: str) -> bool:
        """Return whether a file is noisy: what is a reference is not."""
        return self.noisy.wants(name) and not self.reference.wants(name)

    def belong(self, noisy: str, reference: str) -> bool:
        """Return whether a noisy file has this reference: all that both leave open agrees."""
        one, other = self.noisy.match(noisy), self.reference.match(reference)
        if one is None or other is None:
            return False
        open_ = [name for name in other if name not in self.noisy.fixed]
        return all(one.get(name) == other[name] for name in open_)
