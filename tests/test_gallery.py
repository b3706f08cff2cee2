"""The gallery: every picture by what made it, and nothing else in its files is believed."""

from __future__ import annotations

import io
import pickle
import zipfile
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from denobench.errors import DenobenchError
from denobench.gallery import Gallery, Pictures

AWKWARD = [
    "tv+",
    "tv*",
    "clean",
    "noisy",
    "answers",
    "..",
    "../../x",
    "/etc",
    "x" * 300,
    "脳",
    "a\nb",
]


def pictures(number: int) -> Pictures:
    rng = np.random.default_rng(number)
    return Pictures(*(rng.random((8, 9)).astype(np.float32) for _ in range(3)))


def test_no_two_things_share_a_picture(tmp_path: Path) -> None:
    """Whatever keys are called, each pair has an answer of its own, apart from clean and noisy."""
    gallery = Gallery(tmp_path / "run")
    gallery.run.mkdir()
    kept = {pair: pictures(n) for n, pair in enumerate(product(AWKWARD, AWKWARD))}
    for (observation, key), found in kept.items():
        assert not gallery.holds(observation, key)
        gallery.save(observation, key, found)
    for (observation, key), found in kept.items():
        answer = gallery.answer(observation, key, (8, 9))
        np.testing.assert_array_equal(answer, found.answer)
        assert gallery.holds(observation, key)
    for observation in AWKWARD:
        clean, noisy = gallery.observation(observation) or (None, None)
        np.testing.assert_array_equal(clean, kept[observation, AWKWARD[-1]].clean)
        np.testing.assert_array_equal(noisy, kept[observation, AWKWARD[-1]].noisy)
    assert {path.name for path in tmp_path.iterdir()} == {"run"}
    assert gallery.answer("tv+", "never", (8, 9)) is None
    assert gallery.observation("never") is None


def test_what_no_cell_uses_is_stale(tmp_path: Path) -> None:
    """Pictures of other cells and observations are stale, and so is what is no picture of ours."""
    gallery = Gallery(tmp_path)
    for observation, key in product(("o", "p"), ("k", "l")):
        gallery.save(observation, key, pictures(0))
    (tmp_path / "gallery" / "o" / "answers" / "deeper").mkdir()
    for name in ("stray.npy", "o/tv.npy", "o/answers/deeper/k.npy"):
        (tmp_path / "gallery" / name).write_bytes(b"")
    found = {path.relative_to(tmp_path / "gallery").as_posix() for path in gallery.stale("o", "k")}
    assert found == {
        *("stray.npy", "o/tv.npy", "o/answers/deeper/k.npy", "o/answers/l.npy"),
        *("p/clean.npy", "p/noisy.npy", "p/answers/k.npy", "p/answers/l.npy"),
    }


def test_a_tumour_s_mask_is_kept_where_it_is_known(tmp_path: Path) -> None:
    """The mask comes back as it was, belongs to its observation, and is not there without one."""
    gallery, mask = Gallery(tmp_path), np.zeros((8, 9), np.uint8)
    mask[2:4, 3:7] = 3
    gallery.save("o", "k", replace(pictures(0), tumour=mask))
    gallery.save("p", "k", pictures(0))
    np.testing.assert_array_equal(gallery.tumour("o", (8, 9)), mask)
    assert gallery.tumour("p", (8, 9)) is None
    assert (tmp_path / "gallery" / "o" / "tumour.npy") not in {*gallery.stale("o", "k")}
    with pytest.raises(DenobenchError, match=r"tumour\.npy"):
        gallery.tumour("o", (9, 9))


class Bomb:
    """Unpickled, it writes a file."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("/tmp/denobench-bomb"),))


def saved(array: object) -> bytes:
    content = io.BytesIO()
    np.save(content, np.asarray(array), allow_pickle=True)
    return content.getvalue()


def huge() -> bytes:
    """Return a file whose header promises 4 TB."""
    header = saved(np.zeros((2, 2), np.float32))
    return header.replace(b"'shape': (2, 2), ", b"'shape': (9999999999, 99), ")[: len(header)]


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(10**7))
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        saved(np.zeros((8, 9), np.float32))[:-5],
        saved(np.array(Bomb(), object)),
        pickle.dumps(Bomb()),
        saved(np.zeros((8, 9))),
        saved(np.zeros(72, np.float32)),
        saved(np.zeros((9, 8), np.float32)),
        saved(np.zeros((0, 9), np.float32)),
        saved(np.full((8, 9), np.nan, np.float32)),
        huge(),
        zipped(),
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
    ],
)
def test_a_file_that_is_no_picture_is_named(tmp_path: Path, content: bytes) -> None:
    """Cut, pickled, of another type or shape, or a bomb: one error, and nothing is executed."""
    gallery = Gallery(tmp_path)
    gallery.save("o", "k", pictures(0))
    path = tmp_path / "gallery" / "o" / "answers" / "k.npy"
    path.write_bytes(content)
    with pytest.raises(DenobenchError, match=r"k\.npy: "):
        gallery.answer("o", "k", (8, 9))
    assert not Path("/tmp/denobench-bomb").exists()


def test_pictures_are_not_written_behind_a_link(tmp_path: Path) -> None:
    """A gallery, or a folder in it, that is a link is refused; a file that is one is replaced."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "theirs.npy").write_bytes(b"theirs")
    for number, linked in enumerate(("gallery", "gallery/o", "gallery/o/answers")):
        gallery = Gallery(tmp_path / str(number))
        (gallery.run / linked).parent.mkdir(parents=True)
        (gallery.run / linked).symlink_to(outside, target_is_directory=True)
        with pytest.raises(DenobenchError, match="is a link"):
            gallery.save("o", "k", pictures(0))
        assert [*gallery.stale([], [])] == []
    gallery = Gallery(tmp_path / "file")
    (gallery.run / "gallery" / "o").mkdir(parents=True)
    (gallery.run / "gallery" / "o" / "clean.npy").symlink_to(outside / "theirs.npy")
    gallery.save("o", "k", pictures(0))
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {"theirs.npy": b"theirs"}
