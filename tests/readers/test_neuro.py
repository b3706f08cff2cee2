"""Volumes of every kind: types, dimensions, pairs of files, and what is no volume."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel import ecat

from denobench import readers
from denobench.errors import DenobenchError
from denobench.readers import File, Stack

TESTS = Path(nibabel.__file__).parent
VALUES = np.random.default_rng(0).integers(0, 200, (9, 10, 12)).astype(np.int16)


def read(*paths: Path) -> list[Stack]:
    files = [File(path) for path in paths]
    return list(readers.read(files, readers.identify(files[0])))


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int8, np.uint16, np.int32, np.int64, np.uint64, np.float32, np.float64]
)
def test_every_real_type_reads_as_nibabel_does(tmp_path: Path, dtype: type) -> None:
    """Whole numbers of any width and floats."""
    image = nibabel.Nifti1Image((VALUES // 2).astype(dtype), np.eye(4), dtype=dtype)
    nibabel.save(image, tmp_path / "a.nii.gz")
    (found,) = read(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(found.load(), (VALUES // 2).T)


def test_complex_values_are_magnitudes_and_gaps_zeros(tmp_path: Path) -> None:
    """Of complex numbers the magnitude is read; NaN and infinity lie outside of a mask."""
    complex_ = (VALUES * np.exp(1j * VALUES)).astype(np.complex64)
    nibabel.save(nibabel.Nifti1Image(complex_, np.eye(4)), tmp_path / "c.nii")
    np.testing.assert_allclose(read(tmp_path / "c.nii")[0].load(), VALUES.T, rtol=1e-5)
    gaps = VALUES.astype(np.float32)
    gaps[:3], gaps[3] = np.nan, np.inf
    nibabel.save(nibabel.Nifti1Image(gaps, np.eye(4)), tmp_path / "n.nii")
    np.testing.assert_array_equal(read(tmp_path / "n.nii")[0].load()[..., :4], 0)


@pytest.mark.parametrize(
    ("shape", "stacks", "one"),
    [
        ((9, 10), 1, (1, 10, 9)),
        ((9, 10, 1), 1, (1, 10, 9)),
        ((9, 10, 12, 3), 3, (12, 10, 9)),
        ((9, 10, 12, 1, 2), 2, (12, 10, 9)),
        ((9, 10, 12, 2, 3), 6, (12, 10, 9)),
    ],
)
def test_any_number_of_dimensions(
    tmp_path: Path, shape: tuple[int, ...], stacks: int, one: tuple[int, ...]
) -> None:
    """A slice, a volume, or volumes along further axes, the fourth the fastest."""
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "a.nii")
    found = read(tmp_path / "a.nii")
    assert len(found) == stacks
    assert {stack.shape for stack in found} == {one}
    assert {stack.load().shape for stack in found} == {one}


@pytest.mark.parametrize(
    "kind",
    [
        nibabel.AnalyzeImage,
        nibabel.Spm99AnalyzeImage,
        nibabel.Spm2AnalyzeImage,
        nibabel.Nifti1Pair,
        nibabel.Nifti2Pair,
    ],
)
def test_pairs_of_files(tmp_path: Path, kind: type) -> None:
    """A header and its values, whoever wrote them; each alone says what is missing."""
    nibabel.save(kind(VALUES, np.eye(4)), tmp_path / "a.img")
    (found,) = read(tmp_path / "a.hdr", tmp_path / "a.img")
    np.testing.assert_array_equal(found.load(), VALUES.T)
    with pytest.raises(DenobenchError, match=r"put the \.img file beside it"):
        read(tmp_path / "a.hdr")
    with pytest.raises(DenobenchError, match=r"put the \.hdr file beside it"):
        read(tmp_path / "a.img")


def test_ecat_reads_as_nibabel_does() -> None:
    """A frame of a PET file."""
    path = TESTS / "tests" / "data" / "tinypet.v"
    (found,) = read(path)
    np.testing.assert_allclose(found.load().T, np.squeeze(ecat.load(path).get_fdata()))


def _colour(path: Path) -> None:
    pixels = np.zeros((9, 10, 12), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.save(nibabel.Nifti1Image(pixels, np.eye(4)), path / "a.nii.gz")


def _vectors(path: Path) -> None:
    field = nibabel.Nifti1Image(np.stack([VALUES] * 3, -1)[:, :, :, None], np.eye(4))
    field.header.set_intent("vector")
    nibabel.save(field, path / "warp.nii.gz")


def _cut(path: Path) -> None:
    image = nibabel.Nifti1Image(VALUES, np.eye(4)).to_bytes()
    (path / "a.nii.gz").write_bytes(gzip.compress(image)[:-40])


def _surface(path: Path) -> None:
    (path / "a.gii").write_text('<?xml version="1.0"?><GIFTI/>')


def _connectome(path: Path) -> None:
    image = nibabel.Nifti2Image(np.zeros((1, 1, 1, 1, 20, 30), np.float32), np.eye(4))
    image.header.set_intent("NIFTI_INTENT_CONNECTIVITY_DENSE_SERIES", allow_unknown=True)
    image.header["intent_code"] = 3002
    nibabel.save(image, path / "a.dtseries.nii")


def _nrrd(path: Path) -> None:
    (path / "a.nrrd").write_bytes(b"NRRD0004\ntype: short\n\n" + b"\1" * 500)


def _pickle(path: Path) -> None:
    (path / "a.pkl.gz").write_bytes(gzip.compress(b"\x80\x04\x95" + b"\xff" * 500))


def _netcdf(path: Path) -> None:
    from scipy.io import netcdf_file

    with netcdf_file(path / "a.nc", "w") as made:
        made.createDimension("time", 20)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_colour, r"colour \(RGB\)"),
        (_vectors, "a vector in every voxel"),
        (_cut, "truncated or damaged"),
        (_surface, "GIFTI, a surface"),
        (_connectome, "CIFTI: values on a surface"),
        (_nrrd, "an NRRD volume; convert it to NIfTI"),
        (_pickle, "a packed file of something else"),
        (_netcdf, "a NetCDF file without MINC's image"),
    ],
)
def test_what_is_no_volume_is_refused_in_a_sentence(tmp_path: Path, make, reason: str) -> None:
    """Colours, cut files, surfaces, formats of other tools: each with its reason."""
    make(tmp_path)
    (path,) = tmp_path.iterdir()
    with pytest.raises(DenobenchError, match=reason):
        readers.load(read(path)[0], File(path))
