"""What lies in a folder: files to look at, and all that is left out, with the reason."""

from __future__ import annotations

import os
import stat
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from denobench.datasets.base import Unreadable

# What lies in data folders beside images and is not worth a warning where it is none.
BESIDE = {
    ".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".html", ".pdf", ".sha256", ".yaml", ".yml",
    ".bval", ".bvec", ".rst", ".log", ".toml", ".ini", ".py", ".m", ".sh", ".ds_store", ".db",
}  # fmt: skip
_NAMED = 5  # files that one remark names


@dataclass(frozen=True)
class Listing:
    """The files of a folder.

    Attributes
    ----------
    paths
        Those to look at, sorted.
    left_out
        What cannot be looked at, and why.
    notes
        What else is worth saying.
    """

    paths: tuple[Path, ...]
    left_out: tuple[Unreadable, ...]
    notes: tuple[str, ...]


def shown(text: str) -> str:
    r"""Return a name in letters that can be stored and printed, different for different names.

    Bytes that are not UTF-8 appear as ``\xe3``, other letters that cannot be printed as Python
    writes them, and a backslash is doubled.
    """
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if letter == "\\":
        return "\\\\"
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    if letter.isprintable():
        return letter
    return letter.encode("unicode_escape", "backslashreplace").decode("ascii")


def below(path: Path, folder: Path) -> str:
    """Return how a file below a folder is called."""
    return shown(path.relative_to(folder).as_posix())


def look(folder: Path) -> Listing:
    """List a folder and its sub-folders; links are followed, but not in circles.

    Hidden files and folders are left out, and named.
    """
    paths: list[Path] = []
    left_out: list[Unreadable] = []
    hidden: list[str] = []
    for path, why in _walk(folder, ()):
        name = below(path, folder)
        if why == "hidden":
            hidden.append(name)
        elif why:
            left_out.append(Unreadable(name, why))
        else:
            paths.append(path)
    paths.sort()
    notes = [f"Left out, because hidden: {listed(hidden)}."] if hidden else []
    notes += _twins([below(path, folder) for path in paths])
    return Listing(tuple(paths), tuple(sorted(left_out, key=lambda each: each.path)), tuple(notes))


def listed(names: list[str]) -> str:
    """Return how many there are, and the first of them."""
    first = ", ".join(sorted(names)[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} ({first}{more})"


def _walk(folder: Path, above: tuple[tuple[int, int], ...]) -> Iterator[tuple[Path, str]]:
    """Yield every file with an empty reason, and what is left out with its reason."""
    try:
        about = folder.stat()
        here = (about.st_dev, about.st_ino)
        if here in above:
            yield folder, "a link to a folder that it lies in"
            return
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield folder, _cause(error, "folder")
        return
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            yield path, "hidden"
            continue
        try:
            mode = path.stat().st_mode
        except OSError as error:
            yield path, _broken(path) if entry.is_symlink() else _cause(error, "file")
            continue
        if stat.S_ISDIR(mode):
            yield from _walk(path, (*above, here))
        else:
            yield path, _special(path, mode)


def _special(path: Path, mode: int) -> str:
    """Return why what is no folder is left out; nothing for a file."""
    if stat.S_ISREG(mode):
        effective = (
            os.access in os.supports_effective_ids
        )  # else what a capability allows is missed
        readable = os.access(path, os.R_OK, effective_ids=effective)
        return "" if readable else "no permission to read it"
    kinds = {
        stat.S_ISFIFO: "a named pipe",
        stat.S_ISSOCK: "a socket",
        stat.S_ISCHR: "a device",
        stat.S_ISBLK: "a device",
    }
    what = next((name for test, name in kinds.items() if test(mode)), "of an unknown kind")
    return f"{what}, not a file"


def _broken(path: Path) -> str:
    try:
        target = shown(os.readlink(path))
    except OSError:
        target = "nothing"
    annexed = "annex/objects" in target
    remedy = "; fetch it with git annex get" if annexed else ""
    return f"a link to {target}, which is not there{remedy}"


def _cause(error: OSError, what: str) -> str:
    if isinstance(error, PermissionError):
        return f"no permission to read this {what}"
    return f"cannot be read ({error.strerror})"


def _twins(names: list[str]) -> list[str]:
    """Say which names differ by nothing but case."""
    by_case: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_case[name.casefold()].append(name)
    twins = [" = ".join(group) for group in by_case.values() if len(group) > 1]
    return [f"Names that differ by case alone: {listed(twins)}."] if twins else []


def inner_copies(digests: Mapping[str, str]) -> dict[str, int]:
    """Return the folders that hold nothing but a copy of all that lies beside them.

    Parameters
    ----------
    digests
        Of every file, by its name below the data's folder.

    Returns
    -------
    dict of str and int
        Such a folder, and how many files it holds.
    """
    folders = sorted(
        {str(parent) for name in digests for parent in PurePosixPath(name).parents} - {"."}
    )
    found: dict[str, int] = {}
    for folder in folders:
        if any(folder.startswith(f"{outer}/") for outer in found):
            continue
        above = PurePosixPath(folder).parent.as_posix()
        start = "" if above == "." else f"{above}/"
        inside = _under(digests, f"{folder}/")
        outside = {
            name: digest
            for name, digest in _under(digests, start).items()
            if not f"{start}{name}".startswith(f"{folder}/")
        }
        if inside and inside == outside:
            found[folder] = len(inside)
    return found


def _under(digests: Mapping[str, str], start: str) -> dict[str, str]:
    return {
        name.removeprefix(start): digest
        for name, digest in digests.items()
        if name.startswith(start)
    }


def lies_beside(path: Path, why: str) -> bool:
    """Tell whether a file without an image is one of those that lie beside images."""
    return path.suffix.lower() in BESIDE and "pointer" not in why and "0 bytes" not in why


def remark(names: list[str]) -> str:
    """Return a remark on files that lie beside images."""
    kinds = Counter(PurePosixPath(name).suffix.lower() for name in names)
    counted = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    return f"Left out, because they are no images: {counted}."
