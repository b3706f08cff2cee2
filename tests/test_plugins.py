"""Plugin files, their neighbours, and what becomes of an edited one."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from denobench.errors import DenobenchError
from denobench.plugins import import_files


def _import(path: Path) -> object:
    return import_files([path]).files[0].module


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import nothing_of_this_name", "nothing_of_this_name"),
        ("def (", "SyntaxError"),
        ("exit(0)", "SystemExit"),
    ],
)
def test_broken_file_is_named_with_the_cause(tmp_path: Path, text: str, reason: str) -> None:
    """A plugin file that cannot be imported gives an error with its path and the cause."""
    (tmp_path / "broken.py").write_text(text)
    with pytest.raises(DenobenchError, match=reason) as caught:
        _import(tmp_path / "broken.py")
    assert "broken.py" in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A plugin that is not there is named."""
    with pytest.raises(DenobenchError, match=r"gone\.py does not exist"):
        _import(tmp_path / "gone.py")


@pytest.mark.parametrize(
    "line",
    [
        "from helper import k",
        "from .helper import k",
        "import helper; k = helper.k",
        "from lib.deep import k",
        "import lib.deep as deep; k = deep.k",
        "import lib.deep; k = lib.deep.k",
        "from lib import deep; k = deep.k",
        "def late():\n    from helper import k\n    return k\nk = late()",
    ],
)
def test_plugin_imports_its_neighbour_which_nobody_else_sees(tmp_path: Path, line: str) -> None:
    """In every form of import, from files and plain folders, leaving nothing in the folder."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "helper.py").write_text("k = 0.9")
    (tmp_path / "lib" / "deep.py").write_text("from helper import k")
    (tmp_path / "my plugin.v2.py").write_text(line)
    assert _import(tmp_path / "my plugin.v2.py").k == 0.9  # type: ignore[attr-defined]
    assert not {"helper", "lib"} & set(sys.modules)
    assert not list(tmp_path.rglob("__pycache__"))


def test_neighbour_shadows_no_installed_module(tmp_path: Path) -> None:
    """A numpy.py or random.py that happens to lie beside a plugin is not what it imports."""
    for name in ("numpy", "random", "denobench"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('shadowed')")
    (tmp_path / "p.py").write_text("import numpy, random\nfrom denobench import denoiser")
    assert _import(tmp_path / "p.py").numpy is sys.modules["numpy"]  # type: ignore[attr-defined]


def test_neighbours_of_two_folders_are_two(tmp_path: Path) -> None:
    """Helpers of one name in two folders are kept apart."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "helper.py").write_text(f"k = {name!r}")
        (tmp_path / name / "p.py").write_text("from helper import k")
    found = import_files([tmp_path / "one" / "p.py", tmp_path / "two" / "p.py"])
    assert [plugin.module.k for plugin in found] == ["one", "two"]


@pytest.mark.parametrize("edited", ["p.py", "helper.py"])
def test_edited_file_is_imported_again_and_an_unchanged_one_is_not(
    tmp_path: Path, edited: str
) -> None:
    """Also an edit within the same second and of the same length, in the file or its neighbour."""
    (tmp_path / "helper.py").write_text("k = 1")
    (tmp_path / "p.py").write_text("from helper import k\nh = 1")
    first = _import(tmp_path / "p.py")
    assert _import(tmp_path / "p.py") is first
    (tmp_path / edited).write_text((tmp_path / edited).read_text().replace("1", "2"))
    again = _import(tmp_path / "p.py")
    assert (again.k, again.h) == ((1, 2) if edited == "p.py" else (2, 1))  # type: ignore[attr-defined]


def test_what_a_plugin_defines_can_be_pickled(tmp_path: Path) -> None:
    """A class of a plugin file travels to processes that have imported the file."""
    (tmp_path / "p.py").write_text("class Item:\n    pass")
    module = _import(tmp_path / "p.py")
    item = module.Item  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(item)) is item
