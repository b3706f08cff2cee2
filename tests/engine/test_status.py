"""How far a run is, its log, and what is stale in its folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image

from denobench.engine import stale, status
from denobench.engine.coordinator import Outcome
from denobench.errors import DenobenchError
from denobench.rows import RunFolder

Compare = Callable[..., Outcome]
Program = Callable[..., subprocess.CompletedProcess[str]]


def test_status_counts_what_is_done_and_what_failed(
    compare: Compare, strangers: Path, program: Program
) -> None:
    """State, cells by method and status, and each reason are told, also as JSON."""
    outcome = compare(plugins=[strangers], methods=["identity", "raises"])
    found = status.read(outcome.folder.path)
    assert (found.run, found.state, found.cells) == ("run", "finished", 6)
    assert found.statuses == {"identity": {"ok": 3}, "raises": {"failed": 3}}
    assert found.failures[0].cells == 3
    assert "deliberately broken" in found.failures[0].reason
    printed = program("status", outcome.folder.path, "--json")
    assert json.loads(printed.stdout) == json.loads(found.to_json())
    told = program("status", outcome.folder.path).stdout
    assert "finished, 6 of 6 cells" in told
    assert "deliberately broken" in told


def test_status_tells_what_runs_now(
    compare: Compare, strangers: Path, program: Program, tmp_path: Path
) -> None:
    """While a run goes on, its status names the method, noise and image that a worker is at."""
    settings = {"plugins": [strangers], "methods": ["sleeps"], "limit": 1, "timeout": 8}
    running = threading.Thread(target=compare, kwargs=settings)
    running.start()
    told = ""
    while running.is_alive() and "sleeps gaussian:0.1 on " not in told:
        if (tmp_path / "run" / "progress.json").is_file():
            told = program("status", tmp_path / "run").stdout
    running.join()
    assert "running, 0 of 1 cells" in told
    assert "Cells: 0 of 1 sleeps gaussian:0.1 on " in told


def test_log_has_levels(compare: Compare, strangers: Path) -> None:
    """What happened lies in the run's folder: stages as INFO, failures as WARNING."""
    outcome = compare(plugins=[strangers], methods=["identity", "raises"])
    log = (outcome.folder.path / "run.log").read_text()
    assert " INFO Cells: 0 of 6" in log
    assert " WARNING raises failed on " in log
    assert log.endswith("INFO finished\n")


def test_dead_run_is_stopped(finished: RunFolder) -> None:
    """A run whose process is gone is not called running."""
    path = finished.path / "progress.json"
    now = json.loads(path.read_text())
    path.write_text(json.dumps({**now, "state": "running", "process_started": 1.0}))
    assert status.read(path.parent).state == "stopped"


def test_moved_run_stays_valid(compare: Compare, finished: RunFolder, tmp_path: Path) -> None:
    """A run's folder under another name computes nothing again, and nothing in it is stale."""
    moved = finished.path.rename(tmp_path / "moved")
    assert compare(moved).computed == 0
    found = stale.find(compare(moved).folder)
    assert not found.rows
    assert not found.files


def test_edited_image_is_computed_again(
    compare: Compare, image_folder: Path, tmp_path: Path
) -> None:
    """An image whose file changes has its cells computed again, no others."""
    copy = shutil.copytree(image_folder, tmp_path / "copy")
    first = compare(data=copy, limit=None)
    name = first.folder.frame()["image"].iloc[0]
    before = set(first.folder.frame()["image"])
    with Image.open(copy / name) as file:
        pixels = file.copy()
    pixels.save(copy / name, compress_level=0)  # the same pixels in another file
    second = compare(data=copy, limit=None)
    assert set(second.folder.frame()["image"]) == before
    assert second.computed == 2


def test_other_library_version_is_computed_again(
    compare: Compare, strangers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A method that declares a library is stale under another version of it; others are not."""
    text = strangers.read_text().replace('packages=("numpy",)', 'packages=("toy",)')
    strangers.write_text(text)
    settings = {"plugins": [strangers], "methods": ["identity", "halves"]}
    monkeypatch.syspath_prepend(tmp_path / "site")
    for version, computed in (("1.0", 6), ("2.0", 3)):
        shutil.rmtree(tmp_path / "site", ignore_errors=True)
        about = tmp_path / "site" / f"toy-{version}.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: toy\nVersion: {version}\n")
        assert compare(**settings).computed == computed


@pytest.mark.usefixtures("finished")
def test_clean_shows_and_removes_what_is_stale(compare: Compare, program: Program) -> None:
    """Rows and pictures of an earlier parameter are shown, removed with --yes, and only they."""
    outcome = compare(methods={"identity": {}, "gaussian-filter": {"width": 2.0}}, limit=2)
    before = outcome.folder.frame()
    shown = program("clean", outcome.folder.path).stdout
    assert "3 rows of gaussian-filter" in shown
    assert "1 rows of identity" in shown
    assert len(outcome.folder.store.rows()) == 8
    assert "Removed" in program("clean", outcome.folder.path, "--yes").stdout
    assert len(outcome.folder.store.rows()) == 4
    assert outcome.folder.frame().equals(before)
    assert "Nothing is stale" in program("clean", outcome.folder.path).stdout


@pytest.mark.parametrize(
    "content", ["", "[]", '{"state": ', '{"state": 3}', '{"done": NaN}', '{"pid": "x"}']
)
def test_a_damaged_progress_is_named(tmp_path: Path, content: str) -> None:
    """A progress.json that was left in part, or holds something else, is one error."""
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "progress.json").write_text(content)
    with pytest.raises(DenobenchError, match=r"progress\.json: "):
        status.read(tmp_path)


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    """A manifest that was left in part is no run in which nothing was to do."""
    (tmp_path / "manifest.json").write_text('{"name": "x')
    with pytest.raises(DenobenchError, match="manifest"):
        status.read(tmp_path)


def test_dropped_method_leaves_stale_pictures(compare: Compare, finished: RunFolder) -> None:
    """The pictures of a method that the config does not name any more are stale."""
    shown = finished.manifest().gallery[0].image
    left = ("gaussian-filter", shown)
    (key,) = (row.key for row in finished.rows() if (row.method, row.image) == left)
    folder = compare(methods=["identity"]).folder
    found = stale.find(folder)
    assert [path.name for path in found.files] == [f"{key}.npy"]
    stale.remove(folder, found)
    assert not stale.find(folder).files


def test_without_a_plan_no_picture_is_stale(finished: RunFolder) -> None:
    """Where the plan was lost, `clean` takes away nothing that has a row."""
    (finished.path / "plan.json").unlink()
    found = stale.find(finished)
    assert (found.rows, found.files) == (frozenset(), ())


def test_what_a_kill_left_in_part_is_stale(finished: RunFolder) -> None:
    """Files that were being written when a run was killed are removed, but not through a link."""
    for name in ("", "tables", "figures"):
        (finished.path / name).mkdir(exist_ok=True)
        (finished.path / name / ".part-0.csv").write_text("half")
    (finished.path / "figures").rename(finished.path.with_name("elsewhere"))
    (finished.path / "figures").symlink_to(finished.path.with_name("elsewhere"))
    found = stale.find(finished)
    assert len(found.files) == 2
    stale.remove(finished, found)
    assert not stale.find(finished).files
    assert (finished.path / "figures" / ".part-0.csv").exists()


@pytest.mark.usefixtures("finished")
def test_folder_that_is_filled_is_not_cleaned(compare: Compare) -> None:
    """Nothing is removed while a coordinator holds the folder."""
    folder = compare(methods=["identity"]).folder
    with FileLock(folder.path / ".lock"), pytest.raises(DenobenchError, match="being filled"):
        stale.remove(folder, stale.find(folder))


def test_committed_run_is_looked_at_without_being_changed(finished: RunFolder) -> None:
    """A run that carries ``rows.parquet`` alone has a status, and gets no store of rows."""
    before = status.read(finished.path)
    finished.frame().to_parquet(finished.path / "rows.parquet")
    (finished.path / "rows.sqlite").unlink()
    assert status.read(finished.path) == before
    assert not stale.find(finished).rows
    assert not (finished.path / "rows.sqlite").exists()
