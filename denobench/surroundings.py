"""What of the user's surroundings reaches the inside: nothing that is not meant for denobench.

The working folder, start-up files, and settings of Python and of libraries differ from user to
user and from day to day; results may not. The program and its child processes therefore start
Python out of their reach, and put every setting of a library back to its own default.
"""

from __future__ import annotations

import atexit
import codecs
import gc
import importlib
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, suppress
from functools import cache
from pathlib import Path

from denobench.cache import cache_folder
from denobench.errors import DenobenchError

# Settings of libraries, by how their names begin.
_SETTINGS = (
    *("BLIS_", "GOMP_", "GOTO_", "KMP_", "MKL_", "NUMEXPR_", "OMP_", "OPENBLAS_", "VECLIB_"),
    *("IMAGEIO_", "ITK_", "JAX_", "JOBLIB_", "KERAS_", "LOKY_", "MATPLOTLIBRC", "MPL", "NPY_"),
    *("NUMBA_", "NUMPY_", "OPENCV_", "ORT_", "PANDAS_", "PILLOW_", "PYDICOM_", "PYTORCH_"),
    *("SCIPY_", "TF_", "TORCH_", "XLA_"),
)
_PLACES = ("TORCH_HOME",)  # no settings, but where the user keeps things
# Of Python's own variables those that say where it is installed, or that change no result.
_PYTHON = (
    *("PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONEXECUTABLE", "PYTHONUSERBASE", "PYTHONNOUSERSITE"),
    *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED", "PYTHONSAFEPATH"),
    *("PYTHONFAULTHANDLER", "PYTHONHASHSEED", "PYTHONSTARTUP"),
)
# Files of the working folder in which libraries look for settings when they are imported.
_FILES = {"matplotlibrc": "matplotlib", ".numba_config.yaml": "numba"}
# How much is made until Python looks for cycles: it would look at what imports leave a thousand
# times, a tenth of a short run, and find nothing.
_GARBAGE = (50_000, 20, 20)
_ROOT = Path(__file__).resolve().parents[1]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables without anybody's settings of Python and of libraries.

    What libraries write lies in the cache folder; their files of settings in the user's home are
    not read.
    """
    kept = {
        name: value
        for name, value in given.items()
        if name in (*_PLACES, *_PYTHON) or not name.startswith((*_SETTINGS, "PYTHON"))
    }
    folder = _libraries_folder()
    kept |= {
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": str(folder / "keras"),
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "TMPDIR": temporary_folder(),
    }
    if not os.access(_ROOT, os.W_OK):  # else what numba compiles lies beside its source
        kept["NUMBA_CACHE_DIR"] = str(folder / "numba")
    return kept


def python(code: str) -> list[str]:
    """Return the words that start Python on some code, out of reach of the user's surroundings.

    This denobench is the one that is imported there; else whatever lies where this process looks
    for modules can be imported, but hides nothing that is installed.
    """
    paths = [path for path in (str(_ROOT), *sys.path) if os.path.isabs(path)]
    boot = (
        f"import sys; sys.path.insert(0, {str(_ROOT)!a}); import denobench; del sys.path[0]; "
        f"sys.path += [path for path in {paths!a} if path not in sys.path]"
    )
    words = ["-P", "-s", "-X", "utf8", "-c"]
    if "site" in sys.modules and sys.modules["site"].ENABLE_USER_SITE:
        # Packages of the user's own installation count, its start-up file does not.
        boot = f"import site; site.addsitedir(site.getusersitepackages()); {boot}"
    return [sys.executable, *words, f"{boot}; {code}"]


def shield() -> None:
    """Put this program out of reach of its surroundings; called before anything else.

    Where they have reached Python itself, the program starts again, in the same process.
    """
    if sys.executable and _reached():
        kept = {n: v for n, v in os.environ.items() if n in _PYTHON or not n.startswith("PYTHON")}
        code = f"from denobench.__main__ import main; main({_terminal_encoding()!a})"
        os.execve(sys.executable, [*python(code), *sys.argv[1:]], kept)
    gc.set_threshold(*_GARBAGE)
    warnings.simplefilter("ignore")  # libraries' are for us, who say what a user needs to know
    if str(_ROOT) not in sys.path:  # of a checkout that is not installed
        sys.path.append(str(_ROOT))
    kept = environment(os.environ)
    os.environ.clear()
    os.environ.update(kept)
    os.umask(os.umask(0) & 0o077)  # what we write, we can read
    import_unseen()


def import_unseen() -> None:
    """Import the libraries for which settings lie in the working folder, from another folder."""
    for file, module in _FILES.items():
        if os.path.exists(file):
            with suppress(ImportError), chdir("/"):
                importlib.import_module(module)


def _reached() -> bool:
    """Return whether Python itself runs otherwise than it does by default."""
    return bool(
        any(name.startswith("PYTHON") and name not in _PYTHON for name in os.environ)
        or sys.warnoptions
        or sys.flags.optimize
        or "usercustomize" in sys.modules
        or sys.getfilesystemencoding() != "utf-8"
    )


def _terminal_encoding() -> str:
    """Return how text is to be printed: as the user says, but that C stands for no language."""
    found = sys.stdout.encoding if sys.stdout else "utf-8"
    chosen = "PYTHONIOENCODING" in os.environ or codecs.lookup(found).name != "ascii"
    return found if chosen else "utf-8"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep from the terminal what libraries write past Python, such as TensorFlow as it starts."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def temporary_folder() -> str:
    """Return the folder for temporary files.

    Raises
    ------
    DenobenchError
        If none can be written.
    """
    try:
        return tempfile.gettempdir()
    except OSError:
        raise DenobenchError(
            "There is no folder for temporary files that can be written; set TMPDIR to one."
        ) from None


@cache
def _libraries_folder() -> Path:
    """Return a folder for what libraries keep: in the cache, or for as long as the process runs."""
    with suppress(DenobenchError, OSError):
        folder = cache_folder() / "libraries"
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        return folder
    temporary_folder()
    folder = Path(tempfile.mkdtemp(prefix="denobench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
