"""Real NIfTI and DICOM files, and what is made of them: encodings, series, 4-D, broken headers."""

from __future__ import annotations

import os
import time
from pathlib import Path

import gdcm
import h5py
import nibabel
import numpy as np
import pydicom
import pytest
import scans
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate

from denobench import readers
from denobench.datasets import Dataset, FileItem, Reading, open_folder, volumes
from denobench.datasets.audit import audit
from denobench.errors import DenobenchError
from denobench.readers import File
from denobench.scale import Scale

NIBABEL = Path(nibabel.__file__).parent / "tests" / "data"
VOLUME = np.random.default_rng(0).integers(0, 1000, (12, 16, 20)).astype(np.int16)
AFFINE = np.diag([2.0, 1.0, 1.5, 1.0])


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))


def stacks(path: Path) -> list[readers.Stack]:
    file = File(path)
    return list(readers.read([file], readers.identify(file)))


@pytest.mark.parametrize(
    "name",
    [
        "MR_small.dcm",
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
    ],
)
def test_encodings_of_one_image_read_alike(name: str) -> None:
    """Compressed or not, either byte order: the same values, spacing and place."""
    (found,) = stacks(Path(get_testdata_file(name)))
    (plain,) = stacks(Path(get_testdata_file("MR_small.dcm")))
    np.testing.assert_array_equal(found.load(), plain.load())
    assert found.spacing == plain.spacing
    np.testing.assert_array_equal(found.affine, plain.affine)


@pytest.mark.parametrize(
    "syntax",
    ["JPEGLosslessProcess14", "JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless",
     "RLELossless", "ImplicitVRLittleEndian"],
)  # fmt: skip
def test_encodings_by_gdcm_read_alike(tmp_path: Path, syntax: str) -> None:
    """Among them JPEG lossless, in which no file comes with pydicom."""
    reader, changed = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax()
    reader.SetFileName(str(get_testdata_file("MR_small.dcm")))
    assert reader.Read()
    changed.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
    changed.SetInput(reader.GetImage())
    assert changed.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(tmp_path / "a.dcm"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(changed.GetOutput())
    assert writer.Write()
    (plain,) = stacks(Path(get_testdata_file("MR_small.dcm")))
    np.testing.assert_array_equal(stacks(tmp_path / "a.dcm")[0].load(), plain.load())


def test_high_throughput_jpeg_2000_is_read(tmp_path: Path) -> None:
    """A file that OpenJPH has compressed holds the numbers that it was given."""
    found = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    found.Rows = found.Columns = 16
    found.PixelData = encapsulate([scans.HTJ2K])
    found["PixelData"].is_undefined_length = True
    found.file_meta.TransferSyntaxUID = pydicom.uid.HTJ2KLossless
    found.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(stacks(tmp_path / "a.dcm")[0].load()[0], scans.small())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("rtplan.dcm", "without pixel data"),
        ("SC_rgb_rle.dcm", "in colour"),
        ("MR_truncated.dcm", "truncated"),
        ("liver_1frame.dcm", "segmentation"),
        ("DICOMDIR", "the index of other files"),
    ],
)
def test_what_is_no_grey_image_says_why(name: str, reason: str) -> None:
    """Files without pixels, in colour, cut or of labels are named with the reason."""
    with pytest.raises(DenobenchError, match=reason):
        stacks(Path(get_testdata_file(name)))


def test_monochrome1_slope_and_sign_are_applied(tmp_path: Path) -> None:
    """MONOCHROME1 is turned over; slope and intercept make the values."""
    found = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    raw = found.pixel_array.astype(float)
    found.RescaleSlope, found.RescaleIntercept = 2, -100
    found.save_as(tmp_path / "a.dcm")
    np.testing.assert_allclose(stacks(tmp_path / "a.dcm")[0].load()[0], 2 * raw - 100)
    found.PhotometricInterpretation = "MONOCHROME1"
    found.RescaleSlope, found.RescaleIntercept = 1, 0
    found.save_as(tmp_path / "b.dcm")
    np.testing.assert_allclose(stacks(tmp_path / "b.dcm")[0].load()[0], -1 - raw)


def test_series_is_sorted_by_position_and_scaled_as_one(tmp_path: Path) -> None:
    """A series is one volume: one factor, 4 mm between slices; a localiser is named."""
    scans.series(tmp_path / "s")
    odd = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    odd.SeriesInstanceUID = "1.2.3"
    odd.set_pixel_data(np.zeros((32, 32), np.int16), "MONOCHROME2", 16)
    odd.save_as(tmp_path / "s" / "localiser.dcm")
    found = open_folder(tmp_path, Reading(empty=True))
    items = [item for item in found.items if isinstance(item, FileItem)]
    by_place = sorted(items, key=lambda item: item.index)
    assert [item.id for item in by_place] == [f"s/im{n}.dcm" for n in (5, 4, 3, 2, 1)]
    assert len({(item.low, item.high) for item in items}) == 1
    assert "32x32 pixels" in found.unreadable[0].reason
    assert found.unreadable[0].path == "s/localiser.dcm"
    assert found.clusters == "subjects"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "no suffix.bin"])
def test_nifti_reads_as_nibabel_does(tmp_path: Path, order: str, kind: type, name: str) -> None:
    """Either version and byte order, packed or not, under any name; slope and intercept count."""
    header = kind.header_class(endianness=order)  # type: ignore[attr-defined]
    image = kind(VOLUME, AFFINE, header)
    image.header.set_slope_inter(0.5, 10)
    nibabel.save(image, tmp_path / ("a.nii" if "bin" in name else name))
    if "bin" in name:
        (tmp_path / "a.nii").rename(tmp_path / name)
    (found,) = stacks(tmp_path / name)
    np.testing.assert_allclose(found.load().transpose(2, 1, 0), VOLUME * 0.5 + 10)
    assert found.spacing == pytest.approx((1.5, 1.0, 2.0))


@pytest.mark.parametrize(
    ("name", "count"),
    [("example4d.nii.gz", 2), ("anatomical.nii", 1), ("test.mgz", 2), ("tiny.mnc", 1),
     ("small.mnc", 1), ("minc2_4d.mnc", 2)],
)  # fmt: skip
def test_what_nibabel_reads_is_read(name: str, count: int) -> None:
    """NIfTI, MGH and both MINC versions of nibabel's own tests, 4-D ones volume by volume."""
    found = stacks(NIBABEL / name)
    assert len(found) == count
    values = nibabel.load(NIBABEL / name).get_fdata()
    own = found[-1].load()
    assert own.size * count == values.size
    assert own.max() == pytest.approx(
        (values[-1] if "minc2" in name else values[..., -1] if count > 1 else values).max()
    )


def test_planes_follow_the_affine(tmp_path: Path) -> None:
    """Whatever the storage order, axial slices run upwards with the nose up, right on the left."""
    canonical = nibabel.Nifti1Image(VOLUME, AFFINE)
    shapes = {"axial": (20, 16, 12), "coronal": (16, 20, 12), "sagittal": (12, 20, 16)}
    for number, turned in enumerate([canonical, turned_image(canonical)]):
        (tmp_path / str(number)).mkdir()
        nibabel.save(turned, tmp_path / str(number) / "a.nii.gz")
    for plane, (count, height, width) in shapes.items():
        one, two = (
            open_folder(tmp_path / name, Reading(plane=plane, empty=True, scale=Scale("max")))
            for name in "01"
        )
        assert len(one.items) == len(two.items) == count
        for first, second in zip(one.items, two.items, strict=True):
            np.testing.assert_array_equal(first.read(), second.read())
            assert first.read().shape == (height, width)
    axial = open_folder(tmp_path / "0", Reading(plane="axial", empty=True, scale=Scale("max")))
    np.testing.assert_allclose(
        axial.items[3].read() * VOLUME.max(), VOLUME[::-1, ::-1, 3].T, rtol=1e-5
    )


def turned_image(image: nibabel.Nifti1Image) -> nibabel.Nifti1Image:
    """Return the same volume, stored in another order."""
    return image.as_reoriented(np.array([[2, -1], [0, 1], [1, -1]]))


def test_physical_shape_is_kept(tmp_path: Path) -> None:
    """Voxels that are not square keep their shape in a square: the rest is black."""
    nibabel.save(nibabel.Nifti1Image(VOLUME + 500, AFFINE), tmp_path / "a.nii")
    (item, *_) = open_folder(tmp_path, Reading(plane="axial")).items
    image = item.read(64)
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    # 16 rows of 1 mm and 12 columns of 2 mm.
    assert (len(rows), len(columns)) == (round(64 * 16 / 24), 64)


def test_volumes_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second listing, and every slice, come from the cache."""
    nibabel.save(nibabel.Nifti1Image(VOLUME, AFFINE), tmp_path / "a.nii.gz")
    calls: list[str] = []
    reading = readers.read
    monkeypatch.setattr(readers, "read", lambda *given: calls.append("") or reading(*given))
    for _ in range(2):
        for item in open_folder(tmp_path).items:
            item.read()
    assert len(calls) == 1


def test_decoded_volumes_are_forgotten(tmp_path: Path, program) -> None:
    """What was not used for a month goes when another volume is decoded; all goes when asked."""
    for name in "ab":
        nibabel.save(nibabel.Nifti1Image(VOLUME + ord(name), AFFINE), tmp_path / f"{name}.nii")
    open_folder(tmp_path / "a.nii")
    ((old, size, _),) = volumes.kept()
    assert size > VOLUME.nbytes
    month_ago = time.time() - 86400 * (volumes.UNUSED_DAYS + 1)
    for path in old.iterdir():
        os.utime(path, (month_ago, month_ago))
    open_folder(tmp_path / "a.nii")  # used again, and therefore kept
    open_folder(tmp_path / "b.nii")
    assert len(volumes.kept()) == 2
    for path in old.iterdir():
        os.utime(path, (month_ago, month_ago))
    nibabel.save(nibabel.Nifti1Image(VOLUME + 3, AFFINE), tmp_path / "c.nii")
    open_folder(tmp_path / "c.nii")
    assert len(volumes.kept()) == 2
    assert not old.exists()
    shown = program("clean", "--cache")
    assert "2 decoded files and series" in shown.stdout
    assert program("clean", "--cache", "--yes").returncode == 0
    assert volumes.kept() == []
    assert program("clean").returncode == 2


def test_arrays_and_fastmri(tmp_path: Path) -> None:
    """.npy, .npz, HDF5 as fastMRI has it; k-space alone and objects say what is wrong."""
    np.save(tmp_path / "a.npy", VOLUME)
    np.savez(tmp_path / "b.npz", one=VOLUME[0], two=VOLUME[1])
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file["kspace"] = np.zeros((3, 16, 16), np.complex64)
        file["reconstruction_rss"] = VOLUME.astype(np.float32)
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["kspace"] = np.zeros((3, 16, 16), np.complex64)
    objects = np.array([{}], object)
    np.save(tmp_path / "e.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "f.npz", about=objects, image=VOLUME[0])
    gaps = VOLUME[0].astype(np.float32)
    gaps[:3], gaps[3] = np.nan, np.inf
    np.save(tmp_path / "g.npy", gaps)
    found = open_folder(tmp_path, Reading(empty=True))
    assert len(found.items) == 12 + 2 + 12 + 1 + 1
    assert not next(item for item in found.items if item.id == "g.npy").read()[:4].any()
    reasons = {each.path: each.reason for each in found.unreadable}
    assert "k-space" in reasons["d.h5"]
    assert "Python objects" in reasons["e.npy"]


def test_volumes_of_one_archive_are_told_apart(tmp_path: Path) -> None:
    """By their arrays' names, in ids and in the audit; a page may be called as another file is."""
    np.savez(tmp_path / "a.npz", clean=VOLUME, noisy=VOLUME + 1)
    np.save(tmp_path / "b.npy", VOLUME)
    np.save(tmp_path / "b.npy#07", VOLUME[0] + 2)
    os.rename(tmp_path / "b.npy#07.npy", tmp_path / "b.npy#07")
    ids = [item.id for item in open_folder(tmp_path, Reading(empty=True)).items]
    assert {"a.npz#clean-01", "a.npz#noisy-12", "b.npy#07"} < {*ids}
    assert len(ids) == len({*ids}) == 12 * 3 + 1
    assert [each.id for each in audit(tmp_path).files] == [
        item.id for item in open_folder(tmp_path).items
    ]


def clusters_by_folder(found: Dataset) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for item in found.items:
        names.setdefault(item.id.split("/")[0], set()).add(item.cluster)
    return names


def test_subjects_are_clusters_and_never_names(tmp_path: Path) -> None:
    """BIDS and PatientID tell the subject; the cluster's name tells nothing of it."""
    for subject in ("01", "02"):
        folder = tmp_path / "bids" / f"sub-{subject}" / "anat"
        folder.mkdir(parents=True)
        for run in (1, 2):
            values = VOLUME + int(subject) * 10 + run
            nibabel.save(
                nibabel.Nifti1Image(values, AFFINE), folder / f"sub-{subject}_run-{run}_T1w.nii.gz"
            )
    found = open_folder(tmp_path / "bids")
    names = clusters_by_folder(found)
    assert {len(each) for each in names.values()} == {1}
    assert names["sub-01"] != names["sub-02"]
    assert found.clusters == "subjects"
    assert {item.label for item in found.items} == {""}
    for number, patient in enumerate(["SECRET1", "SECRET1", "SECRET2"]):
        scans.series(tmp_path / "dicom" / str(number), 2, patient, f"1.2.{number}")
    names = clusters_by_folder(open_folder(tmp_path / "dicom", Reading(empty=True)))
    assert names["0"] == names["1"] != names["2"]
    assert "SECRET" not in repr(names)
    level = clusters_by_folder(open_folder(tmp_path / "bids", Reading(subjects=1)))
    assert {len(each) for each in level.values()} == {1}


def test_scale_rules() -> None:
    """Each rule's values that become 0 and 1; what is no rule is refused with the right ones."""
    values = np.arange(1001.0)
    assert Scale.parse("max").limits(values, None) == (0, 1000)
    assert Scale.parse("percentile:99").limits(values, None) == pytest.approx((0, 990))
    assert Scale.parse([5, 50]).limits(values, None) == (5, 50)
    assert Scale.parse("type").limits(values.astype(np.uint16), 65535) == (0, 65535)
    for wrong in ("percentile", "percentile:1000", "min", [3, 1], [1], 7, True):
        with pytest.raises(DenobenchError, match=r"percentile:99\.9 or \[low, high\]"):
            Scale.parse(wrong)  # type: ignore[arg-type]


def test_truncated_values_are_the_file_s_fault(tmp_path: Path) -> None:
    """A volume whose header is whole and whose values are cut is named, and the others are used."""
    content = nibabel.Nifti1Image(VOLUME, AFFINE).to_bytes()
    (tmp_path / "cut.nii").write_bytes(content[:2000])
    (tmp_path / "whole.nii").write_bytes(content)
    found = open_folder(tmp_path)
    assert {item.id.split("#")[0] for item in found.items} == {"whole.nii"}
    assert "truncated" in found.unreadable[0].reason
