"""What a folder holds is used or named: links, pages, depths, copies, odd names and odd files."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from denobench import readers
from denobench.datasets import Dataset, Reading, open_folder
from denobench.errors import DenobenchError
from denobench.scale import Scale

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))


def picture(path: Path, **options: object) -> np.ndarray:
    """Save a picture that is like no other, and return its pixels."""
    pixels = np.kron(RNG.integers(0, 255, (8, 8)), np.ones((6, 6))).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)  # type: ignore[arg-type]
    return pixels


def reasons(found: Dataset) -> dict[str, str]:
    return {each.path: each.reason for each in found.unreadable}


def test_links_are_followed_and_broken_ones_named(tmp_path: Path) -> None:
    """Linked label folders and files count; broken links and circles are listed."""
    picture(tmp_path / "far" / "a.png")
    picture(tmp_path / "far" / "b.png")
    data = tmp_path / "data"
    data.mkdir()
    (data / "yes").symlink_to("../far")
    (data / "one.png").symlink_to("../far/a.png")
    (data / "gone.png").symlink_to("nowhere.png")
    (data / "annexed.png").symlink_to(".git/annex/objects/x.png")
    (data / "circle").symlink_to(data)
    found = open_folder(data)
    assert [item.id for item in found.items] == ["one.png", "yes/a.png", "yes/b.png"]
    assert "nowhere.png, which is not there" in reasons(found)["gone.png"]
    assert "git annex get" in reasons(found)["annexed.png"]
    assert "lies in" in reasons(found)["circle"]


def test_what_is_no_file_is_named_and_not_opened(tmp_path: Path) -> None:
    """A named pipe, a socket, an empty file and a hidden one are told; none makes it wait."""
    picture(tmp_path / "a.png")
    picture(tmp_path / ".b.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "empty.png").touch()
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.getcwd()
        os.chdir(tmp_path)  # a socket's path must be short
        try:
            bound.bind("socket")
        finally:
            os.chdir(here)
        found = open_folder(tmp_path)
    assert [item.id for item in found.items] == ["a.png"]
    assert reasons(found).keys() == {"pipe.png", "socket", "empty.png"}
    assert "a named pipe" in reasons(found)["pipe.png"]
    assert "0 bytes" in reasons(found)["empty.png"]
    assert any(".b.png" in note for note in found.notes)


def test_folder_without_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may not be read is listed, and the rest is used."""
    picture(tmp_path / "a.png")
    picture(tmp_path / "closed" / "b.png")
    scan = os.scandir

    def refusing(path: Path) -> object:  # root may read everything
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert reasons(open_folder(tmp_path)) == {"closed": "no permission to read this folder"}


def test_content_counts_and_not_the_suffix(tmp_path: Path) -> None:
    """A picture called notes.txt is one; notes beside pictures are counted, and not unreadable."""
    picture(tmp_path / "scan.txt", format="PNG")
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "about.json").write_text("{}")
    found = open_folder(tmp_path)
    assert [item.id for item in found.items] == ["scan.txt"]
    assert found.unreadable == ()
    assert "Left out, because they are no images: .json 1, .txt 1." in found.notes


@pytest.mark.parametrize(
    ("suffix", "options"), [("tif", {}), ("gif", {}), ("webp", {"lossless": True}), ("png", {})]
)
def test_each_page_is_an_image(tmp_path: Path, suffix: str, options: dict[str, bool]) -> None:
    """All pages of a TIFF, GIF, WebP or animated PNG are images, and all of one cluster."""
    pages = [picture(tmp_path / "x.png") for _ in range(3)]
    (tmp_path / "x.png").unlink()
    first, *others = map(Image.fromarray, pages)
    first.save(tmp_path / f"pages.{suffix}", save_all=True, append_images=others, **options)
    items = open_folder(tmp_path).items
    assert [item.id for item in items] == [f"pages.{suffix}#{n}" for n in (1, 2, 3)]
    assert len({item.digest for item in items}) == 3
    assert len({item.cluster for item in items}) == 1
    for item, page in zip(items, pages, strict=True):
        np.testing.assert_allclose(item.read(), page / 255, atol=0.03)


def test_pages_of_several_sizes_are_images(tmp_path: Path) -> None:
    """Pages of one file need not have one size."""
    small, large = Image.new("L", (20, 30), 50), Image.new("L", (40, 30), 99)
    small.save(tmp_path / "mixed.tif", save_all=True, append_images=[large])
    one, two = open_folder(tmp_path).items
    assert (one.read().shape, two.read().shape) == ((30, 20), (30, 40))
    assert two.read()[0, 0] == pytest.approx(99 / 255)


def test_twelve_bits_are_noticed_and_mended(tmp_path: Path) -> None:
    """12 bits in 16 are told with the setting that mends them, and then read as full scale."""
    pixels = picture(tmp_path / "full" / "a.png")
    (tmp_path / "deep").mkdir()
    Image.fromarray(pixels.astype(np.uint16) * 16).save(tmp_path / "deep" / "a.png")
    found = open_folder(tmp_path / "deep")
    assert any("scale=[0,4095]" in note and "12 bits" in note for note in found.notes)
    assert found.items[0].read().max() < 0.07
    mended = open_folder(tmp_path / "deep", Reading(scale=Scale.parse([0, 4095])))
    np.testing.assert_allclose(mended.items[0].read(), pixels / 255.94, atol=1e-3)
    assert mended.items[0].reading != found.items[0].reading
    whole = tmp_path / "whole"
    whole.mkdir()
    Image.fromarray(pixels.astype(np.uint16) * 257).save(whole / "a.png")
    assert open_folder(whole).notes == ()
    # Pictures of 8 bits keep 255, whatever the rule.
    eight = open_folder(tmp_path / "full", Reading(scale=Scale.parse([0, 4095])))
    np.testing.assert_allclose(eight.items[0].read(), pixels / 255, atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pictures_that_are_not_finite_are_named(tmp_path: Path, value: float) -> None:
    """NaN and infinity in a picture of floats are told, and not computed with."""
    pixels = np.kron(RNG.random((8, 8)), np.ones((6, 6))).astype(np.float32)
    tifffile.imwrite(tmp_path / "good.tif", pixels)
    pixels[3, 3] = value
    tifffile.imwrite(tmp_path / "bad.tif", pixels)
    found = open_folder(tmp_path)
    assert [item.id for item in found.items] == ["good.tif"]
    assert reasons(found) == {"bad.tif": "holds NaN or infinity; replace them first"}


def test_an_inner_copy_of_everything_is_one_remark(tmp_path: Path) -> None:
    """A folder that holds all beside it once more is left out; another is not."""
    for name in ("yes/1.png", "yes/2.png", "no/1.png"):
        picture(tmp_path / name)
    for name in ("yes", "no"):
        shutil.copytree(tmp_path / name, tmp_path / "again" / name)
    found = open_folder(tmp_path)
    assert [item.id for item in found.items] == ["no/1.png", "yes/1.png", "yes/2.png"]
    assert [note for note in found.notes if note.startswith("again/ holds a second copy")]
    picture(tmp_path / "again" / "yes" / "3.png")
    assert len(open_folder(tmp_path).items) == 7


@pytest.mark.parametrize(
    "name", [b"S\xe3o.png", b"two\nlines.png", "\u202eltr.png".encode(), b"back\\slash.png"]
)
def test_any_name_is_an_id_that_can_be_printed(tmp_path: Path, name: bytes) -> None:
    """Names that are not UTF-8, or not printable, are shown escaped, and read."""
    pixels = picture(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", os.fsencode(tmp_path) + b"/" + name)
    (item,) = open_folder(tmp_path).items
    assert item.id.isprintable()
    item.id.encode("utf-8")
    np.testing.assert_allclose(item.read(), pixels / 255, atol=1e-6)


def test_escaped_names_stay_apart(tmp_path: Path) -> None:
    """A name that looks like another one's escape has another id."""
    picture(tmp_path / "S\\xe3o.png")
    picture(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", os.fsencode(tmp_path) + b"/S\xe3o.png")
    assert len({item.id for item in open_folder(tmp_path).items}) == 2


def test_names_that_differ_by_case_are_told(tmp_path: Path) -> None:
    """Two files whose names a Mac could not tell apart are both read, and told."""
    picture(tmp_path / "A.png")
    picture(tmp_path / "a.png")
    found = open_folder(tmp_path)
    assert len(found.items) == 2
    assert any("A.png = a.png" in note for note in found.notes)


def test_a_replaced_file_is_noticed(tmp_path: Path) -> None:
    """What is read is what was hashed: another content under the same name is refused."""
    picture(tmp_path / "a.png")
    (item,) = open_folder(tmp_path).items
    picture(tmp_path / "a.png")
    with pytest.raises(DenobenchError, match=r"a\.png: was replaced"):
        item.read()


def test_every_file_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing, comparing and looking share one decoding; where clusters are known, too."""
    for number in range(3):
        picture(tmp_path / f"{number}.png")
    decoded: list[str] = []
    reading = readers.base.REGISTRY.load("pictures").read

    def counted(self: object, files: list[readers.File], reader: str) -> object:
        decoded.extend(file.path.name for file in files)
        return reading(files)

    monkeypatch.setattr(readers, "read", lambda files, reader: counted(None, files, reader))
    open_folder(tmp_path, look=print)
    assert sorted(decoded) == ["0.png", "1.png", "2.png"]
    open_folder(tmp_path)
    assert len(decoded) == 6


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("a.heic", b"\0\0\0\x18ftypheic" + bytes(40), "HEIC picture; convert it to PNG"),
        ("a.jxl", b"\xff\x0a" + b"\x01\xfe" * 20, "JPEG XL picture; convert"),
        ("a.mat", b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(99), "MATLAB file; save"),
        ("a.nrrd", b"NRRD0004\ntype: short\n", "NRRD volume; convert it to NIfTI"),
        ("a.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("b.png", b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
        ("a.zip", b"PK\x03\x04" + bytes(99), "ZIP archive; unpack it"),
        ("a.nii.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03cut", "truncated"),
        ("a.nef", b"II*\0\x08\0\0\0" + bytes(99), "camera's raw file"),
        ("a.dcm", bytes(5000), "DICOM file that is truncated or damaged"),
        ("c.png", bytes(5000), "zeros only"),
    ],
)
def test_unreadable_formats_say_what_to_do(
    tmp_path: Path, name: str, content: bytes, advice: str
) -> None:
    """A format that is not read is named, with what to do about it."""
    picture(tmp_path / "good.png")
    (tmp_path / name).write_bytes(content)
    found = open_folder(tmp_path)
    assert len(found.items) == 1
    assert advice in reasons(found)[name]
