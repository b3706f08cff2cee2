"""An SQLite file of one table, read without being altered and without believing what it holds."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from denobench.files import damaged, full_disk, in_place

_SECONDS = 30  # to wait for another process's transaction
_SUPER = bytes.fromhex("d9d505f920a163d7")  # ends a journal that names another


class NotOursError(Exception):
    """A database does not hold what denobench writes; the message says what it holds."""


@contextmanager
def reading(path: Path, table: str) -> Iterator[sqlite3.Connection]:
    """Open a database for reading; the file stays as it is, or as it was before a killed writer.

    Raises
    ------
    DenobenchError
        If it is damaged, or holds more than plain tables.
    """
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
    with _named(path):
        _finish(path)
        with closing(sqlite3.connect(address, timeout=_SECONDS, uri=True)) as database:
            _check(database, table)
            yield database


def begun(path: Path) -> bool:
    """Return whether a database was ever written: a full disk or a kill may leave an empty file."""
    if not path.is_file():
        return False
    with _named(path):
        _finish(path)
    return path.stat().st_size > 0


@contextmanager
def writing(path: Path, table: str) -> Iterator[sqlite3.Connection]:
    """Open a database for one transaction; it is created if it is missing.

    Raises
    ------
    DenobenchError
        If it is damaged, a link or another program's, or the disk is full.
    """
    opened = closing(sqlite3.connect(in_place(path), timeout=_SECONDS))
    with _named(path), opened as database, database:
        _check(database, table)
        yield database


def _finish(path: Path) -> None:
    """Undo the transaction of a process that was killed in it, which its journal tells."""
    journal = path.with_name(f"{path.name}-journal")
    if not journal.exists():
        return
    with in_place(journal).open("rb") as file:
        # One of several files would name another, which SQLite then removes: never ours.
        if file.seek(0, os.SEEK_END) >= 8 and file.seek(-8, os.SEEK_END) and file.read() == _SUPER:
            raise NotOursError("its journal belongs to several files")
    # Of a writer that still runs, this waits for nothing and changes nothing.
    with closing(sqlite3.connect(in_place(path), timeout=_SECONDS)) as database:
        database.execute("SELECT count(*) FROM sqlite_master")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn the database's errors into one that names the file and says what to do."""
    try:
        yield
    except (sqlite3.Error, OverflowError, NotOursError) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise full_disk(path) from error
        raise damaged(path, error) from error


def _check(database: sqlite3.Connection, table: str) -> None:
    """Refuse views, triggers and computed columns: code that runs as rows are read or removed."""
    database.execute("PRAGMA trusted_schema = OFF")
    for kind, name in database.execute("SELECT type, name FROM sqlite_master"):
        if kind not in ("table", "index"):
            raise NotOursError(f"it holds a {kind}, {name!r}, which denobench never writes")
    for found in database.execute(f"PRAGMA table_xinfo({table})"):
        if found[6]:
            raise NotOursError(f"its column {found[1]!r} is computed")
