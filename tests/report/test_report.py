"""The report as a whole: what is written where, and from which runs."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from denobench.errors import DenobenchError
from denobench.report import Report, console_table, write
from denobench.rows import Row, RunFolder

Derive = Callable[..., RunFolder]


def printed(content: object, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(content)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def shown(run: RunFolder) -> str:
    """Return what the console shows of the run."""
    return printed(console_table([run]))


def test_all_files_are_written(report: Report) -> None:
    """Rows, tables in three forms, figures in two and the page exist and are not empty."""
    assert all(path.stat().st_size > 0 for path in report.paths)
    names = {path.relative_to(report.folder).as_posix() for path in report.paths}
    for name in (
        "rows.parquet", "rows.csv", "report.html", "tables/quality-gaussian.csv",
        "tables/quality-gaussian.md", "tables/quality-gaussian.tex", "tables/failures.md",
        "figures/quality-gaussian.png", "figures/gain-rician.pdf", "figures/gallery-1.png",
    ):  # fmt: skip
        assert name in names


def test_rows_are_exported_whole(report: Report, run: RunFolder) -> None:
    """The exported rows are the store's."""
    exported = pd.read_parquet(report.folder / "rows.parquet")
    frame = run.frame()
    assert exported[frame.columns.tolist()].astype(str).equals(frame.astype(str))
    assert len(pd.read_csv(report.folder / "rows.csv")) == len(frame)


def test_summary_counts_failures(report: Report, run: RunFolder) -> None:
    """The report's count of failures is the number of cells that are not ok."""
    assert report.failures == (run.frame()["status"] != "ok").sum()
    assert any(line.startswith("Broken: 48 failed") for line in report.summary)


def test_console_shows_methods_and_warnings(shown: str, report: Report) -> None:
    """The console's table names every method, and the sentences follow."""
    assert "35/36" in shown or "34/36" in shown
    for part in ("Non-local means", "PSNR / SSIM", "Oracle", "below the identity", "undertrained"):
        assert part in shown
    assert "Non-local means" in printed(report.table)


def test_committed_run_is_reported_from_parquet(
    report: Report, run: RunFolder, shown: str, tmp_path: Path
) -> None:
    """A run of which only rows.parquet and the manifest are kept gives the same table."""
    kept = RunFolder(tmp_path / "phantoms")
    kept.path.mkdir()
    (kept.path / "rows.parquet").write_bytes((report.folder / "rows.parquet").read_bytes())
    kept.write_manifest(run.manifest().but(gallery=()))
    first, second = shown, printed(console_table([kept]))
    # The store's copy has timings beside it.
    assert first.count("Non-local means") == second.count("Non-local means")
    assert [line for line in first.splitlines() if "leads" in line] == [
        line for line in second.splitlines() if "leads" in line
    ]


def test_one_image_has_no_interval(derive: Derive) -> None:
    """With a single image there are means and no interval, and the report is written."""
    folder = derive(
        lambda row: row.image == "head_00.png" and row.method in ("identity", "tv", "nlm")
        and row.noise == "rician",
        gallery=[],
    )  # fmt: skip
    written = write([folder])
    tidy = pd.read_csv(folder.path / "tables" / "quality-rician.csv")
    assert tidy["mean"].notna().all()
    assert tidy["low"].isna().all()
    text = (folder.path / "tables" / "quality-rician.md").read_text(encoding="utf-8")
    assert "no interval can be given" in text
    assert written.folder == folder.path


def test_all_cells_failed(derive: Derive) -> None:
    """A run in which nothing worked is still reported, with dashes and reasons."""

    def fail(row: Row) -> Row:
        return replace(row, status="crashed", error="worker died", metrics={"psnr": float("nan")})

    written = write([derive(lambda row: row.noise == "rician", fail, gallery=[])])
    assert written.failures == 9 * 12
    assert "worker died" in written.page.read_text(encoding="utf-8")
    assert not [path for path in written.paths if path.suffix == ".png"]


def test_no_metric_at_all(derive: Derive) -> None:
    """Rows without any score give failures and methods, and no table of scores."""
    bare = derive(
        lambda row: row.method == "broken", lambda row: replace(row, metrics={}), gallery=[]
    )
    written = write([bare])
    assert written.failures == 48
    assert "quality" not in " ".join(path.name for path in written.paths)


def test_unfinished_run_says_so(derive: Derive) -> None:
    """Cells of the plan without a row are counted in a warning."""
    folder = derive(lambda row: row.noise == "rician" and row.method in ("tv", "identity"))
    whole = RunFolder(folder.path)
    whole.write_plan([*(row.key for row in whole.store.rows()), "late"])
    assert "1 of 25 cells have no row yet" in printed(console_table([whole]), width=400)


def test_several_runs_need_a_folder(run: RunFolder, derive: Derive) -> None:
    """A joint report is never written into one of its runs by accident."""
    with pytest.raises(DenobenchError, match="a folder of its own"):
        write([run, derive()])


def test_progress_is_told(derive: Derive) -> None:
    """Progress runs from nothing done to all done."""
    told: list[tuple[float, float]] = []
    folder = derive(lambda row: row.method == "identity" and row.noise == "rician", gallery=[])
    write([folder], progress=lambda done, total, _="": told.append((done, total)))
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
