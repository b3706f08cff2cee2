"""Files: replaced whole or not at all, digested, and named safely by what they hold; each once."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from denobench.errors import DenobenchError, reason

# Names that mean themselves everywhere; every other name carries a digest behind two hyphens,
# which no plain name can hold.
_PLAIN = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[a-z0-9]+(?:[-.][a-z0-9]+)*")
_LONGEST = 64  # a SHA-256 stands as it is
_DIGITS = 12

_PART = ".part-"  # begins the name of a file that is being written
_LFS = b"version https://git-lfs"
_LARGEST_JSON = 64 * 2**20  # bytes; it takes ten times as much memory


def safe_name(*parts: str) -> str:
    """Return a file's name for names that come from data, different for different ones.

    Parts that are plain (lower-case ASCII letters and digits, with single hyphens or points
    between them) stand as they are; they are joined by hyphens, or by underscores where a part
    holds a hyphen itself. Anything else keeps what can be read of it and gets a digest. The name
    has no path in it, is no longer than a file system takes, and differs by more than case.

    Parameters
    ----------
    *parts
        One or more texts of any letters and length, such as a metric's and a noise model's name.

    Examples
    --------
    >>> safe_name("quality", "gaussian")
    'quality-gaussian'
    >>> safe_name("haarpsi-med", "gaussian")
    'haarpsi-med_gaussian'
    >>> safe_name("../TV+")
    'TV--0b478c895ff2'
    """
    name = ("_" if any("-" in part for part in parts) else "-").join(parts)
    if len(name) <= _LONGEST and all(map(_PLAIN.fullmatch, parts)):
        return name
    readable = re.sub(r"[^A-Za-z0-9]+", "-", name)[: _LONGEST - _DIGITS - 2].strip("-")
    return f"{readable or 'x'}--{digest_of(parts)[:_DIGITS]}"


def user_path(text: str | Path) -> Path:
    """Return the path that a user wrote, with ``~`` for the home folder.

    Raises
    ------
    DenobenchError
        If it is empty, holds a NUL character, or ``~`` stands for nobody's home.
    """
    if not str(text) or "\0" in str(text):
        raise DenobenchError(f"{str(text)!r} is no path; is a variable of the shell empty?")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise DenobenchError(f"{text}: there is no such home folder; give a whole path.") from None


def _check_kind(path: Path) -> None:
    """Raise an `OSError` where a path is a device, a pipe or a socket."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "a device or a pipe, not a file", str(path))


def opened(path: Path) -> BinaryIO:
    """Open a file to be read; an `OSError` if it is a device or a pipe, which may never end."""
    _check_kind(path)
    return path.open("rb")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal digits."""
    with opened(path) as file:
        found = sha256()
        while block := file.read(2**20):
            found.update(block)
    return found.hexdigest()


def digest_bytes(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal digits."""
    return sha256(content).hexdigest()


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a JSON-ready value, in hexadecimal digits."""
    # ASCII only, so that names which are not UTF-8 (lone surrogates) have a digest, too.
    return digest_bytes(json.dumps(value, sort_keys=True).encode("ascii"))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path of a file to write beside ``path``, and then put it in its place.

    A reader sees the old file or the new one, whole; where the block raises, the old one stays. A
    link is replaced, not followed; what is a device or a pipe, such as ``/dev/null``, raises an
    `OSError` and stays.
    """
    if not path.is_symlink():
        _check_kind(path)
    temporary = path.with_name(f"{_PART}{uuid4().hex}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def left_in_part(folder: Path) -> list[Path]:
    """Return the files in a folder that `replacing` gave, and a kill has left behind."""
    return sorted(path for path in folder.glob(f"{_PART}*") if not path.is_symlink())


def write_text(path: Path, text: str) -> None:
    """Write a text file, UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_into(path: Path, content: bytes) -> None:
    """Write a file where a user wants it; its folders are made.

    Raises
    ------
    DenobenchError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
    except OSError as error:
        raise DenobenchError(f"{path}: cannot be written ({error.strerror}).") from None


@contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """Turn the error of a full disk into one that says so, and how to go on."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise full_disk(Path(error.filename or path)) from error
        raise


def full_disk(path: Path) -> DenobenchError:
    """Return the error of a disk on which no room is left for a file."""
    return DenobenchError(
        f"{path}: no room is left on the disk; free some, and run the same command again to go on."
    )


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises
    ------
    DenobenchError
        If the file was left in part, is not JSON or is too large to be what it should be.
    """
    try:
        if (size := path.stat().st_size) > _LARGEST_JSON:
            raise DenobenchError(
                f"{path}: {size / 1e6:,.0f} MB are more than such a file ever has; it is not "
                "denobench's."
            )
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, error) from None


def damaged(path: Path, error: BaseException) -> DenobenchError:
    """Return the error of a file that a copy, a full disk or Git LFS left in part, or of another.

    Parameters
    ----------
    path
        The file.
    error
        What reading it raised.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_LFS))
    except OSError:
        start = b"?"
    if start == _LFS:
        return DenobenchError(
            f"{path}: only the pointer that Git LFS left in the file's place; "
            "`git lfs pull` brings the file."
        )
    what = "is empty" if not start else f"cannot be read ({reason(error).splitlines()[0]})"
    return DenobenchError(
        f"{path}: {what}; copy it again from where it was made, or remove it and run the command "
        "again that made it."
    )


def subfolder(root: Path, *names: str) -> Path:
    """Return a folder below a run's or a report's, made where it is missing.

    Raises
    ------
    DenobenchError
        If one of the folders is a link: what lies behind it is not the run's.
    """
    path = root
    path.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = path / name
        if path.is_symlink():
            raise DenobenchError(
                f"{path} is a link, and nothing is written outside {root}: replace it by a folder, "
                "or give another --out."
            )
        path.mkdir(exist_ok=True)
    return path


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and its folders, in order; links are neither followed nor named.

    Of a folder that is a link itself there is none.
    """
    if folder.is_symlink():
        return
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path


def remove_below(root: Path, path: Path) -> None:
    """Remove a file below a folder, and the folders that are then empty; none through a link."""
    parents = [*path.relative_to(root).parents][:-1]
    if path.is_symlink() or any((root / parent).is_symlink() for parent in parents):
        return
    path.unlink(missing_ok=True)
    for parent in parents:
        try:
            (root / parent).rmdir()
        except OSError:  # not empty
            return


def in_place(path: Path) -> Path:
    """Return the path of a file that is written where it lies, as locks, logs and stores are.

    Raises
    ------
    DenobenchError
        If it is a link, also a hard one: the file of another place would be written.
    """
    try:
        found = path.lstat()
    except OSError:
        return path
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        raise DenobenchError(
            f"{path} is a link to, or shared with, another place, which is not to be written: "
            "put a copy of the file in its place, or use another folder."
        )
    return path
