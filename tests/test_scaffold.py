"""What `denobench new` writes passes its own checks as written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from denobench import conformance, scaffold
from denobench.errors import DenobenchError
from denobench.registry import load_plugins


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one of each kind."""
    folder = tmp_path_factory.mktemp("new")
    for kind in scaffold.KINDS:
        scaffold.write(kind, f"my-{kind}", folder)
    return folder


@pytest.mark.parametrize("kind", ["method", "fitted"])
def test_written_method_passes_the_check(written: Path, kind: str) -> None:
    """The contract's suite finds no fault in it."""
    with load_plugins([written / f"my_{kind}.py"]):
        findings = conformance.check(f"my-{kind}")
    assert [finding for finding in findings if finding.fault] == []


def test_written_tests_pass_as_written(written: Path) -> None:
    """Pytest runs them in the folder, without any setting."""
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *written.glob("test_*.py")]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=written, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "5 passed" in done.stdout, done.stdout


@pytest.mark.slow
def test_written_package_is_found_when_it_is_installed(written: Path, tmp_path: Path) -> None:
    """Its entry point is listed with its name and version, and its test passes."""
    target = tmp_path / "site-packages"
    words = ["install", "-q", "--no-deps", "--no-build-isolation", "--target", target]
    subprocess.run([sys.executable, "-m", "pip", *words, written / "my-package"], check=True)
    program = (
        f"import sys; sys.path.append({str(target)!r})\n"
        "from denobench import conformance, methods\n"
        "print(methods.origin('my-package'))\n"
        "print([f for f in conformance.check('my-package') if f.fault])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "denobench-my-package 0.1.0\n[]\n", done.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tv", "There is a method 'tv' already"),
        ("My Method", "lower-case letters"),
        ("../x", "lower-case letters"),
        ("lambda", "cannot name"),
        ("my-method", "is there already"),
    ],
)
def test_name_that_cannot_be_used_is_refused(written: Path, name: str, message: str) -> None:
    """Nothing is written where the name is taken or no name, or a file would be replaced."""
    before = sorted(written.rglob("*"))
    with pytest.raises(DenobenchError, match=message):
        scaffold.write("method", name, written)
    assert sorted(written.rglob("*")) == before
