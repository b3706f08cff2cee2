"""The house's rules: style, types, small modules, one way to do one thing, imports that go down."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PACKAGES = ("denobench", "baselines")
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))

LONGEST_MODULE = 410

# What a module does for all others, and who else does it, with the reason.
ONLY_HERE = {
    "os.replace": {
        "denobench.files": "",
        "denobench.models": "puts a folder in its place",
    },
    "hashlib": {"denobench.files": "", "denobench.seeds": "reads files not at all"},
    "PCG64": {"denobench.seeds": ""},
    "default_rng": {},
    "RandomState": {"baselines.fast_bm3d.matching": "gives the same numbers in every NumPy"},
}


def name_of(path: Path) -> str:
    """Return a module's dotted name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=" ".join,
)
def test_rules_hold(words: list[str]) -> None:
    """Linter, formatter, type checker and import contract find nothing."""
    done = subprocess.run(
        [BIN / words[0], *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_modules_are_short() -> None:
    """No module, of the toolkit or of its tests, has more lines than one can keep in mind."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in [*MODULES, *(ROOT / "tests").rglob("*.py")]
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_nothing_imports_itself_by_a_detour() -> None:
    """There is no circle among the modules, however small."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None, exclude_type_checking_imports=True)
    below = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert len([*TopologicalSorter(below).static_order()]) == len(graph.modules)


@pytest.mark.parametrize("what", ONLY_HERE)
def test_one_thing_is_done_in_one_way(what: str) -> None:
    """Files are replaced, contents digested and generators seeded where all others have it from."""
    found = set()
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            names = {
                ast.Attribute: lambda n: {n.attr, f"{ast.unparse(n.value)}.{n.attr}"},
                ast.Name: lambda n: {n.id},
                ast.ImportFrom: lambda n: {n.module, *(f"{n.module}.{a.name}" for a in n.names)},
                ast.Import: lambda n: {a.name for a in n.names},
            }.get(type(node), lambda _: set())(node)
            if what in names:
                found.add(name_of(path))
    assert found == set(ONLY_HERE[what])


def test_no_registry_is_named() -> None:
    """No file of the repository holds the host name of a package registry."""
    hosts = ["pypi org", "pythonhosted org", "npmjs org", "npmjs com", "anaconda org"]
    hosts += ["download pytorch org", "archive ubuntu com", "deb debian org"]
    pattern = "|".join(re.escape(host.replace(" ", ".")) for host in hosts)
    found = subprocess.run(
        ["git", "grep", "--extended-regexp", "--files-with-matches", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode > 1:
        pytest.skip("this is no checkout of git")
    assert found.stdout == ""
