"""Files in, files out: NIfTI keeps what it had, DICOM says what it is."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from scipy import ndimage

from denobench import api
from denobench.errors import DenobenchError

AFFINE = np.array([[0, 0, 2, -9], [-1, 0, 0, 5], [0, 1.5, 0, 3], [0, 0, 0, 1.0]])
CLEAN = 3000 * ndimage.gaussian_filter(np.random.default_rng(1).random((32, 30, 6)), 3.0) - 1200


def volume(path: Path, dtype: type, slope: float, intercept: float) -> np.ndarray:
    """Save a noisy volume and return its values."""
    values = CLEAN + 200 + 40 * np.random.default_rng(0).standard_normal(CLEAN.shape)
    stored = np.rint((values - intercept) / slope) if dtype is np.int16 else values
    image = nibabel.Nifti1Image(stored.astype(dtype), AFFINE)
    if dtype is np.int16:
        image.header.set_slope_inter(slope, intercept)
    image.header["descrip"] = b"as it was"
    nibabel.save(image, path)
    return nibabel.load(path).get_fdata()


@pytest.mark.parametrize(
    ("dtype", "slope", "intercept"), [(np.int16, 1, 0), (np.int16, 0.5, -100), (np.float32, 1, 0)]
)
def test_nifti_keeps_affine_header_and_scaling(
    tmp_path: Path, dtype: type, slope: float, intercept: float
) -> None:
    """Only the values change, and they come nearer to the truth."""
    before = volume(tmp_path / "in.nii.gz", dtype, slope, intercept)
    (written,) = api.denoise_file(tmp_path / "in.nii.gz", tmp_path / "out.nii.gz", "tv")
    assert written.estimated
    assert written.sigma == pytest.approx(40 / before.max(), rel=0.3)
    one, two = (nibabel.load(tmp_path / name) for name in ("in.nii.gz", "out.nii.gz"))
    np.testing.assert_array_equal(one.affine, two.affine)
    assert one.get_data_dtype() == two.get_data_dtype()
    assert (one.dataobj.slope, one.dataobj.inter) == (two.dataobj.slope, two.dataobj.inter)
    assert bytes(two.header["descrip"]).startswith(b"as it was")
    error = np.abs(two.get_fdata() - CLEAN - 200).mean()
    assert error < 0.7 * np.abs(before - CLEAN - 200).mean()


def test_dicom_series_becomes_a_derived_one(tmp_path: Path) -> None:
    """New UIDs, derived and secondary, what was done; patient, geometry and scaling as before."""
    (tmp_path / "in").mkdir()
    for number in range(3):
        source = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
        source.SOPInstanceUID = f"1.2.3.{number}"
        source.ImagePositionPatient = [0, 0, 5 * number]
        source.save_as(tmp_path / "in" / f"{number}.dcm")
    api.denoise_file(tmp_path / "in", tmp_path / "out", "tv", sigma=0.02)
    answers = [pydicom.dcmread(tmp_path / "out" / f"{number}.dcm") for number in range(3)]
    assert len({answer.SOPInstanceUID for answer in answers}) == 3
    assert {answer.SeriesInstanceUID for answer in answers} != {source.SeriesInstanceUID}
    assert len({answer.SeriesInstanceUID for answer in answers}) == 1
    for number, answer in enumerate(answers):
        assert answer.ImageType[:2] == ["DERIVED", "SECONDARY"]
        assert "tv, sigma 0.02" in answer.DerivationDescription
        assert answer.SourceImageSequence[0].ReferencedSOPInstanceUID == f"1.2.3.{number}"
        assert answer.file_meta.MediaStorageSOPInstanceUID == answer.SOPInstanceUID
        assert answer.PatientID == source.PatientID
        assert answer.ImagePositionPatient == [0, 0, 5 * number]
        assert answer.pixel_array.dtype == source.pixel_array.dtype
        assert not np.array_equal(answer.pixel_array, source.pixel_array)
        assert np.corrcoef(answer.pixel_array.ravel(), source.pixel_array.ravel())[0, 1] > 0.9


def test_sixteen_bits_in_sixteen_bits_out(tmp_path: Path) -> None:
    """A 16-bit picture stays one."""
    pixels = (np.random.default_rng(0).random((32, 32)) * 65535).astype(np.uint16)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    api.denoise_file(tmp_path / "in.png", tmp_path / "out.png", "identity")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), pixels)


def test_a_volume_is_not_written_as_a_picture(tmp_path: Path) -> None:
    """The target must be of the source's kind, and the error says which."""
    volume(tmp_path / "in.nii", np.int16, 1, 0)
    with pytest.raises(DenobenchError, match=r"end its name in \.nii\.gz"):
        api.denoise_file(tmp_path / "in.nii", tmp_path / "out.png", "tv")
