"""What a checkout and an installed package carry."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import EntryPoints, PackageNotFoundError
from pathlib import Path

import pytest
import yaml

from denobench import __version__, config, registry

ROOT = Path(__file__).parents[1]
CONFIGS = {path.stem: path.read_text("utf-8") for path in (ROOT / "configs").glob("*.yaml")}


def test_configs_are_those_of_the_checkout() -> None:
    """The package finds the configs at the top level of its checkout."""
    assert config.shipped() == CONFIGS
    assert "quick" in CONFIGS


def test_citation_is_of_this_version() -> None:
    """The citation can be read, and names the version and licence of the package."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {*cited} >= {"cff-version", "message", "title", "authors"}
    assert cited["version"] == project["version"] == __version__
    assert cited["license"] == project["license"]


def test_documentation_has_an_index() -> None:
    """Every page under docs is named in its index, and no link of the index is dead."""
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {*re.findall(r"\]\(([\w-]+\.md)\)", index)} == pages


def test_wheel_carries_what_runs_need(tmp_path: Path) -> None:
    """The wheel holds configs, the page's template, the digests and the baselines, and no tests."""
    for name in ("denobench", "baselines", "configs"):  # no stale build folder, none left here
        shutil.copytree(ROOT / name, tmp_path / "copy" / name, symlinks=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / "copy")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, str(tmp_path / "copy")],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for name, text in CONFIGS.items():
            assert archive.read(f"denobench/configs/{name}.yaml").decode() == text
    for name in (
        "denobench/report/page/page.html.j2",
        "denobench/datasets/brain_tumor.sha256",
        "denobench/py.typed",
        "baselines/bm3d.py",
    ):
        assert name in names
    assert not any(name.startswith("tests/") for name in names)


@pytest.mark.parametrize("group", ["methods", "noise", "metrics", "datasets"])
def test_checkout_needs_no_installation(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where denobench is not installed, its own entry points are read from the checkout."""
    group = f"denobench.{group}"

    def nowhere(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(registry, "distribution", nowhere)
    monkeypatch.setattr(registry, "_installed", lambda _: EntryPoints())
    registry._entry_points.cache_clear()
    found = registry.Registry(group, "thing")
    assert found.names()
    for name in found.names():
        assert found.load(name) is not None
        assert found.origin(name).own
    registry._entry_points.cache_clear()
