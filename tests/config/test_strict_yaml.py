"""YAML is read as people mean it, and any text gives a value or one sentence."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from denobench import config
from denobench.config import strict_yaml
from denobench.errors import DenobenchError

BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7e-1", 0.7),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("010", 10),
        ("0x10", 16),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2024-02-30", "2024-02-30"),
        ("no", False),
        ("On", True),
        ("~", None),
        ("'no'", "no"),
        ("!!str 3", "3"),
        ("", None),
        ("no: {on: 1, 3: x, ~: y}", {"no": {"on": 1, "3": "x", "~": "y"}}),
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}),
    ],
)
def test_scalars_are_what_they_look_like(text: str, value: Any) -> None:
    """Numbers with exponents are numbers, dates are texts, and keys are what is written."""
    found = strict_yaml.parse(text, "text")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: 'a' is set twice (before in line 1)"),
        ("a:\n  b: {c: 1, c: 2}\n", "line 2: 'c' is set twice"),
        ("a:\n\tb: 1\n", "line 2: .*tab"),
        ("a: b: c\n", "needs quotes"),
        ("a: 1\n---\nb: 2\n", "one document"),
        ("a: !!python/name:os.system x\n", "the tag 'python/name:os.system'"),
        ("a: !!timestamp 2024-02-30\n", "the tag 'timestamp'"),
        ("a: *b\n", "undefined alias"),
        ("a: &a [*a]\n", "values too deep"),
        (BOMB, "too many values"),
        ("[" * 3000, "too deep"),
        ("a: \x07\n", "character 0x07"),
        ("? [1, 2]\n: 3\n", "a key must be a text"),
        (f"a: {'9' * 5000}\n", "cannot be read as a number"),
        ("<<: 3\n", "<< takes settings"),
    ],
)
def test_mistake_is_one_sentence(text: str, message: str) -> None:
    """A mistake names the text, the line where there are several, and what is wrong."""
    with pytest.raises(DenobenchError, match=message.replace("(", r"\(").replace(")", r"\)")) as at:
        strict_yaml.parse(text, "mine.yaml")
    assert str(at.value).startswith("mine.yaml: ")
    assert "\n" not in str(at.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\xff", "no text in UTF-8"),
        ("size: 64".encode("utf-16"), "no text in UTF-8"),
        (b"x: 1\n" * 100_000, "larger than"),
        (b"", "is empty"),
        (b"# nothing\n", "is empty"),
        (b"- 3\n", "holds"),
        (b"only words\n", "holds the text"),
    ],
)
def test_file_that_is_no_config_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    """Binary, empty and huge files are refused by name."""
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(DenobenchError, match=f"mine.yaml.*{message}"):
        config.load(path)


def test_byte_order_mark_is_no_key(tmp_path: Path) -> None:
    """A text that an editor of Windows has marked as UTF-8 is read."""
    (tmp_path / "mine.yaml").write_bytes(b"\xef\xbb\xbfsize: 64\r\n")
    assert config.load(tmp_path / "mine.yaml").size == 64


def test_folder_is_no_config(tmp_path: Path) -> None:
    """A folder in place of a config is said to be one."""
    with pytest.raises(DenobenchError, match="is a folder"):
        config.load(tmp_path)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from([*config.Config.model_fields, "sise", "repeats", ""])
trees = st.dictionaries(keys, plain, max_size=6)
SNIPPETS = """size: 64|methods:|  tv: {weight: 7e-1}|noise: [gaussian: 0.1]|- no|&a |*a|<<: |
!!float |{|]|\t|...|---|: |'|"|~|%|? |&b [*a, *a]|# x"""
snippets = st.sampled_from([*SNIPPETS.split("|"), "\n"])


@given(text=st.lists(snippets | st.text(max_size=8), max_size=12).map("".join))
@example("? ")
@settings(max_examples=100, deadline=None)
def test_any_text_gives_a_config_or_one_error(text: str) -> None:
    """Whatever is written, there is a config or a `DenobenchError`, and no other exception."""
    with suppress(DenobenchError):
        tree = strict_yaml.parse(text, "text")
        assert config.parse(tree if isinstance(tree, dict) else {}, "text").noises


@given(tree=trees)
@settings(max_examples=100, deadline=None)
def test_any_tree_gives_a_config_or_one_error(tree: dict[str, Any]) -> None:
    """Whatever a notebook hands over, there is a config or a `DenobenchError`."""
    with suppress(DenobenchError):
        assert config.parse(tree, "tree").noises


@given(tree=plain)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(tree: Any) -> None:
    """What PyYAML writes with quotes and tags is read as it was."""
    text = yaml.safe_dump(tree, default_style='"', sort_keys=False)
    assert strict_yaml.parse(text, "text") == tree
