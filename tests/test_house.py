"""The house's rules: style, types, small modules, one way to do one thing, imports that go down."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
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
LONGEST_FUNCTION = 40  # lines of code: no docstring, comment or empty line
MAY_BE_LONGER = {
    "denobench.networks.inference.products._write_block": "one loop nest, as a machine runs it",
    "denobench.networks.inference.winograd._convolve": "one loop nest, as a machine runs it",
    "denobench.networks.inference.upsampling._convolve": "one loop nest, as a machine runs it",
    "baselines.fast_bm3d.matching.match": "one loop nest, as a machine runs it",
    "denobench.cli.methods.methods": "its options are its signature",
    "denobench.cli.run.run": "its options are its signature",
}

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


# Modules whose tests have another name or reach them through others: of each, or of a package.
TESTED_BY = {
    "baselines": "baselines/test_baselines.py",  # each by its name, as a stranger's method is
    "baselines.fast_bm3d": "baselines/fast_bm3d/test_method.py",
    "baselines.field": "baselines/test_field.py",
    "baselines.networks": "baselines/test_networks.py",
    "denobench.__main__": "test_cli.py",
    "denobench.answers": "engine/workers/test_strangers.py",
    "denobench.autoencoder.gradients": "autoencoder/test_architecture.py",
    "denobench.cache": "test_models.py",
    "denobench.cli": "test_cli.py",
    "denobench.config": "config/test_loading.py",
    "denobench.denoising": "test_denoising.py",
    "denobench.database": "test_rows.py",
    "denobench.datasets.base": "datasets/test_sources.py",
    "denobench.datasets.listing": "datasets/test_folder.py",
    "denobench.datasets.noisiness": "datasets/test_pairs.py",
    "denobench.datasets.survey": "datasets/test_folder.py",
    "denobench.datasets.volumes": "readers/test_mr.py",
    "denobench.engine.manifest": "engine/test_coordinator.py",
    "denobench.engine.planning": "engine/planning/test_plan.py",
    "denobench.engine.stages": "engine/stages/test_timing.py",
    "denobench.engine.workers": "engine/workers/test_strangers.py",
    "denobench.foreign": "foreign/test_finding.py",
    "denobench.metrics.base": "metrics/test_metrics.py",
    "denobench.metrics.fidelity": "metrics/test_metrics.py",
    "denobench.networks": "networks/test_trainer.py",
    "denobench.networks.inference": "networks/inference/test_predictor.py",
    "denobench.networks.inference.graph": "networks/inference/test_tracing.py",
    "denobench.networks.layers": "baselines/test_networks.py",
    "denobench.readers": "readers/test_mr.py",
    "denobench.report.data": "report/data/test_summary.py",
    "denobench.report.figures": "report/figures/test_curves.py",
    "denobench.report.tables": "report/tables/test_scores.py",
    "denobench.runtimes": "engine/stages/test_timing.py",
    "denobench.scale": "datasets/test_folder.py",
    "denobench.scaffold": "test_scaffold.py",
    "denobench.tasks": "tasks/test_models.py",
    "denobench.validation": "config/test_loading.py",
    "denobench.viewing": "report/page/test_look.py",
}


def name_of(path: Path) -> str:
    """Return a module's dotted name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the name of each function in a module, and its lines of code."""
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
        if token.type not in blank:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = code.intersection(range(node.lineno, (node.end_lineno or 0) + 1))
            if ast.get_docstring(node) is not None:
                docstring = node.body[0]
                lines -= {*range(docstring.lineno, (docstring.end_lineno or 0) + 1)}
            yield f"{name_of(path)}.{node.name}", len(lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["pyrefly", "check", "--python-interpreter-path", sys.executable],
        ["lint-imports"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_rules_hold(words: list[str]) -> None:
    """Linter, formatter, type checker and import contract find nothing."""
    done = subprocess.run(
        [BIN / words[0], *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_links_of_the_documents_lead_somewhere() -> None:
    """What README and docs link to is there, in a fresh clone too."""
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    missing = [
        f"{document.relative_to(ROOT)}: {link}"
        for document in documents
        for link in re.findall(r"\]\(([^)#\s]+)", document.read_text("utf-8"))
        if "://" not in link and not (document.parent / link).exists()
    ]
    assert missing == []


def test_modules_are_short() -> None:
    """No module, of the toolkit or of its tests, has more lines than one can keep in mind."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in [*MODULES, *(ROOT / "tests").rglob("*.py")]
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_functions_are_short() -> None:
    """No function is long without a reason, and no reason outlives its function."""
    long = {name for path in MODULES for name, n in functions(path) if n > LONGEST_FUNCTION}
    assert long == set(MAY_BE_LONGER)


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


def imported(folder: Path) -> set[str]:
    """Return what the tests of a folder import."""
    found = set()
    for path in folder.glob("test_*.py"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import):
                found.update(each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                found.update({node.module, *(f"{node.module}.{each.name}" for each in node.names)})
    return found


def is_covered(name: str) -> bool:
    """Return whether it says where a module, or the package that it is in, is tested."""
    parts = name.split(".")
    return any(".".join(parts[: n + 1]) in TESTED_BY for n in range(len(parts)))


def test_tests_mirror_the_modules() -> None:
    """A module is tested in the folder of its name, by a file of its name or one that imports it.

    Where its tests are elsewhere, or reach it through another, it is told which they are.
    """
    missing = set()
    for path in MODULES:
        inside = path.relative_to(ROOT).parent.parts
        folder = ROOT.joinpath("tests", *(inside[1:] if inside[0] == "denobench" else inside))
        name, named = name_of(path), folder / f"test_{path.stem}.py"
        defines = any(
            isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree_of(path).body
        )
        if defines and not (named.is_file() or name in imported(folder) or is_covered(name)):
            missing.add(name)
    assert missing == set()
    assert {name for name in TESTED_BY.values() if not (ROOT / "tests" / name).exists()} == set()


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
