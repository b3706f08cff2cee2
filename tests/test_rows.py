"""The store of rows and the run folder."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from denobench.errors import DenobenchError
from denobench.rows import Row, RowStore, RunFolder, from_frame, to_frame


def make_row(key: str, **changes: object) -> Row:
    fields: dict[str, object] = {
        "key": key,
        "method": "tv",
        "parameters": '{"weight": 0.7}',
        "track": "oracle",
        "noise": "gaussian",
        "level": 0.1,
        "realisation": 0,
        "image": f"yes/{key}.png",
        "label": "yes",
        "cluster": "c",
        "status": "ok",
        "metrics": {"psnr": 30.0, "ssim": 0.9},
        "seconds": 0.1,
    }
    return Row(**{**fields, **changes})  # type: ignore[arg-type]


def test_rows_come_back_as_they_went(tmp_path: Path) -> None:
    """What is stored is read back unchanged, metrics included."""
    missing = {"ssim": "an image of 8 × 9 pixels is smaller than SSIM's window of 11"}
    rows = [
        make_row("a", metrics={"psnr": 30.0}, missing=missing),
        make_row("b", status="failed", error="it broke", metrics={}),
    ]
    store = RowStore(tmp_path / "rows.sqlite")
    store.add(rows)
    assert RowStore(tmp_path / "rows.sqlite").rows() == rows
    assert store.statuses() == {"a": "ok", "b": "failed"}
    assert from_frame(to_frame(rows, "run")) == rows


def test_row_of_the_same_key_is_replaced(tmp_path: Path) -> None:
    """A cell computed again has one row, the newest."""
    store = RowStore(tmp_path / "rows.sqlite")
    store.add([make_row("a", status="failed")])
    store.add([make_row("a")])
    assert [row.status for row in store.rows()] == ["ok"]


def test_frame_has_a_column_per_metric() -> None:
    """The tidy frame spreads metrics over columns, with NaN where a row has none."""
    frame = to_frame([make_row("a"), make_row("b", status="failed", metrics={})], "test")
    assert list(frame["run"]) == ["test", "test"]
    assert frame.set_index("key").loc["a", "psnr"] == 30
    assert np.isnan(frame.set_index("key").loc["b", "psnr"])


def test_no_rows_make_an_empty_frame() -> None:
    """A run without a finished cell gives an empty frame with the columns."""
    frame = to_frame([], "test")
    assert frame.empty
    assert "status" in frame


def test_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    """A folder that no run has filled is named, with what would be right."""
    with pytest.raises(DenobenchError, match=r"manifest\.json"):
        RunFolder.open(tmp_path)


def test_broken_store_is_named(tmp_path: Path) -> None:
    """A store that is no SQLite file gives one error with its path."""
    (tmp_path / "rows.sqlite").write_text("this is not a database, not at all")
    with pytest.raises(DenobenchError, match=r"rows\.sqlite"):
        RowStore(tmp_path / "rows.sqlite")


def test_store_of_an_older_denobench_gains_its_columns(tmp_path: Path) -> None:
    """Rows from before a column was there are read with nothing in it, new ones with theirs."""
    store = RowStore(tmp_path / "rows.sqlite")
    store.add([make_row("a")])
    with sqlite3.connect(store.path) as database:
        database.execute("ALTER TABLE rows DROP COLUMN sigma")
    database.close()
    grown = RowStore(store.path)
    grown.add([make_row("b", sigma=0.09)])
    assert [row.sigma for row in grown.rows()] == [None, 0.09]
