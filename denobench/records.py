"""The tables of a run's folder as files: each column with its type, and none believed unseen.

``timing.csv``, ``training.csv``, ``tuning.csv`` and ``tasks.csv`` are CSV with two kinds of fields
of our own: levels are a tuple of numbers here and joined by spaces there, and text that a
spreadsheet would take for a formula has an apostrophe before it there. ``rows.parquet`` is read
within limits, for a small file of that format may hold any number of rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from denobench.errors import DenobenchError
from denobench.files import damaged, write_text
from denobench.printable import alive, inert
from denobench.scorenames import on_foreground

if TYPE_CHECKING:
    # Imported by the functions that use it: workers, which do not, start in half the time.
    import pandas as pd

Name = Literal["timing", "training", "tuning", "tasks"]

MOST_ROWS = 5_000_000
MOST_BYTES = 2**32  # that columns may take in memory
LARGEST_CSV = 2**28

TASK_KEY = "key"
_ASKED = ("task", "model", "regime", "noise", "level", "method", "fold", "image", "cluster")
_CLASSIFIED = ("score", "prediction")
_OUTLINED = ("dice", "hd95", "unit", "lesions", "missed", "small", "small_missed", "invented")
TASK_COLUMNS = (TASK_KEY, *_ASKED, "label", *_CLASSIFIED, *_OUTLINED)
_TEXT = (
    *("method", "noise", "key", "image", "cluster", "status", "error", "track"),
    *("parameters", "versions", "task", "model", "regime", "device", "unit", "backend"),
)
# What a table cannot do without: columns of text, of numbers, of truths, and of levels.
_NEEDED: Mapping[Name, tuple[str, ...]] = {
    "timing": ("method", "status", "threads", "size"),
    "training": ("method", "noise", "levels", "epoch", "kept", "seconds"),
    "tuning": (
        *("method", "fold", "noise", "levels", "trial", "settings", "key", "level", "image"),
        *("cluster", "status", on_foreground("psnr")),
    ),
    "tasks": TASK_COLUMNS,
}
_NUMBERS = (
    *("threads", "epoch", "seconds", "fold", "trial", "level", on_foreground("psnr")),
    *("loss", "val_loss", "val_psnr", "in_step", "repeats", "median_ms"),
    *("low_ms", "high_ms", "min_ms"),
    *("max_ms", "cold_ms", "peak_mb", "all_cores_median_ms", "program_ms", "label", "score"),
    *("prediction", *(name for name in _OUTLINED if name != "unit")),
)
_MAY_BE_NAN = (on_foreground("psnr"), *_CLASSIFIED, *_OUTLINED)


def read(path: Path, name: Name) -> pd.DataFrame:
    """Return a table with the types of its columns; an empty one if the file is missing.

    Raises
    ------
    DenobenchError
        If the file was left in part, lacks a column, or a value is of another type.
    """
    import pandas as pd

    if not path.is_file():
        return pd.DataFrame()
    try:
        if path.stat().st_size > LARGEST_CSV:
            raise ValueError(f"more than {LARGEST_CSV / 2**20:,.0f} MB")
        with path.open("rb") as file:
            content = file.read()
        if content and not content.endswith(b"\n"):
            raise ValueError("its last line is cut off")
        # As text: a method may be called "NA", and an image "1e5".
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        return _typed(frame, name)
    except (OSError, ValueError, KeyError) as error:
        raise damaged(path, error) from None


def write(path: Path, frame: pd.DataFrame) -> None:
    """Write a table, whole or not at all."""
    table = joined(frame)
    texts = table.select_dtypes(include=["object", "string", "category"]).columns
    table = table.assign(**{name: table[name].map(_inert) for name in texts})
    write_text(path, table.to_csv(index=False))


def _inert(value: object) -> object:
    return inert(value) if isinstance(value, str) else value


def joined(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its levels as text."""
    if "levels" not in frame:
        return frame
    return frame.assign(levels=[" ".join(map(str, found)) for found in frame["levels"]])


def _typed(frame: pd.DataFrame, name: Name) -> pd.DataFrame:
    """Return a table of texts with the types of its columns."""
    missing = [column for column in _NEEDED[name] if column not in frame]
    if missing:
        raise ValueError(f"it has no column {missing[0]}")
    typed = frame.copy()
    for column in frame:
        texts = frame[column].fillna("").astype(str).map(alive)
        typed[column] = _values(str(column), texts, needed=column in _NEEDED[name])
    if name == "tuning":
        _check_alike(typed)
    return typed


def _values(column: str, texts: pd.Series, *, needed: bool) -> pd.Series:
    import pandas as pd

    if column in _TEXT:
        return texts
    if column == "settings":
        for text in texts.unique():
            _check_settings(text)
        return texts
    if column == "levels":
        return texts.map(lambda text: tuple(map(_number, text.split())))
    for kind in (_truth, int, _number):
        found = _all(kind, texts)
        if found is not None:
            break
    else:
        found = None
    if column in _NUMBERS:
        gaps = needed and column not in _MAY_BE_NAN
        if found is None or kind is _truth or (gaps and pd.Series(found).isna().any()):
            raise ValueError(f"its column {column} should hold numbers throughout")
    return texts if found is None else pd.Series(found, index=texts.index)


def _check_settings(text: str) -> None:
    """Raise if a text is not a trial's settings: texts, numbers and truths by name."""
    try:
        told = json.loads(text)
    except RecursionError:
        told = None
    if not isinstance(told, dict) or any(isinstance(v, dict | list) for v in told.values()):
        raise ValueError(f"settings {text[:60]!r}")


def _check_alike(tuning: pd.DataFrame) -> None:
    """Raise if trials of a method do not set the same parameters, to values of one kind."""
    for method, texts in tuning.groupby("method")["settings"]:
        every = (sorted(json.loads(text).items()) for text in texts.unique())
        kinds = {tuple((name, isinstance(value, str)) for name, value in each) for each in every}
        if len(kinds) > 1:
            raise ValueError(f"trials of {method} set different parameters")


def _all(kind: Callable[[str], Any], texts: pd.Series) -> list[Any] | None:
    """Return a column's values, or None if one of them is of another kind."""
    try:
        return [kind(text) for text in texts]
    except ValueError:
        return None


def _truth(text: str) -> bool:
    if text not in ("True", "False"):
        raise ValueError(text)
    return text == "True"


def _number(text: str) -> float:
    return float(text or "nan")


def read_rows(path: Path) -> pd.DataFrame:
    """Return the rows of a ``rows.parquet``.

    Raises
    ------
    DenobenchError
        If the file is damaged, or holds more than rows of a run ever are.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            if file.metadata.num_rows > MOST_ROWS:
                raise ValueError(f"{file.metadata.num_rows:,} rows; {MOST_ROWS:,} are the most")
            strange = [each.name for each in file.schema_arrow if not _is_plain(each.type)]
            if strange:
                raise ValueError(f"column {strange[0]} holds neither texts nor numbers")
        # Texts as a dictionary: a few bytes may stand for any number of long ones.
        texts = [each.name for each in file.schema_arrow if _is_text(each.type)]
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            batches, size = [], 0
            for batch in file.iter_batches(2**16):
                size += _size(batch)
                if size > MOST_BYTES:
                    raise ValueError(f"more than {MOST_BYTES / 2**30:.0f} GB in memory")
                batches.append(batch)
            table = pa.Table.from_batches(batches, file.schema_arrow)
        plain = [
            pa.field(each.name, pa.string() if _is_text(each.type) else each.type)
            for each in table.schema
        ]
        return table.cast(pa.schema(plain)).to_pandas(ignore_metadata=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise damaged(path, error) from None
    except MemoryError:
        raise DenobenchError(f"{path}: does not fit into the memory.") from None


def _is_text(found: Any) -> bool:
    from pyarrow import types

    found = found.value_type if types.is_dictionary(found) else found
    return types.is_string(found) or types.is_large_string(found)


def _is_plain(found: Any) -> bool:
    from pyarrow import types

    tests = (_is_text, types.is_integer, types.is_floating, types.is_boolean, types.is_null)
    return any(test(found) for test in tests)


def _size(batch: Any) -> int:
    """Return how many bytes a batch takes once its texts are written out."""
    import pyarrow as pa
    from pyarrow import compute

    size = 0
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            lengths = compute.binary_length(column.dictionary)
            size += compute.sum(compute.take(lengths, column.indices)).as_py() or 0
        size += 8 * len(column)
    return size
