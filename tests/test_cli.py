"""The program as people use it: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starting import Started

ROOT = Path(__file__).parents[1]
Program = Callable[..., subprocess.CompletedProcess[str]]

SMALL = ["--set", "size=32", "--set", "split=none", "--limit", "2"]
UNTIMED = [*SMALL, "--noise", "gaussian:0.1", "--set", "timing.repeats=0"]
SMALL += ["--noise", "gaussian:0.1,gaussian:0.2"]


def imported_by(*words: str | Path, told: str = "") -> set[str]:
    """Return the modules that ``denobench WORDS``, in a process of its own, imports."""
    code = (
        "import sys; sys.argv = ['denobench', *sys.argv[1:]]\n"
        "from denobench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        "print('MODULES', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    printed, _, modules = done.stdout.rpartition("MODULES")
    assert told in printed
    return set(modules.split())


@pytest.fixture(scope="module")
def run(image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """Return the folder of a small finished run, and what the process that ran it imported."""
    out = tmp_path_factory.mktemp("runs") / "small"
    words = ["run", "--data", image_folder, "--methods", "identity,tv,nlm", "--out", out]
    return out, imported_by(*words, *SMALL, "--set", "timing.repeats=3", told="PSNR")


@pytest.fixture(scope="module")
def finished(run: tuple[Path, set[str]]) -> Path:
    """Return the folder of a small finished run."""
    return run[0]


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["methods"]])
def test_starts_without_tensorflow(words: list[str]) -> None:
    """Help and the listing never import TensorFlow, Keras or plotting."""
    assert not {"tensorflow", "keras", "matplotlib", "seaborn"} & imported_by(*words)


def test_run_without_networks_needs_no_tensorflow(run: tuple[Path, set[str]]) -> None:
    """A comparison of classical methods never imports TensorFlow."""
    assert not {"tensorflow", "keras"} & run[1]


def test_module_and_script_are_one_program(program: Program) -> None:
    """``python -m denobench`` and ``denobench`` print the same help."""
    starts = [[Path(sys.executable).parent / "denobench"], [sys.executable, "-m", "denobench"]]
    environment = {**os.environ, "COLUMNS": "200", "TERM": "dumb"}
    script, module = (
        subprocess.run(
            [*start, "--help"], capture_output=True, text=True, check=True, env=environment
        ).stdout
        for start in starts
    )
    assert script == module == program("--help").stdout
    assert "Compare denoising methods" in script


def test_run_fills_its_folder(finished: Path) -> None:
    """A run leaves rows, timing, manifest, tables, figures and a page."""
    for name in (
        "rows.sqlite",
        "rows.parquet",
        "rows.csv",
        "timing.csv",
        "manifest.json",
        "report.html",
    ):
        assert (finished / name).stat().st_size > 0, name
    for folder, suffixes in {
        "tables": {".csv", ".md", ".tex"},
        "figures": {".png", ".pdf"},
    }.items():
        assert suffixes <= {path.suffix for path in (finished / folder).iterdir()}


@pytest.mark.slow
def test_report_writes_again_what_run_wrote_without_tensorflow(finished: Path) -> None:
    """``report`` makes the same tables from the rows alone, and imports no TensorFlow."""
    tables = {path.name: path.read_bytes() for path in (finished / "tables").iterdir()}
    for path in (finished / "tables").iterdir():
        path.unlink()
    assert not {"tensorflow", "keras"} & imported_by("report", finished)
    assert {path.name: path.read_bytes() for path in (finished / "tables").iterdir()} == tables


def test_several_runs_make_one_report(program: Program, finished: Path, tmp_path: Path) -> None:
    """Two runs are reported together in a folder of their own."""
    other = shutil.copytree(finished, tmp_path / "other")
    done = program("report", finished, other, "--out", tmp_path / "both")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "both" / "report.html").is_file()
    refused = program("report", finished, other)
    assert refused.returncode == 2
    assert "--out" in refused.stderr


def test_methods_lists_where_each_is_from(program: Program) -> None:
    """The listing tells name, track, licence, origin and availability."""
    listed = program("methods").stdout
    assert re.search(r"bm3d .*non-commercial", listed)
    assert re.search(r"tv .*oracle.*denobench.*yes", listed)


def test_one_method_is_told_with_its_details(program: Program) -> None:
    """A name gives that method's line, parameters and reference, also for a stabilised one."""
    told = program("methods", "vst(nlm)").stdout
    assert re.search(r"vst\(nlm\) .*VST \+ NLM .*oracle.*denobench.*yes", told)
    assert "h = 0.7" in told
    assert "Foi" in told
    assert "bm3d" not in told


def test_broken_plugin_breaks_nothing_else(program: Program, tmp_path: Path) -> None:
    """A plugin that cannot be imported is named, and everything else is listed."""
    (tmp_path / "broken.py").write_text("import nothing_of_this_name")
    done = program("methods", "--plugin", tmp_path / "broken.py")
    assert done.returncode == 0
    assert "nothing_of_this_name" in done.stdout
    assert "nlm-opencv" in done.stdout


def test_unavailable_method_is_listed_and_skipped(
    program: Program, image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A method that cannot be imported is listed with the reason, and skipped by a run."""
    about = tmp_path / "site" / "stranger-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[denobench.methods]\nodd = not_installed:odd\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert re.search(r"odd .*stranger 1\.0.*no: .*not_installed", program("methods").stdout)
    done = program(
        *("run", "--data", image_folder, "--methods", "identity,tv,odd", "--out", tmp_path / "run"),
        *UNTIMED,
    )
    assert done.returncode == 0, done.stderr
    assert "not_installed" in done.stderr
    rows = (tmp_path / "run" / "rows.csv").read_text()
    assert rows.count(",skipped,") == 2
    assert rows.count(",ok,") == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--methods", "tvv"], "Did you mean 'tv'"),
        (["denoise", "nowhere.png", "out.png"], "nowhere.png"),
    ],
)
def test_mistakes_exit_with_two(program: Program, words: list[str], message: str) -> None:
    """A mistake is one message that names it and what would be right, without a traceback."""
    done = program(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_failing_method_is_named_and_the_others_finish(
    program: Program, image_folder: Path, tmp_path: Path
) -> None:
    """A method that raises makes the exit code 1; the summary names it, the others have scores."""
    plugin = tmp_path / "bad.py"
    plugin.write_text(
        "from denobench import denoiser\n\n@denoiser('bad')\n"
        "def bad(noisy, sigma):\n    raise RuntimeError('deliberately broken')\n"
    )
    done = program(
        *("run", "--data", image_folder, "--methods", "tv,bad", "--plugin", plugin),
        *("--out", tmp_path / "run", *UNTIMED),
    )
    assert done.returncode == 1, done.stderr
    assert "bad" in done.stdout
    assert "deliberately broken" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_readme_plugin_runs_as_printed(
    program: Program, image_folder: Path, tmp_path: Path
) -> None:
    """The README's plugin is at most ten lines, passes the check and takes part in a run."""
    text = (ROOT / "README.md").read_text()
    found = re.search(r"```python\n(# my_method\.py\n.*?)```", text, re.DOTALL)
    assert found is not None
    assert len(found[1].strip().splitlines()) <= 10
    plugin = tmp_path / "my_method.py"
    plugin.write_text(found[1])
    name = re.search(r'@denoiser\(\s*"([^"]+)"', found[1])[1]  # type: ignore[index]
    assert program("check", name, "--plugin", plugin).returncode == 0
    done = program(
        *("run", "--plugin", plugin, "--methods", f"{name},identity", "--data", image_folder),
        *("--out", tmp_path / "run", *UNTIMED),
    )
    assert done.returncode == 0, done.stderr
    assert name in (tmp_path / "run" / "rows.csv").read_text()


def test_check_names_the_fault(program: Program, tmp_path: Path) -> None:
    """A method that breaks the contract fails the check with a reason and exit code 1."""
    (tmp_path / "bad.py").write_text(
        "from denobench import denoiser\n\n@denoiser('bad')\n"
        "def bad(noisy, sigma):\n    noisy += 1\n    return noisy[1:]\n"
    )
    done = program("check", "bad", "--plugin", tmp_path / "bad.py")
    assert done.returncode == 1
    assert "shape" in done.stdout


def test_denoise_writes_a_file(program: Program, photograph: np.ndarray, tmp_path: Path) -> None:
    """One file is denoised from the command line."""
    Image.fromarray((photograph * 255).astype(np.uint8)).save(tmp_path / "in.png")
    done = program("denoise", tmp_path / "in.png", tmp_path / "out.png", "--method", "tv")
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "out.png") as written:
        assert written.size == (64, 64)


@pytest.mark.slow
def test_interrupted_run_reports_and_goes_on(
    program: Program, image_folder: Path, tmp_path: Path
) -> None:
    """Ctrl-C keeps what is done, writes the report, says how to go on; the next run finishes."""
    plugin = tmp_path / "slow.py"
    plugin.write_text(
        "import time\nfrom denobench import denoiser\n\n@denoiser('slow')\n"
        "def slow(noisy, sigma):\n    time.sleep(0.3)\n    return noisy.copy()\n"
    )
    words = [
        *("run", "--data", image_folder, "--methods", "identity,slow", "--plugin", plugin),
        *("--out", tmp_path / "run", "--noise", "gaussian:0.1", "--set", "size=32"),
        *("--set", "split=none", "--set", "timing.repeats=0", "--limit", "10"),
    ]
    running = Started("denobench", words, errors=tmp_path / "errors")
    store = tmp_path / "run" / "rows.sqlite"
    while not (store.is_file() and rows_in(store) >= 3):
        assert running.poll() is None, (tmp_path / "errors").read_text()
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)
    code, errors = running.wait(120), (tmp_path / "errors").read_text()
    assert code == 130, errors
    assert "Run the same command again" in errors
    assert (tmp_path / "run" / "report.html").is_file()
    kept = rows_in(store)
    assert 3 <= kept < 20
    assert program(*words).returncode == 0
    assert rows_in(store) == 20


def rows_in(store: Path) -> int:
    import sqlite3

    try:
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
            return int(database.execute("SELECT count(*) FROM rows").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_help_is_light() -> None:
    """Help loads few modules beyond those of an empty Typer app."""
    empty = "import typer; app = typer.Typer(); app.command()(lambda: None)"
    code = f"{empty}\nimport sys\ntry:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "print('MODULES', *sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    least = set(done.stdout.rpartition("MODULES")[2].split())
    beyond = {name for name in imported_by("--help") - least if not name.startswith("denobench")}
    assert len(beyond) < 20, sorted(beyond)
