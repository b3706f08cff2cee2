"""A run that was changed by hand, in one digit, one row or one seed, is found out."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import denobench
from denobench.errors import DenobenchError
from denobench.rows import RunFolder
from denobench.verification import Verification, verify

FAILING = (
    "from denobench import denoiser\n\n@denoiser('failing')\n"
    "def failing(noisy, sigma):\n    raise ValueError('never works')\n"
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real small run, with a method that always fails."""
    folder = tmp_path_factory.mktemp("verify")
    plugin = folder / "failing.py"
    plugin.write_text(FAILING)
    settings = {
        "limit": 4, "size": 48, "noise": ["gaussian:0.05", "gaussian:0.1"], "gallery": 0,
        "methods": ["identity", "tv", "wavelet", "median", "failing"], "timing.repeats": 2,
        "plugins": [plugin], "tuning": {"trials": 4, "images": 3},
    }  # fmt: skip
    denobench.run("quick", settings, out=folder / "run", progress=False)
    return folder / "run"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def check(run: Path, sample: int = 0) -> Verification:
    return verify(RunFolder.open(run), sample=sample, trust=True, progress=lambda *_: None)


def alter_digit(path: Path) -> None:
    """Change the first decimal of a number in the middle of a file."""
    text = path.read_text("utf-8")
    found = [*re.finditer(r"\d\.(\d)", text)]
    place = found[len(found) // 2].start(1)
    other = "1" if text[place] != "1" else "2"
    path.write_text(text[:place] + other + text[place + 1 :], "utf-8")


@pytest.mark.slow
def test_a_run_is_what_it_says(run: Path) -> None:
    """An untouched run has no differences, in its tables and in rows computed again."""
    found = check(run, sample=8)
    assert found.problems == ()
    assert found.versions == {}
    assert found.rows == 8 + 4  # of the comparison, and of its tuning
    assert found.files > 10


def test_a_run_without_its_store_is_checked_too(run: Path) -> None:
    """As committed: the exported rows alone carry the tables."""
    (run / "rows.sqlite").unlink()
    assert check(run).problems == ()


def test_images_that_a_run_does_not_keep_are_asked_for(run: Path) -> None:
    """Those of a folder are needed to compute rows again, and not for the tables."""
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    manifest["dataset"]["name"] = "scans"
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(DenobenchError, match=r"'scans'.*give their folder with --data"):
        check(run, sample=1)


def test_a_moved_run_is_right(run: Path) -> None:
    """The folder's name stands in tidy tables and is no difference."""
    assert check(run.rename(run.with_name("elsewhere"))).problems == ()


COMMITTED = Path(__file__).parents[1] / "results"


@pytest.mark.parametrize(
    ("name", "files"),
    [("paper", 31), ("paper-matched", 31), ("networks", 22), ("networks-rician", 22)],
)
def test_the_committed_results(name: str, files: int) -> None:
    """The tables in the repository follow from the rows beside them."""
    found = check(COMMITTED / name)
    assert found.problems == ()
    assert found.files >= files


KINDS = ["quality-gaussian", "foreground-gaussian", "nrmse-gaussian", "timing", "tuning"]
KINDS += ["paired-psnr-gaussian", "paired-ssim-gaussian"]


def test_one_digit_of_every_table(run: Path) -> None:
    """One digit that was changed is found in each table, and the table named; no other is."""
    names = [f"tables/{kind}.{suffix}" for kind in KINDS for suffix in ("csv", "md", "tex")]
    for name in names:
        alter_digit(run / name)
    problems = check(run).problems
    assert sorted(problem.partition(", line ")[0] for problem in problems) == sorted(names)


def test_one_digit_of_the_failures(run: Path) -> None:
    """The number of failed cells cannot be changed either."""
    path = run / "tables" / "failures.md"
    altered = re.sub(
        r"\| (\d) \|", lambda found: f"| {int(found[1]) - 1} |", path.read_text("utf-8")
    )
    path.write_text(altered, "utf-8")
    assert "failures.md" in check(run).problems[0]


def test_one_digit_of_the_text(run: Path) -> None:
    """The paragraph for a paper is made again like a table."""
    alter_digit(run / "text.md")
    assert check(run).problems[0].startswith("text.md, line ")


@pytest.mark.parametrize("name", ["tables/quality-gaussian.tex", "text.md"])
def test_a_missing_file(run: Path, name: str) -> None:
    """A table that was taken away is missed."""
    (run / name).unlink()
    assert check(run).problems == (f"{name} is missing.",)


def test_a_table_of_unknown_origin(run: Path) -> None:
    """A table that the rows do not give is named."""
    (run / "tables" / "better.csv").write_text("method,psnr\nours,99\n")
    assert check(run).problems == ("tables/better.csv does not follow from the rows.",)


def test_one_exported_row(run: Path) -> None:
    """A score changed in an export is found, and its row named."""
    frame = pd.read_csv(run / "rows.csv")
    frame.loc[3, "psnr"] += 0.01
    frame.to_csv(run / "rows.csv", index=False)
    (problem,) = check(run).problems
    assert problem.startswith("rows.csv: ")
    assert frame.loc[3, "image"] in problem


def test_one_row_of_the_store(run: Path) -> None:
    """A score changed in the store contradicts the exports, the tables and the computation."""
    with sqlite3.connect(run / "rows.sqlite") as database:
        database.execute(
            "UPDATE rows SET metrics = json_set(metrics, '$.psnr', 40) "
            "WHERE method = 'median' AND level = 0.1"
        )
    problems = check(run, sample=32).problems
    assert any(problem.startswith("rows.parquet: ") for problem in problems)
    assert any(problem.startswith("tables/quality-gaussian.csv") for problem in problems)
    assert any("psnr is" in problem and "40 in the run" in problem for problem in problems)


def test_one_score_of_tuning(run: Path) -> None:
    """A trial's score that was changed contradicts the store, the table and the computation."""
    path = run / "tuning.csv"
    frame = pd.read_csv(path)
    frame.loc[frame["method"] == "median", "psnr_foreground"] += 0.5
    frame.to_csv(path, index=False)
    problems = check(run, sample=16).problems
    assert any("in the run's store" in problem for problem in problems)
    assert any(problem.startswith("tables/tuning.csv, line") for problem in problems)
    assert any(
        problem.startswith("tuning.csv: median") and "here" in problem for problem in problems
    )


def test_a_value_that_tuning_did_not_choose(run: Path) -> None:
    """A row with another parameter than the best one tried is found when it is computed again."""
    with sqlite3.connect(run / "rows.sqlite") as database:
        database.execute(
            "UPDATE rows SET parameters = '{\"weight\": 0.1}' WHERE method = 'tv' AND key IN "
            "(SELECT key FROM rows WHERE json_type(metrics, '$.ssim') IS NOT NULL)"
        )
    problems = check(run, sample=32).problems
    assert any("by config and tuning" in problem for problem in problems)


def test_one_seed(run: Path) -> None:
    """With another seed in the manifest the noise of the rows is another one."""
    path = run / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["config"]["seed"] = 1
    path.write_text(json.dumps(manifest))
    problems = [p for p in check(run, sample=4).problems if not p.startswith("tuning.csv: ")]
    assert problems
    assert all("the field is another one" in p or "is not in the plan" in p for p in problems)


def test_without_a_config_the_tables_alone_are_checked(run: Path) -> None:
    """A manifest that names no config, of another version, is no config of defaults."""
    (run / "manifest.json").write_text("{}")
    with pytest.raises(DenobenchError, match=r"holds no config.*--sample 0"):
        check(run, sample=1)
    assert check(run).rows == 0


def test_versions_that_differ_are_named(run: Path) -> None:
    """A library of another version is reported, not counted as a difference."""
    path = run / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["versions"]["numpy"] = "1.0"
    path.write_text(json.dumps(manifest))
    found = check(run, sample=1)
    assert found.versions["numpy"][0] == "1.0"
    assert found.problems == ()


def test_plugins_are_imported_where_they_are_trusted(
    run: Path, program: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """What the folder names is code: it runs with --trust alone, one's own copy with --plugin."""
    ran = []
    for name in ("theirs", "ours"):
        ran.append(tmp_path / name / "ran")
        ran[-1].parent.mkdir()
        text = f"{FAILING}open({str(ran[-1])!r}, 'w').close()\n"
        ran[-1].with_name("failing.py").write_text(text)
    theirs, ours = ran
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["config"]["plugins"] = [str(theirs.with_name("failing.py"))]
    (run / "manifest.json").write_text(json.dumps(manifest))
    refused = program("verify", run, "--sample", "1")
    assert refused.returncode == 2
    assert "theirs/failing.py, and no code is run" in refused.stderr
    own = program("verify", run, "--sample", "1", "--plugin", ours.with_name("failing.py"))
    assert own.returncode == 0, own.stdout
    assert (theirs.exists(), ours.exists()) == (False, True)
    trusting = program("verify", run, "--sample", "1", "--trust")
    assert trusting.returncode == 0, trusting.stdout
    assert theirs.exists()
