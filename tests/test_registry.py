"""Finding things by name, also when something is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from denobench.errors import DenobenchError
from denobench.registry import Registry, import_file


def test_entry_points_are_named_without_importing() -> None:
    """Installed methods are listed by name."""
    names = Registry("denobench.methods", "method").names()
    assert {"identity", "tv", "bm3d", "cdae"} <= set(names)


def test_unknown_name_gets_a_suggestion() -> None:
    """A misspelt name is answered with the closest one and the whole list."""
    with pytest.raises(DenobenchError, match="Did you mean 'nlm'") as caught:
        Registry("denobench.methods", "method").load("nlmm")
    assert "bilateral" in str(caught.value)


def test_added_name_hides_the_installed_one() -> None:
    """What a plugin file defines is found first, with its file as origin."""
    registry = Registry("denobench.methods", "method")
    registry.add("tv", "mine", "/somewhere/mine.py")
    assert registry.load("tv") == "mine"
    assert registry.origin("tv") == "/somewhere/mine.py"


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
        import_file(tmp_path / "broken.py")
    assert "broken.py" in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A plugin that is not there is named."""
    with pytest.raises(DenobenchError, match=r"gone\.py does not exist"):
        import_file(tmp_path / "gone.py")
