"""The tables of a run as files: types come back, and what is no table of ours is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from denobench import records
from denobench.errors import DenobenchError

TUNING = pd.DataFrame(
    {
        "method": ["NA", "1e5"],
        "fold": 0,
        "noise": "gaussian",
        "levels": [(0.05, 25 / 255), (0.1,)],
        "trial": 0,
        "settings": json.dumps({"weight": 0.7}),
        "key": ["007", "k"],
        "level": [25 / 255, 0.1],
        "image": ["null", "a,b\n.png"],
        "cluster": "c",
        "status": "ok",
        "error": "",
        "psnr_foreground": [30.123456789012345, np.nan],
    }
)


def test_a_table_comes_back(tmp_path: Path) -> None:
    """Levels are numbers to the last digit, and names stay names whatever they look like."""
    records.write(tmp_path / "tuning.csv", TUNING)
    found = records.read(tmp_path / "tuning.csv", "tuning")
    pd.testing.assert_frame_equal(found, TUNING, check_dtype=False)
    assert found["levels"][0] == (0.05, 25 / 255)
    assert records.read(tmp_path / "timing.csv", "timing").empty


def test_names_are_no_formulas(tmp_path: Path) -> None:
    """No name is a formula where a spreadsheet opens the file, and each one comes back."""
    names = ["=1+1", "'=1", "@sum", "+a", "-b", "'c", "tv"]
    table = pd.DataFrame({"method": names, "status": "ok", "threads": 1, "size": "8x8"})
    records.write(tmp_path / "timing.csv", table)
    lines = (tmp_path / "timing.csv").read_text().splitlines()
    assert not any(line.startswith(("=", "+", "-", "@")) for line in lines)
    assert [*records.read(tmp_path / "timing.csv", "timing")["method"]] == names


def test_a_strangers_history_comes_back(tmp_path: Path) -> None:
    """Columns that only one method's history has are numbers, truths or text as they look."""
    table = pd.DataFrame(
        {"method": "m", "noise": "n", "levels": [(0.1,)], "epoch": 1, "kept": True, "seconds": 0.5}
    ).assign(phase="warm-up", rate=1e-3, resumed=False)
    records.write(tmp_path / "training.csv", table)
    found = records.read(tmp_path / "training.csv", "training")
    assert found.loc[0].to_dict() == table.loc[0].to_dict()


def spoiled(**changes: object) -> bytes:
    return records.joined(TUNING).assign(**changes).to_csv(index=False).encode()


WHOLE = spoiled()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (WHOLE[:-20], "cut off"),
        (WHOLE.replace(b"psnr_foreground", b"psnr"), "no column psnr_foreground"),
        (WHOLE.replace(b"gaussian", b"\xff\xfe"), "cannot be read"),
        (spoiled(level="high"), "level should hold numbers"),
        (spoiled(trial=np.nan), "trial should hold numbers"),
        (spoiled(fold=True), "fold should hold numbers"),
        (spoiled(levels="0.1 high"), "cannot be read"),
        (spoiled(settings="{"), "cannot be read"),
        (spoiled(settings="[1]"), "settings"),
        (spoiled(settings='{"a": [1]}'), "settings"),
        (spoiled(settings="[" * 100_000), "settings"),
        (spoiled(method="m", settings=['{"a": 1}', '{"b": 1}']), "different parameters"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git lfs pull"),
    ],
)
def test_a_damaged_table_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    """A file left in part or with values of another type is one error that says what is wrong."""
    path = tmp_path / "tuning.csv"
    path.write_bytes(content)
    with pytest.raises(DenobenchError, match=rf"tuning\.csv: .*{said}"):
        records.read(path, "tuning")


def test_a_huge_table_is_not_read(tmp_path: Path) -> None:
    """A file far larger than any of ours is refused before it fills the memory."""
    with (tmp_path / "timing.csv").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(DenobenchError, match="more than 256 MB"):
        records.read(tmp_path / "timing.csv", "timing")


def test_rows_come_back_from_parquet(tmp_path: Path) -> None:
    """Texts, numbers and gaps are those that pandas wrote and reads."""
    frame = pd.DataFrame(
        {"key": ["a", "b"], "psnr": [1.5, np.nan], "n": [1, 2], "error": ["", None], "ok": True}
    )
    frame.to_parquet(tmp_path / "rows.parquet", index=False)
    found = records.read_rows(tmp_path / "rows.parquet")
    pd.testing.assert_frame_equal(found, pd.read_parquet(tmp_path / "rows.parquet"))


def many_rows(path: Path) -> None:
    """A hundred million equal rows in a few kilobytes."""
    column = pa.array(np.zeros(10_000_000, np.int8))
    with parquet.ParquetWriter(path, pa.schema([("n", pa.int8())]), compression="zstd") as file:
        for _ in range(10):
            file.write_table(pa.table({"n": column}), row_group_size=len(column))


def long_texts(path: Path) -> None:
    """One text of a megabyte, a million times over."""
    text = pa.DictionaryArray.from_arrays(np.zeros(1_000_000, np.int32), ["x" * 2**20])
    parquet.write_table(pa.table({"image": text}), path, compression="zstd")


def nested(path: Path) -> None:
    parquet.write_table(pa.table({"image": [[1, 2], [3]]}), path)


@pytest.mark.parametrize(
    ("bomb", "said"),
    [
        (many_rows, "100,000,000 rows"),
        (long_texts, "more than 4 GB"),
        (nested, "image holds neither"),
    ],
)
def test_a_bomb_is_not_unpacked(tmp_path: Path, bomb: object, said: str) -> None:
    """A small file that stands for more than memory holds is one error."""
    path = tmp_path / "rows.parquet"
    bomb(path)  # type: ignore[operator]
    assert path.stat().st_size < 2**21
    with pytest.raises(DenobenchError, match=rf"rows\.parquet: .*{said}"):
        records.read_rows(path)


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"version https://git-lfs.github.com"]
)
def test_a_damaged_export_is_named(tmp_path: Path, content: bytes) -> None:
    """A file that is no Parquet is one error that names it."""
    (tmp_path / "rows.parquet").write_bytes(content)
    with pytest.raises(DenobenchError, match=r"rows\.parquet: "):
        records.read_rows(tmp_path / "rows.parquet")
