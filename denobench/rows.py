"""The row, its store and the run folder: all that engine and report share."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denobench import records
from denobench.database import NotOursError, begun, reading, writing
from denobench.errors import DenobenchError
from denobench.files import damaged, read_json, write_text
from denobench.gallery import Gallery

if TYPE_CHECKING:
    # Imported by the functions that use it: workers, which do not, start in half the time.
    import pandas as pd

    from denobench.manifest import Manifest

LOG = "workers.log"
# What reads, corrupts, estimates and scores failed: not the method.
HARNESS = "harness"
STATUSES = ("ok", "failed", "timeout", "crashed", "skipped", HARNESS)


@dataclass(frozen=True)
class Row:
    """The record of one cell.

    Attributes
    ----------
    key
        Digest of everything that can change the cell's answer.
    method
        The method as the config names it; ``parameters`` its parameters as JSON.
    track
        What the method was told of sigma.
    noise, level, realisation
        The corruption: model, sigma as a fraction of full scale, number of the field.
    image, label, cluster
        The image's id, its label and the cluster it belongs to.
    status
        One of `STATUSES`; ``error`` says why it is not ``ok``.
    metrics
        Scores by name, such as ``psnr`` and ``psnr_foreground``.
    missing
        Why a metric that was asked for gave no score, by the metric's name.
    seconds, cpu_seconds
        Wall and processor time of the call, while other workers ran too; the timing pass
        measures properly.
    sigma, sigma_factor
        What the method was told of sigma, and the multiple of the true or the estimated one that
        this is; no sigma on the track ``blind``.
    scale, scale_low, scale_high, clipped
        The rule by which the file's values became an image, the values that became 0 and 1, and the
        share of the volume's, series' or picture's values that lie outside.
    image_digest, field_digest, source_digest, weights_digest
        Of the image's file, the noise field, the method's source and its weights.
    """

    key: str
    method: str
    parameters: str
    track: str
    noise: str
    level: float
    realisation: int
    image: str
    label: str
    cluster: str
    status: str
    error: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None
    cpu_seconds: float | None = None
    sigma: float | None = None
    sigma_factor: float | None = None
    scale: str = ""
    scale_low: float | None = None
    scale_high: float | None = None
    clipped: float | None = None
    image_digest: str = ""
    field_digest: str = ""
    source_digest: str = ""
    weights_digest: str = ""


_COLUMNS = [column.name for column in fields(Row)]
_MAPPINGS = ("metrics", "missing")  # kept as JSON
_REAL = (
    *("level", "seconds", "cpu_seconds", "sigma", "sigma_factor"),
    *("scale_low", "scale_high", "clipped"),
)
_TEXT = {"key": "TEXT PRIMARY KEY", "realisation": "INTEGER"} | dict.fromkeys(_REAL, "REAL")
_NEEDED = [
    column.name
    for column in fields(Row)
    if column.default is MISSING and column.default_factory is MISSING
]


class RowStore:
    """Rows in an SQLite file, written in transactions as cells finish.

    Reading leaves the file as it is, and believes nothing in it: rows of the right types in a
    plain table, or an error. Writing creates what is missing.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, rows: Iterable[Row]) -> None:
        """Write rows in one transaction; a row of the same key is replaced."""
        marks = ", ".join("?" * len(_COLUMNS))
        records = [
            [
                json.dumps(dict(value)) if name in _MAPPINGS else value
                for name, value in ((name, getattr(row, name)) for name in _COLUMNS)
            ]
            for row in rows
        ]
        with writing(self.path, "rows") as database:
            _complete(database)
            database.executemany(
                f"INSERT OR REPLACE INTO rows ({', '.join(_COLUMNS)}) VALUES ({marks})", records
            )

    def remove(self, keys: Iterable[str]) -> None:
        """Remove the rows of these keys."""
        with writing(self.path, "rows") as database:
            _complete(database)
            database.executemany("DELETE FROM rows WHERE key = ?", [(key,) for key in keys])

    def statuses(self) -> dict[str, str]:
        """Return the status of every finished cell by its key."""
        if not begun(self.path):
            return {}
        with reading(self.path, "rows") as database:
            return dict(database.execute("SELECT key, status FROM rows"))

    def __iter__(self) -> Iterator[Row]:
        """Yield all rows, in the order of their keys."""
        if not begun(self.path):
            return
        with reading(self.path, "rows") as database:
            (count,) = next(database.execute("SELECT count(*) FROM rows"))
            if count > records.MOST_ROWS:
                raise NotOursError(f"{count:,} rows; {records.MOST_ROWS:,} are the most")
            present = {found[1] for found in database.execute("PRAGMA table_info(rows)")}
            names = [name for name in _COLUMNS if name in present]  # of an older denobench: fewer
            for found in database.execute(f"SELECT {', '.join(names)} FROM rows ORDER BY key"):
                yield _row(dict(zip(names, found, strict=True)))

    def rows(self) -> list[Row]:
        """Return all rows, in the order of their keys."""
        return list(self)


def _complete(database: sqlite3.Connection) -> None:
    """Create the table, or the columns that an older denobench did not know."""
    columns = ", ".join(f"{name} {_TEXT.get(name, 'TEXT')}" for name in _COLUMNS)
    database.execute(f"CREATE TABLE IF NOT EXISTS rows ({columns})")
    present = {found[1] for found in database.execute("PRAGMA table_info(rows)")}
    for name in _COLUMNS:
        if name not in present:
            database.execute(f"ALTER TABLE rows ADD COLUMN {name} {_TEXT.get(name, 'TEXT')}")


def _row(record: dict[str, Any]) -> Row:
    """Return the row that a record of the database makes."""
    try:
        mappings = {name: json.loads(record.get(name) or "{}") for name in _MAPPINGS}
        for name, kind in (("metrics", (int, float)), ("missing", str)):
            if not all(isinstance(value, kind) for value in mappings[name].values()):
                raise TypeError(f"its {name} are {record[name]!r}")
        for name, value in record.items():
            right = (int, float) if name in _REAL else int if name == "realisation" else str
            if value is None and name not in _NEEDED:
                continue
            if not isinstance(value, right) or value in (math.inf, -math.inf):
                raise TypeError(f"its {name} is {value!r}")
        known = {name: value for name, value in record.items() if value is not None}
        return Row(**known | mappings)
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise NotOursError(f"row {record.get('key')!r}: {error}"[:300]) from None


def to_frame(rows: Iterable[Row], run: str) -> pd.DataFrame:
    """Return rows as a tidy frame: one row per cell, one column per field and per metric."""
    import pandas as pd

    records = []
    for row in rows:
        record = asdict(row)
        scores, missing = record.pop("metrics"), record.pop("missing")
        why = json.dumps(missing, ensure_ascii=False) if missing else ""
        records.append({"run": run, **record, "missing": why, **scores})
    columns = ["run", *(name for name in _COLUMNS if name != "metrics")]
    frame = pd.DataFrame.from_records(records)
    if frame.empty:
        return pd.DataFrame(columns=columns)
    scores = sorted(score_columns(frame))
    order = ["noise", "level", "track", "method", "image", "realisation"]
    return frame[columns + scores].sort_values(order, ignore_index=True)


def from_frame(frame: pd.DataFrame) -> list[Row]:
    """Return the rows that `to_frame` made a frame of."""
    import pandas as pd

    known = [name for name in _COLUMNS if name in frame and name not in _MAPPINGS]
    scores = score_columns(frame)
    return [
        Row(
            **{name: record[name] for name in known if not pd.isna(record[name])},
            metrics={name: record[name] for name in scores if not pd.isna(record[name])},
            missing=json.loads(record.get("missing") or "{}"),
        )
        for record in frame.to_dict("records")
    ]


def _checked(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of rows, or raise where a column is missing or of another type."""
    from pandas.api.types import is_numeric_dtype, is_string_dtype

    for name in _NEEDED:
        if name not in frame or frame[name].isna().any():
            raise damaged(path, ValueError(f"its column {name} is missing, or has gaps"))
    if (frame["level"].abs() == math.inf).any():
        raise damaged(path, ValueError("a level is infinite"))
    numbers = (*_REAL, "realisation", *score_columns(frame))
    for name in map(str, frame):
        right = is_numeric_dtype if name in numbers else is_string_dtype
        if not right(frame[name]) and frame[name].notna().any():
            raise damaged(path, ValueError(f"its column {name} holds {frame[name].dtype}"))
    for text in frame["missing"].dropna().unique() if "missing" in frame else ():
        _missing(path, text)
    return frame


def _missing(path: Path, text: str) -> None:
    """Raise if a text does not say why scores are missing."""
    try:
        told = json.loads(text or "{}")
        if not all(isinstance(why, str) for why in told.values()):
            raise ValueError(text)
    except (ValueError, AttributeError, RecursionError) as error:
        raise damaged(path, ValueError(f"its column missing: {error}")) from None


def score_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns of a frame of rows that hold scores."""
    return [str(name) for name in frame.columns if name not in (*_COLUMNS, "run", "entry")]


@dataclass(frozen=True)
class RunFolder:
    """A run's folder, and what lies in it.

    Files: ``rows.sqlite`` (the store), ``rows.parquet``, ``rows.csv``, ``timing.csv``,
    ``training.csv``, ``tuning.csv``, ``manifest.json``, ``tables/``, ``figures/``, ``gallery/``,
    ``models/``, ``report.html``, ``run.log`` (what happened) and ``workers.log`` (what methods
    print).
    """

    path: Path

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Return the folder of a run that exists.

        Raises
        ------
        DenobenchError
            If there is no run in the folder.
        """
        if not (path / "manifest.json").is_file():
            raise DenobenchError(
                f"{path} is not the folder of a run: it holds no manifest.json. "
                "Give a folder that `denobench run` has written, such as results/quick."
            )
        return cls(path)

    @property
    def name(self) -> str:
        """The run's name: its folder's."""
        return self.path.resolve().name

    @property
    def store(self) -> RowStore:
        """The store of rows, created if it is missing."""
        return RowStore(self.path / "rows.sqlite")

    def frame(self) -> pd.DataFrame:
        """Return the rows of the run's current plan as a tidy frame.

        A committed run may carry ``rows.parquet`` alone.
        """
        if (self.path / "rows.sqlite").is_file():
            return to_frame(self.current(), self.name)
        exported = self._exported()
        if exported is None:
            raise DenobenchError(f"{self.path} holds neither rows.sqlite nor rows.parquet.")
        return exported

    def rows(self) -> list[Row]:
        """Return all rows that are kept; of a committed run, those of ``rows.parquet``."""
        if (self.path / "rows.sqlite").is_file():
            return self.store.rows()
        exported = self._exported()
        return [] if exported is None else from_frame(exported)

    def _exported(self) -> pd.DataFrame | None:
        path = self.path / "rows.parquet"
        return _checked(path, records.read_rows(path)) if path.is_file() else None

    def current(self) -> list[Row]:
        """Return the rows of the current plan's cells, as far as they are computed."""
        wanted = self.planned()
        return [row for row in self.rows() if wanted is None or row.key in wanted]

    def planned(self) -> set[str] | None:
        """Return the keys of the current plan's cells, or None where it was not recorded."""
        return self._keys("cells")

    def tried(self) -> set[str]:
        """Return the keys of the cells that the current plan was tuned on."""
        return self._keys("tuning") or set()

    def _keys(self, kind: str) -> set[str] | None:
        path = self.path / "plan.json"
        if not path.is_file():
            return None
        told = read_json(path)
        keys = told.get(kind) if isinstance(told, dict) else None
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise damaged(path, ValueError(f"it does not list the keys of its {kind}"))
        return {*keys}

    def write_plan(self, planned: Iterable[str], tried: Iterable[str] = ()) -> None:
        """Write the keys of the current plan's cells, and of those that it was tuned on."""
        keys = {"cells": [*planned], "tuning": sorted(tried)}
        write_text(self.path / "plan.json", json.dumps(keys))

    def table(self, name: records.Name) -> pd.DataFrame:
        """Return such a table, as ``timing.csv``; empty if it is missing."""
        return records.read(self.path / f"{name}.csv", name)

    def write_table(self, name: records.Name, table: pd.DataFrame | None) -> None:
        """Write one of these tables; None, of a config without, removes the file."""
        path = self.path / f"{name}.csv"
        if table is None:
            path.unlink(missing_ok=True)
        else:
            records.write(path, table)

    def manifest(self) -> Manifest:
        """Return the manifest: config, seeds, data, versions, hardware, git state."""
        from denobench.manifest import parse

        path = self.path / "manifest.json"
        return parse(read_json(path), str(path))

    def write_manifest(self, manifest: Manifest) -> None:
        """Write the manifest."""
        write_text(self.path / "manifest.json", json.dumps(manifest.record(), indent=2))

    @property
    def gallery(self) -> Gallery:
        """The pictures that are kept."""
        return Gallery(self.path)
