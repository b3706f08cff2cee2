"""Where what is expensive to compute is kept between runs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from platformdirs import user_cache_dir

from denobench.errors import DenobenchError


def cache_folder() -> Path:
    """Return the cache folder: ``$DENOBENCH_CACHE``, or the user's cache folder of the system."""
    return Path(os.environ.get("DENOBENCH_CACHE") or user_cache_dir("denobench"))


def write_atomically(path: Path, content: str) -> None:
    """Write a text file so that a reader sees all of it or nothing.

    Raises
    ------
    DenobenchError
        If the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise DenobenchError(
            f"{path}: cannot be written ({error.strerror}); "
            "set DENOBENCH_CACHE to a writable folder."
        ) from None
