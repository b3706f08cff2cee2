"""A report that would come out the same is not made again."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from denobench.report import Report, record, unchanged, write
from denobench.rows import RunFolder


def printed(content: object) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(content)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def original(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Return the report of a small run, not to be changed."""
    rows = [
        row for row in run.store.rows()
        if row.method in ("tv", "identity") and row.noise == "rician"
    ]  # fmt: skip
    folder = RunFolder(tmp_path_factory.mktemp("small"))
    folder.store.add(rows)
    folder.write_manifest(run.manifest())
    folder.write_plan(row.key for row in rows)
    return write([folder])


@pytest.fixture
def written(original: Report, tmp_path: Path) -> RunFolder:
    """Return a copy of a small run with its report."""
    folder = original.folder
    return RunFolder(Path(shutil.copytree(folder, tmp_path / folder.name)))


def test_unchanged_report_says_what_the_written_one_said(original: Report) -> None:
    """Files, sentences, failures and the table on the console are those of the first time."""
    first, found = original, unchanged(RunFolder(original.folder))
    assert found is not None
    assert set(found.paths) == set(first.paths)
    assert (found.summary, found.failures) == (first.summary, first.failures)
    assert printed(found.table) == printed(first.table)


def change_rows(folder: RunFolder) -> None:
    row = folder.store.rows()[0]
    folder.store.add([replace(row, metrics={**row.metrics, "psnr": 1.0})])


def change_table(folder: RunFolder) -> None:
    next((folder.path / "tables").glob("*.md")).write_text("edited")


def remove_figure(folder: RunFolder) -> None:
    next((folder.path / "figures").glob("*.pdf")).unlink()


def change_config(folder: RunFolder) -> None:
    folder.write_manifest(folder.manifest().but(size=1))


@pytest.mark.parametrize("change", [change_rows, change_table, remove_figure, change_config])
def test_changed_run_or_report_is_out_of_date(
    written: RunFolder, change: Callable[[RunFolder], None]
) -> None:
    """After a change of the rows, the manifest or a file of the report it has to be written."""
    change(written)
    assert unchanged(written) is None


def test_changed_code_or_library_makes_it_out_of_date(
    written: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another denobench or another library draws another report; another date does not."""
    written.write_manifest(written.manifest().but(created="2001-01-01T00:00:00+00:00"))
    assert unchanged(written) is not None
    with monkeypatch.context() as patched:
        patched.setattr(record, "version", lambda _: "0.0")
        assert unchanged(written) is None
    (tmp_path / "page.py").write_text("# another denobench")
    monkeypatch.setattr(record, "_PACKAGE", tmp_path)
    assert unchanged(written) is None


def test_damaged_record_is_out_of_date(written: RunFolder) -> None:
    """A record that cannot be read, or is an older denobench's, is no error."""
    for text in ("{", "[]", json.dumps({"made_of": ""})):
        (written.path / record.FILE).write_text(text)
        assert unchanged(written) is None


def files_of(folder: Path) -> set[str]:
    return {path.name for place in ("tables", "figures") for path in (folder / place).iterdir()}


@pytest.mark.parametrize("joint", [False, True])
def test_what_an_earlier_report_left_is_removed(
    written: RunFolder, tmp_path: Path, joint: bool
) -> None:
    """A figure that the new report has not goes; what somebody put there or changed stays."""
    out = tmp_path / "joint" if joint else written.path
    if joint:
        write([written], out)
    before = files_of(out)
    mine, edited = out / "figures" / "mine.png", out / "tables" / "earlier.md"
    mine.write_bytes(b"mine")
    edited.write_text("as written")
    picture, outside = out / "figures" / "gallery-1.png", out / "run.txt"
    for path in (picture, outside):
        path.write_text("as written")
    told = json.loads((out / record.FILE).read_text())
    found = record.digest(picture)
    for name in ("figures/gallery-1.png", "tables/earlier.md", "run.txt", "figures/../run.txt"):
        told["files"][name] = found
    edited.write_text("changed")
    (out / record.FILE).write_text(json.dumps(told))
    write([written], out)
    assert files_of(out) == {*before, "mine.png", "earlier.md"}
    assert outside.exists()
