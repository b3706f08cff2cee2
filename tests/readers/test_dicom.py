"""DICOM as scanners write it: enhanced files, mosaics, echoes, positions that do not tell."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from nibabel.nicom import dicomwrappers
from pydicom.data import get_testdata_file
from scans import enhanced_mr, values

from denobench import readers
from denobench.errors import DenobenchError
from denobench.readers import File, Stack

MOSAIC = Path(nibabel.__file__).parent / "nicom" / "tests" / "data" / "siemens_dwi_1000.dcm.gz"


def read(*paths: Path) -> list[Stack]:
    return list(readers.read([File(path) for path in paths], "dicom"))


def slices(folder: Path, changes: list[dict[str, object]]) -> list[Path]:
    """Save slices of one series, the n-th of value n everywhere, with changed headers."""
    paths = []
    for number, change in enumerate(changes):
        found = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
        found.SOPInstanceUID = f"1.2.{number}"
        found.InstanceNumber = number + 1
        found.PixelData = np.full((64, 64), number, np.int16).tobytes()
        for name in ("SliceLocation",):
            if name in found:
                del found[name]
        for name, value in change.items():
            if value is None:
                delattr(found, name)
            else:
                setattr(found, name, value)
        if "Rows" in change:
            found.PixelData = np.full((change["Rows"], 64), number, np.int16).tobytes()
        paths.append(folder / f"{len(changes) - number:03d}.dcm")
        found.save_as(paths[-1])
    return paths


def order(stack: Stack) -> list[int]:
    return [int(each[0, 0]) for each in stack.load()]


def test_enhanced_frames_have_slopes_and_places_of_their_own(tmp_path: Path) -> None:
    """Every frame is multiplied by its slope, and frames are sorted by position."""
    enhanced_mr(slopes=(1.0, 0.5, 2.0)).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    (found,) = read(tmp_path / "a.dcm")
    np.testing.assert_array_equal(found.load(), np.stack([values()] * 3))
    assert found.spacing == (3.0, 1.5, 1.0)
    assert found.affine is not None
    np.testing.assert_allclose(found.affine[:3, 3], [0, 0, 3])


def test_a_mosaic_is_the_volume_of_its_tiles(tmp_path: Path) -> None:
    """48 tiles of a Siemens file are 48 slices, placed where nibabel places them."""
    found = pydicom.dcmread(io.BytesIO(gzip.decompress(MOSAIC.read_bytes())))
    side = found.Rows // 7
    tiles = np.arange(49, dtype=np.uint16).reshape(7, 7)
    found.PixelData = np.kron(tiles, np.ones((side, side), np.uint16)).tobytes()
    found.save_as(tmp_path / "m.dcm")
    (stack,) = read(tmp_path / "m.dcm")
    assert stack.shape == (48, 128, 128)
    wrapper = dicomwrappers.wrapper_from_data(found)
    expected = wrapper.affine  # of (column, row, slice), in DICOM's directions
    assert stack.affine is not None
    ours = stack.affine.copy()
    ours[:2] *= -1
    first = order(stack)[0]
    assert sorted(order(stack)) == [*range(48)]
    place = expected @ [0, 0, first, 1]
    np.testing.assert_allclose(ours @ [0, 0, 0, 1], place, atol=1e-3)
    np.testing.assert_allclose(np.abs(ours[:3, 0]), np.abs(expected[:3, 2]), atol=1e-3)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # Two echoes of one series: two volumes, the shorter echo first.
        (
            [{"ImagePositionPatient": [0, 0, z], "EchoTime": e} for z in (6, 3, 0) for e in (9, 2)],
            [[5, 3, 1], [4, 2, 0]],
        ),
        # Without positions the slice's location counts, and without that its number.
        ([{"ImagePositionPatient": None, "SliceLocation": z} for z in (6, 0, 3)], [[1, 2, 0]]),
        ([{"ImagePositionPatient": None} for _ in range(3)], [[0, 1, 2]]),
        ([{"ImagePositionPatient": [0, 0, 0]} for _ in range(3)], [[0, 1, 2]]),
        # One slice again and again is several volumes of one slice.
        (
            [{"ImagePositionPatient": [0, 0, 0], "SliceLocation": 7} for _ in range(3)],
            [[0], [1], [2]],
        ),
        # A duplicate of one position is a second volume, and all others the first.
        ([{"ImagePositionPatient": [0, 0, z]} for z in (0, 3, 3, 6)], [[0, 1, 3], [2]]),
        # Directions that tremble in the third decimal are one stack.
        (
            [
                {
                    "ImagePositionPatient": [0, 0, 3 * n],
                    "ImageOrientationPatient": [1, 0.0049 + 0.0002 * n, 0, 0, 1, 0],
                }
                for n in range(3)
            ],
            [[0, 1, 2]],
        ),
    ],
)
def test_what_makes_a_volume(
    tmp_path: Path, changes: list[dict[str, object]], expected: list[list[int]]
) -> None:
    """Echoes, missing and equal positions, duplicates: which slices are together, and how."""
    assert [order(stack) for stack in read(*slices(tmp_path, changes))] == expected


def test_copies_are_left_out_of_their_series(tmp_path: Path) -> None:
    """A file that lies there twice is one slice; an equal picture elsewhere is another."""
    changes: list[dict[str, object]] = [{"ImagePositionPatient": [0, 0, z]} for z in range(3)]
    paths = slices(tmp_path, changes)
    copies = [path.with_suffix(".copy") for path in paths[:2]]
    for path, copy in zip(paths, copies, strict=False):
        copy.write_bytes(path.read_bytes())
    (stack,) = read(*paths, *copies)
    assert order(stack) == [0, 1, 2]
    assert stack.left_out == tuple((n, "a copy of another image of its series") for n in (3, 4))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (-1, 2000), (0.5, -10)])
def test_padding_is_as_dark_as_the_darkest(
    tmp_path: Path, photometric: str, slope: float, intercept: float
) -> None:
    """Whatever turns values over, and whether its number is written with a sign or without."""
    found = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    pixels = found.pixel_array.copy()
    pixels[:6], pixels[6:9] = -2000, -1990
    found.PixelData, found.PhotometricInterpretation = pixels.tobytes(), photometric
    found.RescaleSlope, found.RescaleIntercept = str(slope), str(intercept)
    found.add_new("PixelPaddingValue", "US", 65536 - 2000)
    found.add_new("PixelPaddingRangeLimit", "SS", -1990)
    found.save_as(tmp_path / "a.dcm")
    (stack,) = read(tmp_path / "a.dcm")
    shown = stack.load()[0]
    raw = pixels[9:] if photometric == "MONOCHROME2" else -1 - pixels[9:].astype(int)
    np.testing.assert_allclose(shown[9:], raw * slope + intercept)
    assert (shown[:9] == shown[9:].min()).all()


@pytest.mark.parametrize("unused", ["zeros", "noise"])
def test_unused_low_bits_are_left_out(tmp_path: Path, unused: str) -> None:
    """Twelve bits in the upper part of sixteen, as old scanners wrote; or a wrong header."""
    found = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    pixels = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    found.PixelData = (pixels << 4 if unused == "zeros" else pixels).tobytes()
    found.BitsStored, found.HighBit, found.PixelRepresentation = 12, 15, 0
    found.save_as(tmp_path / "a.dcm")
    (stack,) = read(tmp_path / "a.dcm")
    np.testing.assert_array_equal(stack.load()[0], pixels)
    assert (stack.full, stack.mode) == (4095, "uint12")


def test_another_shape_is_left_out_of_its_series(tmp_path: Path) -> None:
    """A localiser among slices is named with its shape, and the others are a volume."""
    changes: list[dict[str, object]] = [{"ImagePositionPatient": [0, 0, z]} for z in range(3)]
    paths = slices(tmp_path, [*changes, {"Rows": 32}])
    (stack,) = read(*paths)
    assert order(stack) == [0, 1, 2]
    assert stack.left_out == (
        (3, "32x64 pixels, and the other images of its series have 64x64 (a localiser?)"),
    )


@pytest.mark.parametrize("lacking", ["Rows", "BitsAllocated"])
def test_a_header_without_what_pixels_need_says_what(tmp_path: Path, lacking: str) -> None:
    """Pixel data that nobody can lay out are refused with the element's name."""
    found = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    delattr(found, lacking)
    found.save_as(tmp_path / "a.dcm")
    with pytest.raises(DenobenchError, match=f"header lacks {lacking}"):
        read(tmp_path / "a.dcm")


@pytest.mark.parametrize(
    "lacking", ["PhotometricInterpretation", "SamplesPerPixel", "PixelRepresentation", "BitsStored"]
)
def test_what_can_only_mean_one_thing_is_taken_as_that(tmp_path: Path, lacking: str) -> None:
    """Old headers leave out what is usual; the pixels are those of the whole header."""
    found = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    expected = found.pixel_array
    delattr(found, lacking)
    found.PixelSpacing = [0, 0]
    found.save_as(tmp_path / "a.dcm")
    (stack,) = read(tmp_path / "a.dcm")
    np.testing.assert_array_equal(stack.load()[0], expected)
    assert stack.spacing is None


def test_empty_pixel_data_are_named(tmp_path: Path) -> None:
    """An element without a value is not taken for a fault of a decoder."""
    found = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    found.PixelData = b""
    found.save_as(tmp_path / "a.dcm")
    with pytest.raises(DenobenchError, match="pixel data are empty"):
        read(tmp_path / "a.dcm")
