"""Masks of a user's: found by name, read as the images are, refused where they do not fit."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from denobench.datasets import open_folder
from denobench.datasets.masks import with_masks
from denobench.errors import DenobenchError

RNG = np.random.default_rng(0)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three pictures, and masks of two of them: of another suffix, and with an ending."""
    for name in ("yes/Y1.jpg", "yes/Y 2.png", "no/n1.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(0, 255, (40, 60), np.uint8)).save(path)
    for name, rows in (("yes/Y1.png", 10), ("yes/y 2_mask.png", 20)):
        mask = np.zeros((40, 60), np.uint8)
        mask[:rows] = 255
        path = tmp_path / "masks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)
    return tmp_path


def test_pictures_have_the_masks_of_their_names(pictures: Path) -> None:
    """Suffix and ending may differ; an image without a mask is told, and not said to have none."""
    plain = open_folder(pictures / "images")
    found = with_masks(plain, pictures / "masks")
    by = {item.id: item for item in found.items}
    assert [by[name].outlined for name in ("yes/Y1.jpg", "yes/Y 2.png", "no/n1.png")] == [1, 1, 0]
    mask = by["yes/Y1.jpg"].mask()
    assert mask is not None
    assert mask.sum() == 10 * 60
    resized = by["yes/Y 2.png"].observe(20).tumour
    assert resized is not None
    assert (resized.shape, int(resized.sum())) == ((20, 20), 10 * 20)
    assert "1 of 3 images have no mask" in found.notes[-1]
    before = {item.id: item.reading for item in plain.items}
    assert by["yes/Y1.jpg"].reading != before["yes/Y1.jpg"]
    assert by["no/n1.png"].reading == before["no/n1.png"]


def test_masks_inside_the_images_folder_are_no_images(pictures: Path) -> None:
    """A folder of masks below that of the images takes nothing of them in."""
    (pictures / "masks").rename(pictures / "images" / "masks")
    (pictures / "images" / "masks" / "yes").rename(pictures / "images" / "masks" / "x")
    (pictures / "images" / "masks" / "x").rename(pictures / "images" / "masks" / "yes")
    found = with_masks(open_folder(pictures / "images"), pictures / "images" / "masks")
    assert {item.id for item in found.items} == {"yes/Y1.jpg", "yes/Y 2.png", "no/n1.png"}


def volume(path: Path, values: np.ndarray, flip: bool = False) -> None:
    """Write a NIfTI volume of 1 x 2 x 3 mm, stored from left to right or the other way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([-1.0 if flip else 1.0, 2.0, 3.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(values[::-1] if flip else values, affine), path)


def test_derivatives_are_those_of_their_subject(tmp_path: Path) -> None:
    """A BIDS mask belongs to the image whose entities it shares, slice by slice, turned alike."""
    truth = {}
    for subject in ("01", "02"):
        values = RNG.uniform(50, 100, (12, 14, 6)).astype(np.float32)
        mask = np.zeros(values.shape, np.uint8)
        mask[2:5, 3:9, int(subject) : 5] = 1
        volume(tmp_path / f"bids/sub-{subject}/anat/sub-{subject}_T1w.nii.gz", values)
        name = f"sub-{subject}_space-orig_label-lesion_mask.nii.gz"
        volume(tmp_path / f"lesions/sub-{subject}/anat/{name}", mask, flip=subject == "02")
        truth[subject] = mask
    (tmp_path / "lesions" / "dataset_description.json").write_text("{}")
    found = with_masks(open_folder(tmp_path / "bids"), tmp_path / "lesions")
    assert found.items
    total = {"01": 0, "02": 0}
    for item in found.items:
        mask = item.mask()
        assert mask is not None
        assert mask.shape == item.read().shape
        total[item.id[4:6]] += int(mask.sum())
    expected = {name: int(mask.sum()) for name, mask in truth.items()}
    assert total == {name: pytest.approx(count) for name, count in expected.items()}
    first = next(item for item in found.items if item.spacing_at(64))
    assert first.spacing_at(64) == (max(12, 28) / 64,) * 2


def test_masks_that_do_not_fit_are_named(pictures: Path) -> None:
    """Another shape, two of one image, none at all, no folder: one sentence each."""
    images = open_folder(pictures / "images")
    masks = pictures / "masks"
    with pytest.raises(DenobenchError, match="does not exist"):
        with_masks(images, pictures / "nowhere")
    with pytest.raises(DenobenchError, match="none has the name of an image, such as"):
        with_masks(images, _only(pictures / "others", "other.png"))
    Image.fromarray(np.zeros((40, 61), np.uint8)).save(masks / "yes" / "Y1.png")
    with pytest.raises(DenobenchError, match=r"Y1\.png: the mask has 40 x 61 pixels.*40 x 60"):
        with_masks(images, masks)
    Image.fromarray(np.zeros((40, 60), np.uint8)).save(masks / "yes" / "Y1_seg.png")
    with pytest.raises(DenobenchError, match=r"are both of the image yes/Y1\.jpg"):
        with_masks(images, masks)


def _only(folder: Path, name: str) -> Path:
    folder.mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / name)
    return folder
