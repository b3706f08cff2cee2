"""Nothing of the user's surroundings reaches the inside."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from starting import Started as Program

from denobench import surroundings

Shown = tuple[pd.DataFrame, set[str]]
Started = Callable[..., subprocess.CompletedProcess[str]]

PROGRAM = str(Path(sys.executable).with_name("denobench"))
SMALL = "--noise gaussian:0.1 --set size=32 --set split=none --set timing.repeats=0"
SMALL += " --set gallery=0 --set workers=1"
# What a method of the user's sees: its own answer tells.
PLUGIN = """
import json, os, signal, subprocess, sys
from pathlib import Path
import numba
from denobench import denoiser

@numba.njit(cache=True)
def halved(image):
    return image / 2

@denoiser("nosy", tracks=("blind",), packages=("numba",))
def nosy(noisy, sigma):
    child = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    seen = {
        "optimize": sys.flags.optimize, "warnings": sys.warnoptions, "utf8": sys.flags.utf8_mode,
        "jit": numba.config.DISABLE_JIT, "threads": numba.config.NUMBA_NUM_THREADS,
        "interrupt": subprocess.run([sys.executable, "-c", child], capture_output=True).stdout,
        "locale": os.environ["LC_ALL"], "keras": os.environ["KERAS_BACKEND"],
        "path": os.environ.get("PYTHONPATH"), "umask": os.umask(0o22) & 0o700,
    }
    print("seen", seen, file=sys.stderr)
    return halved(noisy)
"""
SEEN = (
    "seen {'optimize': 0, 'warnings': [], 'utf8': 1, 'jit': 0, 'threads': 1, "
    "'interrupt': b'True\\n', 'locale': 'C.UTF-8', 'keras': 'tensorflow', "
    "'path': None, 'umask': 0}"
)
BREAKS = "raise SystemExit('a file of the working folder was imported')\n"


@pytest.fixture(scope="module")
def start(
    image_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[subprocess.CompletedProcess[str], Path]]:
    """Return a function that runs a small comparison of two methods in given surroundings."""
    plugin = tmp_path_factory.mktemp("plugin") / "nosy.py"
    plugin.write_text(PLUGIN)
    numbers = iter(range(100))
    out = tmp_path_factory.mktemp("runs")

    def run(
        folder: Path,
        environment: Mapping[str, str | None] | None = None,
        *,
        program: tuple[str, ...] = (PROGRAM,),
        **options: object,
    ) -> tuple[subprocess.CompletedProcess[str], Path]:
        words = [*program, "run", "--data", image_folder, "--plugin", plugin, "--limit", "1"]
        words += ["--methods", "identity,tv,nosy", *SMALL.split()]
        where = out / str(next(numbers))
        changed = {**os.environ, **(environment or {})}
        done = subprocess.run(
            [*map(str, words), "--out", str(where)],
            cwd=folder,
            env={name: value for name, value in changed.items() if value is not None},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=300,
            **options,  # type: ignore[call-overload]
        )
        return done, where

    return run


@pytest.fixture(scope="module")
def plain(
    start: Callable[..., tuple[subprocess.CompletedProcess[str], Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return the folder of a run in surroundings in which there is nothing."""
    done, folder = start(tmp_path_factory.mktemp("nothing"))
    assert done.returncode == 0, done.stderr
    assert SEEN in (folder / "workers.log").read_text("utf-8")
    return folder


def assert_same(done: subprocess.CompletedProcess[str], folder: Path, plain: Path) -> None:
    """Check that a run gave what it gives in plain surroundings, and said nothing else."""
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert SEEN in (folder / "workers.log").read_text("utf-8")
    names = ["key", "method", "status", "psnr", "ssim", "field_digest"]
    rows, expected = (
        pd.read_csv(each / "rows.csv")[names].sort_values("key", ignore_index=True)
        for each in (folder, plain)
    )
    pd.testing.assert_frame_equal(rows, expected, check_exact=True)
    assert set(rows["status"]) == {"ok"}
    figure = "figures/quality-gaussian.png"
    assert (folder / figure).read_bytes() == (plain / figure).read_bytes()


def litter(folder: Path) -> None:
    """Fill a working folder with files that carry the names of modules and of settings."""
    names = ("random", "numpy", "yaml", "typing", "statistics", "typer", "scipy", "cv2", "pickle")
    for name in (*names, "sitecustomize", "usercustomize", "tempfile", "matplotlib"):
        (folder / f"{name}.py").write_text(BREAKS)
    (folder / "baselines").mkdir()
    (folder / "baselines" / "__init__.py").write_text(BREAKS)
    (folder / "matplotlibrc").write_bytes(b"figure.facecolor: red\nfont.size: 31\n\xff\n")
    (folder / ".numba_config.yaml").write_text("disable_jit: 1\nnum_threads: 3\n")


@pytest.mark.slow
@pytest.mark.parametrize("program", [(PROGRAM,), (sys.executable, "-m", "denobench")])
def test_files_of_the_working_folder(
    start: Started, plain: Path, tmp_path: Path, program: tuple[str, ...]
) -> None:
    """Files named like modules, packages or settings of libraries change nothing."""
    litter(tmp_path)
    if program == (PROGRAM,):  # `-m` finds its module before ours may say where to look
        (tmp_path / "denobench").mkdir()
        (tmp_path / "denobench" / "__init__.py").write_text(BREAKS)
    assert_same(*start(tmp_path, program=program), plain)


@pytest.mark.slow
def test_settings_and_limits(start: Started, plain: Path, tmp_path: Path) -> None:
    """Settings of Python and of libraries, from files or variables, and limits change nothing."""
    path, home = tmp_path / "path", tmp_path / "home"
    path.mkdir()
    for name in ("yaml", "scipy", "matplotlib", "usercustomize"):
        (path / f"{name}.py").write_text(BREAKS)
    (path / "sitecustomize.py").write_text("import warnings; warnings.warn = None")
    (home / ".keras").mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text('{"backend": "jax", "floatx": "float16"}')
    (home / ".config" / "matplotlib").mkdir(parents=True)
    (home / ".config" / "matplotlib" / "matplotlibrc").write_text("figure.facecolor: red\n")
    python = {
        "PATH": f"{path}:",
        "STARTUP": str(path / "yaml.py"),
        "WARNINGS": "error",
        "OPTIMIZE": "2",
        "DONTWRITEBYTECODE": "1",
        "INSPECT": "1",
        "IOENCODING": "ascii",
        "UTF8": "0",
        "COERCECLOCALE": "0",
    }
    libraries = {
        "HOME": str(home),
        "DENOBENCH_CACHE": str(tmp_path / "cache"),
        "MPLBACKEND": "no-such-backend",
        "MATPLOTLIBRC": str(home / ".config" / "matplotlib"),
        "MPLCONFIGDIR": "/proc/none",
        "NUMBA_CACHE_DIR": "/proc/none",
        "NUMBA_DISABLE_JIT": "1",
        "NUMBA_OPT": "-1",
        "NUMBA_NUM_THREADS": "none",
        "OMP_NUM_THREADS": "none",
        "KERAS_BACKEND": "jax",
        "TF_USE_LEGACY_KERAS": "1",
        "OPENCV_FOR_THREADS_NUM": "7",
        "CUDA_VISIBLE_DEVICES": "0,1",
        "LC_ALL": "C",
        "LC_NUMERIC": "de_DE.UTF-8",
        "TMPDIR": "/proc/none",
        "FORCE_COLOR": "1",
        "COLUMNS": "1",
    }

    def restrict() -> None:
        import resource

        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.umask(0o777)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 4096))

    environment = libraries | {f"PYTHON{name}": value for name, value in python.items()}
    done, folder = start(tmp_path, environment, preexec_fn=restrict, stdin=subprocess.DEVNULL)
    assert_same(done, folder, plain)
    assert all(found.stat().st_mode & stat.S_IRUSR for found in folder.rglob("*"))


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("setpriv") is None or os.geteuid() != 0, reason="needs root to be somebody else"
)
def test_account_without_a_home(start: Started, plain: Path, tmp_path_factory) -> None:
    """Somebody who may not write the installation and has no home needs DENOBENCH_CACHE alone."""
    folder = tmp_path_factory.getbasetemp()
    for each in (folder, *folder.parents, plain.parent):
        if each.owner() == "root" and each != Path("/") and each != Path("/tmp"):
            each.chmod(0o755)
    plain.parent.chmod(0o777)
    (folder / "own").mkdir(mode=0o777)
    (folder / "own").chmod(0o777)
    somebody = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups")
    somebody += ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")
    cache = {"DENOBENCH_CACHE": str(folder / "own" / "cache")}
    given = start(folder / "own", {"HOME": "/", **cache}, program=(*somebody, PROGRAM))
    assert_same(*given, plain)
    none = {"HOME": None, "XDG_CACHE_HOME": None, "DENOBENCH_CACHE": None}
    done, _ = start(folder / "own", none, program=(*somebody, PROGRAM))
    assert done.returncode == 2
    assert "set DENOBENCH_CACHE to a writable folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """One error names TMPDIR where nothing can be written."""
    import tempfile

    monkeypatch.setattr(tempfile, "gettempdir", lambda: (_ for _ in ()).throw(FileNotFoundError()))
    with pytest.raises(surroundings.DenobenchError, match="set TMPDIR"):
        surroundings.temporary_folder()


def test_nothing_computed_is_no_success(
    program: Started, tmp_path: Path, image_folder: Path
) -> None:
    """A run whose methods are all unavailable prints its report and exits with 1."""
    plugin = tmp_path / "absent.py"
    plugin.write_text(
        "from denobench import denoiser\n"
        "from denobench.errors import UnavailableError\n"
        "@denoiser('absent')\n"
        "def absent(noisy, sigma):\n"
        "    raise UnavailableError('not on this machine')\n"
    )
    words = ["run", "--data", image_folder, "--plugin", plugin, "--methods", "absent"]
    words += ["--limit", "1", "--out", tmp_path / "run", *SMALL.split()]
    done = program(*words)
    assert done.returncode == 1, done.stderr
    assert "not on this machine" in done.stderr


@pytest.mark.parametrize(
    ("pixels", "words", "code"),
    [
        (np.zeros((32, 32)), "denoise {}/a.png {}/o.png --method tv", 2),  # NumPy's, of no noise
        (np.eye(7), "denoise {}/a.png {}/o.png --method wavelet --sigma 0.1", 0),  # PyWavelets'
        (np.eye(30), f"run --data {{}} --out {{}}/run --methods identity {SMALL}", 0),
    ],  # the last are SciPy's, of local features that are all alike
)
def test_what_libraries_warn_of_is_kept_from_the_terminal(
    tmp_path: Path, pixels: np.ndarray, words: str, code: int
) -> None:
    """Odd pictures make libraries warn; the user sees what we say of them alone."""
    Image.fromarray((pixels * 255).astype(np.uint8)).save(tmp_path / "a.png")
    given = words.replace("{}", str(tmp_path)).split()
    environment = {**os.environ, "DENOBENCH_CACHE": str(tmp_path / "cache"), "TERM": "dumb"}
    running = Program("denobench", given, environment, errors=tmp_path / "told")
    assert running.wait(300) == code
    told = (tmp_path / "told").read_text("utf-8")
    assert "Warning" not in told
    assert told.count("Error") == (code == 2)


def test_what_libraries_write_past_python_is_kept_from_the_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """As long as it lasts, and also where it ends by an exception."""

    def noisy() -> None:
        with surroundings.quiet():
            os.write(2, b"noise")
            raise ValueError("told")

    with pytest.raises(ValueError, match="told"):
        noisy()
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
