"""What makes a method stale: its own source, and what that imports from its package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from denobench import methods
from denobench.engine.sources import _sources, source_digest

FILES = {
    "stranger/__init__.py": "",
    "stranger/methods/__init__.py": "",
    "stranger/methods/box.py": (
        "from denobench import denoiser\nfrom ..filters.mean import mean\n\n"
        "@denoiser('box')\ndef box(noisy, sigma):\n    return mean(noisy)\n"
    ),
    "stranger/filters/__init__.py": "",
    "stranger/filters/mean.py": (
        "def mean(noisy):\n    from stranger import sizes\n    return noisy * sizes.ONE\n"
    ),
    "stranger/sizes.py": "ONE = 1\n",
    "stranger/unrelated.py": "TWO = 2\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of an installed package with a method that imports from it."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "stranger"
    for name in [name for name in sys.modules if name.partition(".")[0] == "stranger"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("file", "stale"),
    [
        ("methods/box.py", True),
        ("filters/mean.py", True),
        ("sizes.py", True),
        ("unrelated.py", False),
    ],
)
def test_source_is_all_that_a_method_imports_from_its_package(
    package: Path, file: str, stale: bool
) -> None:
    """A change anywhere in what the method imports is a change of its source; others are not."""
    box = importlib.import_module("stranger.methods.box").box
    before = source_digest(box)
    (package / file).write_text((package / file).read_text() + "# edited\n")
    assert (source_digest(box) != before) == stale


def test_network_s_source_is_its_own_package() -> None:
    """The CDAE's source is denobench.autoencoder, and not the whole toolkit."""
    folders = {path.parent.name for path in _sources(methods.load("cdae"))}
    assert folders == {"autoencoder"}
