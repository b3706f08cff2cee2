"""Where what is expensive to compute is kept between runs."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from platformdirs import user_cache_dir

from denobench.errors import DenobenchError
from denobench.files import user_path

Entry = TypeVar("Entry")


def cache_folder() -> Path:
    """Return the cache folder: ``$DENOBENCH_CACHE``, or the user's cache folder of the system.

    Raises
    ------
    DenobenchError
        If the user has no home.
    """
    try:
        found = user_path(os.environ.get("DENOBENCH_CACHE") or user_cache_dir("denobench"))
    except RuntimeError:
        raise DenobenchError(
            "There is no home folder to keep the cache in; set DENOBENCH_CACHE to a writable "
            "folder."
        ) from None
    return found.absolute()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the error of a cache that cannot be written into one that says what helps."""
    try:
        yield
    except OSError as error:
        raise DenobenchError(
            f"{error.filename or path}: cannot be written ({error.strerror}); "
            "set DENOBENCH_CACHE to a writable folder."
        ) from None


class OnDisk(Generic[Entry]):
    """A list in a temporary file: memory does not grow with the number of its entries."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by close()
        self._starts: list[int] = []

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: int) -> Entry:
        self._file.seek(self._starts[number])
        return pickle.load(self._file)

    def __iter__(self) -> Iterator[Entry]:
        return (self[number] for number in range(len(self)))

    def arrange(self, order: Sequence[int]) -> None:
        """Put the entries into another order: first the one of the first number, and so on."""
        self._starts = [self._starts[number] for number in order]

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def append(self, entry: Entry) -> None:
        """Add an entry.

        Raises
        ------
        DenobenchError
            If the temporary folder is full.
        """
        try:
            self._starts.append(self._file.seek(0, os.SEEK_END))
            pickle.dump(entry, self._file)
            self._file.flush()
        except OSError as error:
            raise DenobenchError(
                f"{tempfile.gettempdir()}: cannot be written ({error.strerror}); free some "
                "room, or set TMPDIR to another folder."
            ) from None
