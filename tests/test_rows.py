"""The store of rows and the run folder."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
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


@pytest.mark.parametrize(
    "content", [b"this is not a database, not at all", b"SQLite format 3\0" + bytes(2000)]
)
def test_broken_store_is_named(tmp_path: Path, content: bytes) -> None:
    """A store that is no SQLite file gives one error with its path, read or written."""
    store = RowStore(tmp_path / "rows.sqlite")
    store.path.write_bytes(content)
    for use in (store.rows, store.statuses, lambda: store.add([make_row("a")])):
        with pytest.raises(DenobenchError, match=r"rows\.sqlite: cannot be read"):
            use()


def spoil(path: Path, *statements: str) -> RowStore:
    """Return a store of two rows after some SQL."""
    RowStore(path).add([make_row("a"), make_row("b")])
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    return RowStore(path)


@pytest.mark.parametrize(
    ("said", "statements"),
    [
        ("view", ["ALTER TABLE rows RENAME TO r", "CREATE VIEW rows AS SELECT * FROM r"]),
        ("trigger", ["CREATE TRIGGER t AFTER DELETE ON rows BEGIN DELETE FROM rows; END"]),
        (
            "computed",
            ["ALTER TABLE rows ADD COLUMN more AS (key || hex(zeroblob(1000)))"],
        ),
        ("level is 'high'", ["UPDATE rows SET level = 'high' WHERE key = 'b'"]),
        ("level is inf", ["UPDATE rows SET level = 1e999"]),
        ("image is b'3'", ["UPDATE rows SET image = x'33'"]),
        ("method is None", ["UPDATE rows SET method = NULL"]),
        ("metrics are", ['UPDATE rows SET metrics = \'{"psnr": "<b>"}\'']),
        ("'a'", ["UPDATE rows SET metrics = '[1, 2'"]),
        ("'a'", ["UPDATE rows SET metrics = '[1, 2]'"]),
        ("no such table", ["DROP TABLE rows"]),
    ],
)
def test_a_strangers_store_is_not_believed(
    tmp_path: Path, said: str, statements: list[str]
) -> None:
    """Views, triggers, computed columns and values of other types are one error that says which."""
    store = spoil(tmp_path / "rows.sqlite", *statements)
    with pytest.raises(DenobenchError, match=rf"rows\.sqlite: cannot be read \(.*{said}"):
        store.rows()


def test_a_trigger_does_not_run(tmp_path: Path) -> None:
    """Removing a row does not set off what the database would do then."""
    trigger = "CREATE TRIGGER t AFTER DELETE ON rows BEGIN DELETE FROM rows; END"
    store = spoil(tmp_path / "rows.sqlite", trigger)
    with pytest.raises(DenobenchError, match="trigger"):
        store.remove(["a"])
    with closing(sqlite3.connect(store.path)) as database:
        assert [*database.execute("SELECT key FROM rows")] == [("a",), ("b",)]


def test_reading_leaves_the_folder_as_it_is(tmp_path: Path) -> None:
    """A store is read in a folder that cannot be written, and is not made where there is none."""
    assert RowStore(tmp_path / "none.sqlite").rows() == []
    store = spoil(tmp_path / "rows.sqlite", "ALTER TABLE rows DROP COLUMN sigma")
    before = store.path.read_bytes()
    assert [row.sigma for row in store.rows()] == [None, None]
    assert store.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["rows.sqlite"]


def test_a_store_is_not_written_through_a_link(tmp_path: Path) -> None:
    """A link, soft or hard, in the store's place is refused; the other file stays."""
    theirs = tmp_path / "theirs.sqlite"
    RowStore(theirs).add([make_row("a")])
    before = theirs.read_bytes()
    for name, link in (("soft", Path.symlink_to), ("hard", Path.hardlink_to)):
        link(tmp_path / name, theirs)
        with pytest.raises(DenobenchError, match="is a link"):
            RowStore(tmp_path / name).add([make_row("b")])
    assert theirs.read_bytes() == before


KILLED = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("PRAGMA cache_size = 2")
database.execute("BEGIN IMMEDIATE")
database.execute("UPDATE rows SET error = error || 'changed'")
os.kill(os.getpid(), 9)
"""


def test_rows_of_a_killed_writer_are_those_before_it(tmp_path: Path) -> None:
    """What a process left in part when it was killed is undone before rows are read."""
    rows = [make_row(f"{number:04}", error="x" * 1000) for number in range(300)]
    store = RowStore(tmp_path / "rows.sqlite")
    store.add(rows)
    subprocess.run([sys.executable, "-c", KILLED, store.path], check=False)
    assert (tmp_path / "rows.sqlite-journal").stat().st_size > 0
    assert store.rows() == rows


@pytest.mark.parametrize(
    "plan", [b'{"cells": ["a", ', b"[]", b'{"cells": 3}', b'{"cells": [3], "tuning": []}', b""]
)
def test_a_damaged_plan_is_named(tmp_path: Path, plan: bytes) -> None:
    """A plan left in part, or of another form, is one error that names it."""
    folder = RunFolder(tmp_path)
    folder.store.add([make_row("a")])
    (tmp_path / "plan.json").write_bytes(plan)
    with pytest.raises(DenobenchError, match=r"plan\.json: "):
        folder.frame()


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


def test_a_store_that_was_never_written_has_no_rows(tmp_path: Path) -> None:
    """What a full disk, or a kill in the first transaction, leaves is empty and no fault."""
    store = RowStore(tmp_path / "rows.sqlite")
    store.path.touch()
    assert store.rows() == []
    assert store.statuses() == {}
