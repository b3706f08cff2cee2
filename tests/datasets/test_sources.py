"""Data sets by name and folders of images, with everything that can be wrong with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from denobench.datasets import open_dataset, open_folder
from denobench.errors import DenobenchError


def test_folder_gives_labels_and_ids(image_folder: Path) -> None:
    """A sub-folder's name is the label; ids are paths below the folder."""
    found = open_folder(image_folder)
    assert len(found.items) == 20
    assert {item.label for item in found.items} == {"yes", "no"}
    assert found.items[0].id == "no/image 00.png"
    assert found.items[0].read(16).shape == (16, 16)


def test_digest_is_of_the_content(image_folder: Path, tmp_path: Path) -> None:
    """A file's digest does not depend on where it lies."""
    original = open_folder(image_folder).items[0]
    shutil.copy(original.path, tmp_path / "elsewhere.png")
    assert open_folder(tmp_path).items[0].digest == original.digest


@pytest.mark.parametrize("files", [{}, {"text.png": b"none"}, {"readme.txt": b"text"}])
def test_folder_without_an_image_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    """A folder without a readable image is an error that names it."""
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DenobenchError, match="no readable image") as caught:
        open_folder(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    """A folder that is not there is named."""
    with pytest.raises(DenobenchError, match="does not exist"):
        open_folder(tmp_path / "gone")


def test_real_set_is_recognised(real_images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The brain-tumour set is found by folder, by its parent and by $DENOBENCH_DATA."""
    monkeypatch.delenv("DENOBENCH_DATA", raising=False)
    given = open_dataset("brain-tumor", real_images)
    assert len(given.items) == 253
    assert sum(item.label == "yes" for item in given.items) == 155
    assert open_dataset("brain-tumor", real_images.parent) == given
    monkeypatch.setenv("DENOBENCH_DATA", str(real_images))
    assert open_dataset("brain-tumor", None) == given


def test_altered_set_is_not_taken_for_the_real_one(real_images: Path, tmp_path: Path) -> None:
    """A set with one file missing is refused, with the file's name."""
    shutil.copytree(real_images, tmp_path / "set")
    (tmp_path / "set" / "yes" / "Y1.jpg").unlink()
    with pytest.raises(DenobenchError, match=r"yes/Y1\.jpg"):
        open_dataset("brain-tumor", tmp_path / "set")


def test_absent_set_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without folder, variable and download, the error names all three ways."""
    monkeypatch.delenv("DENOBENCH_DATA", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "kagglehub", None)
    with pytest.raises(DenobenchError, match="--data FOLDER") as caught:
        open_dataset("brain-tumor", None)
    assert "DENOBENCH_DATA" in str(caught.value)
    assert "denobench[download]" in str(caught.value)


def test_foreign_folder_is_not_the_real_set(image_folder: Path) -> None:
    """Other images under yes and no are not taken for the set."""
    with pytest.raises(DenobenchError, match="dataset: folder"):
        open_dataset("brain-tumor", image_folder)


def test_unknown_set_gets_a_suggestion() -> None:
    """A misspelt data set is answered with the closest."""
    with pytest.raises(DenobenchError, match="Did you mean 'simulated'"):
        open_dataset("simulatd", None)


def test_simulated_set_needs_nothing() -> None:
    """The default has 253 images, 155 with a tumour and 98 without."""
    found = open_dataset("simulated", None)
    assert len(found.items) == 253
    assert sum(item.label == "yes" for item in found.items) == 155
    assert "ranks nothing" in found.remark
