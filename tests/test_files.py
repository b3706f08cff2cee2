"""Files: no two names meet, none leaves its folder, and none is seen half written."""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denobench.errors import DenobenchError
from denobench.files import (
    digest,
    digest_of,
    read_json,
    replacing,
    safe_name,
    write_bytes,
    write_text,
)

AWKWARD = [
    *("a/b", "a-b", "a\\b", "a:b", "tv+", "tv*", "tv", "TV", "clean", "..", ".", "", " ", "-"),
    *("x" * 300, "x" * 301, "σ", "Σ", "пример", "脳", "\u0301", "\udcff", "con", "nul.txt", "a\nb"),
    *("~", "$(rm)", "a.b", "a..b", ".hidden", "é", "e\u0301"),
]


@pytest.mark.parametrize(("one", "two"), [*combinations(AWKWARD, 2)])
def test_names_stay_apart(one: str, two: str) -> None:
    """Two different texts never share a file, not even where case says nothing."""
    assert safe_name(one).lower() != safe_name(two).lower()


@given(st.lists(st.text(st.characters(codec=None)), min_size=1, max_size=3))
def test_names_are_safe(parts: list[str]) -> None:
    """A name is short ASCII without separators, hidden files or anything a shell reads."""
    name = safe_name(*parts)
    assert name.isascii()
    assert 0 < len(name) <= 64
    assert name[0].isalnum()
    assert set(name) <= {*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."}
    assert ".." not in name


@given(*[st.lists(st.sampled_from(["a", "b", "a-b", "b-a", "_"]), min_size=2, max_size=3)] * 2)
def test_parts_stay_apart(one: list[str], two: list[str]) -> None:
    """Where the parts part is part of the name."""
    assert (safe_name(*one) == safe_name(*two)) == (one == two)


def test_plain_names_stay() -> None:
    """What is plain is what a reader looks for."""
    assert safe_name("quality", "gaussian") == "quality-gaussian"
    assert safe_name("fast-bm3d") == "fast-bm3d"


def test_what_is_no_file_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    """A pipe, as a device would, makes nobody wait for its end, and stays what it is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to("pipe")
    for act in (digest, lambda path: write_text(path, "x")):
        with pytest.raises(OSError, match="a device or a pipe"):
            act(pipe)
    assert pipe.is_fifo()
    write_text(tmp_path / "link", "x")  # a link is replaced, whatever it leads to
    assert [path.name for path in tmp_path.iterdir() if path.is_fifo()] == ["pipe"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """An error in the middle leaves the old file and no other."""
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("ne")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """What lies behind a link is nobody's business here."""
    (tmp_path / "other").write_text("theirs")
    (tmp_path / "link").symlink_to(tmp_path / "other")
    write_text(tmp_path / "link", "ours")
    assert (tmp_path / "other").read_text() == "theirs"
    assert (tmp_path / "link").read_text() == "ours"


def test_digests(tmp_path: Path) -> None:
    """SHA-256, as sha256sum prints it; of values, whatever the order of their keys."""
    (tmp_path / "file").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest(tmp_path / "file") == known
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b'{"a": 1, "b"', "cannot be read .*copy it again"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"9" * 10_000, "cannot be read"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git lfs pull"),
    ],
)
def test_a_damaged_json_file_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    """Whatever a copy, a full disk or Git LFS left is one error that says what to do."""
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(DenobenchError, match=rf"manifest\.json: .*{said}"):
        read_json(path)


def test_a_huge_json_file_is_not_read(tmp_path: Path) -> None:
    """A file far larger than any of ours is refused before it fills the memory."""
    path = tmp_path / "plan.json"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(DenobenchError, match=r"1,099,512 MB"):
        read_json(path)
