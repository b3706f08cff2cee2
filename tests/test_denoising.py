"""Files in, files out: NIfTI keeps what it had, DICOM says what it is."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image
from pydicom.data import get_testdata_file
from scans import enhanced_mr
from scipy import ndimage
from skimage import restoration

from denobench import api
from denobench.errors import DenobenchError
from denobench.progress import Silent

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


@pytest.mark.parametrize("method", ["median", "cae", "blind-first"])
def test_blind_methods_need_no_estimate(tmp_path: Path, method: str) -> None:
    """A black picture, in which no noise can be estimated, is denoised, and no sigma named."""
    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        "from denobench import denoiser\n"
        "@denoiser('blind-first', tracks=('blind', 'oracle'))\n"
        "def blind_first(noisy, sigma):\n"
        "    return noisy if sigma is None else noisy + 1\n"
    )
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(tmp_path / "in.png")
    paths = (tmp_path / "in.png", tmp_path / "out.png")
    (written,) = api.denoise_file(*paths, method, plugins=[plugin])
    assert (written.sigma, written.estimated) == (None, False)
    with pytest.raises(DenobenchError, match="give its sigma"):
        api.denoise_file(*paths, "tv")
    if method == "blind-first":
        (told,) = api.denoise_file(*paths, method, sigma=0.1, plugins=[plugin])
        assert told.sigma == 0.1
        assert np.asarray(Image.open(paths[1])).all()


def test_a_volume_is_not_written_as_a_picture(tmp_path: Path) -> None:
    """The target must be of the source's kind, and the error says which."""
    volume(tmp_path / "in.nii", np.int16, 1, 0)
    with pytest.raises(DenobenchError, match=r"end its name in \.nii\.gz"):
        api.denoise_file(tmp_path / "in.nii", tmp_path / "out.png", "tv")


def test_a_method_for_volumes_gets_the_volume(tmp_path: Path) -> None:
    """A 3-D method denoises each volume of a 4-D file at once, as its package does."""
    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        "from denobench import denoiser\n"
        "from skimage.restoration import denoise_tv_chambolle\n"
        "@denoiser('tv-volume', dims=3)\n"
        "def tv_volume(noisy, sigma):\n"
        "    return denoise_tv_chambolle(noisy, weight=sigma)\n"
    )
    rng = np.random.default_rng(0)
    values = (np.abs(CLEAN)[..., None] + 40 * rng.random((32, 30, 6, 2))).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, AFFINE), tmp_path / "in.nii")
    api.denoise_file(
        tmp_path / "in.nii", tmp_path / "out.nii", "tv-volume", sigma=0.05, plugins=[plugin]
    )
    answer, top = nibabel.load(tmp_path / "out.nii").get_fdata(), values.max()
    for number in range(2):
        noisy = (values[..., number].transpose(2, 0, 1) / top).astype(np.float32)
        expected = top * np.clip(restoration.denoise_tv_chambolle(noisy, weight=0.05), 0, 1)
        np.testing.assert_allclose(
            answer[..., number].transpose(2, 0, 1), expected, rtol=1e-5, atol=1e-3
        )


def test_folder_of_everything(tmp_path: Path) -> None:
    """Pictures, pages, volumes, arrays and pairs of files each become one of their kind.

    What is no image is named, and the others are denoised.
    """
    source = tmp_path / "in"
    (source / "sub").mkdir(parents=True)
    volume(source / "sub" / "a.nii.gz", np.int16, 0.5, -100)
    grey = (255 * np.abs(CLEAN[:, :, 0]) / 3000).astype(np.uint8)
    pages = [Image.fromarray(grey + number) for number in range(3)]
    pages[0].save(source / "pages.tif", save_all=True, append_images=pages[1:])
    pages[0].save(source / "sub" / "picture.png")
    pages[0].convert("RGB").save(source / "moving.webp")
    np.save(source / "array.npy", np.abs(CLEAN.T).astype(np.uint16))
    pair = nibabel.Spm2AnalyzeImage(np.abs(CLEAN).astype(np.int16), np.eye(4))
    nibabel.save(pair, source / "pair.hdr")
    nibabel.save(nibabel.MGHImage(CLEAN.astype(np.float32), AFFINE), source / "brain.mgz")
    (source / "broken.nii").write_bytes((source / "pair.hdr").read_bytes() + b"\0" * 10)
    said: list[str] = []
    watcher = Silent()
    watcher.say = said.append  # type: ignore[method-assign]
    api.denoise_file(source, tmp_path / "out", "gaussian-filter", sigma=0.05, watcher=watcher)
    written = {p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.glob("out/**/*.*")}
    assert written == {
        *("sub/a.nii.gz", "pages.tif", "sub/picture.png", "moving.webp.png", "array.npy"),
        *("pair.nii.gz", "brain.mgz"),
    }
    assert sorted(line.split(":")[0] for line in said) == [
        "Left out broken.nii",
        "Left out pair.mat",
    ]
    with Image.open(tmp_path / "out" / "pages.tif") as found:
        assert found.n_frames == 3
    one = nibabel.load(tmp_path / "out" / "brain.mgz")
    np.testing.assert_allclose(one.affine, AFFINE, atol=1e-4)
    assert nibabel.load(tmp_path / "out" / "pair.nii.gz").shape == CLEAN.shape
    assert np.load(tmp_path / "out" / "array.npy").dtype == np.uint16


def test_enhanced_frames_keep_their_own_slopes(tmp_path: Path) -> None:
    """Frames of one file with slopes of their own are denoised as values, and stored as before."""
    enhanced = enhanced_mr(slopes=(1.0, 0.5, 2.0))
    enhanced.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    api.denoise_file(tmp_path / "in.dcm", tmp_path / "out.dcm", "identity")
    answer = pydicom.dcmread(tmp_path / "out.dcm")
    np.testing.assert_array_equal(answer.pixel_array, enhanced.pixel_array)
    api.denoise_file(tmp_path / "in.dcm", tmp_path / "mean.dcm", "gaussian-filter", sigma=0.5)
    smooth = pydicom.dcmread(tmp_path / "mean.dcm").pixel_array.astype(float)
    means = [smooth[n].mean() * slope for n, slope in enumerate((1.0, 0.5, 2.0))]
    np.testing.assert_allclose(means, means[0], rtol=0.01)


def test_padding_and_negative_pictures_stay(tmp_path: Path) -> None:
    """MONOCHROME1 stays dark where there is more, and what pads an image is left alone."""
    source = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    source.PhotometricInterpretation = "MONOCHROME1"
    pixels = source.pixel_array.copy()
    pixels[:5] = -2000
    source.PixelPaddingValue = -2000
    source["PixelPaddingValue"].VR = "SS"
    source.PixelData = pixels.tobytes()
    source.save_as(tmp_path / "in.dcm")
    api.denoise_file(tmp_path / "in.dcm", tmp_path / "out.dcm", "gaussian-filter", sigma=0.05)
    answer = pydicom.dcmread(tmp_path / "out.dcm")
    assert answer.PhotometricInterpretation == "MONOCHROME1"
    assert (answer.pixel_array[:5] == -2000).all()
    both = answer.pixel_array[8:].ravel(), pixels[8:].ravel()
    assert np.corrcoef(*both)[0, 1] > 0.8


@pytest.mark.parametrize("name", ["MR_small_bigendian.dcm", "MR_small_jpeg_ls_lossless.dcm"])
def test_any_encoding_becomes_plain(tmp_path: Path, name: str) -> None:
    """Big-endian or compressed: the answer is that of the plain file, little-endian."""
    answers = []
    for source in ("MR_small.dcm", name):
        target = tmp_path / source
        api.denoise_file(get_testdata_file(source), target, "median")
        answers.append(pydicom.dcmread(target))
    assert {found.file_meta.TransferSyntaxUID for found in answers} == {"1.2.840.10008.1.2.1"}
    np.testing.assert_array_equal(*(found.pixel_array for found in answers))


def test_what_a_folder_holds_wrong_is_left_out(tmp_path: Path) -> None:
    """A cut volume, an archive, a picture without a scale are named; the others are denoised."""
    folder = tmp_path / "in"
    folder.mkdir()
    volume = np.random.default_rng(0).integers(0, 900, (12, 10, 8)).astype(np.int16)
    content = nibabel.Nifti1Image(volume, np.eye(4)).to_bytes()
    (folder / "cut.nii").write_bytes(content[:900])
    (folder / "good.nii").write_bytes(content)
    found = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    found.BitsAllocated = found.BitsStored = 32
    found.PixelData = np.arange(64 * 64, dtype="<i4").tobytes()
    found.save_as(folder / "deep.dcm")
    np.savez(folder / "a.npz", one=volume, two=volume)
    tifffile.imwrite(folder / "f.tif", volume[0].repeat(4, 0).astype(np.float32))
    heard: list[str] = []
    watcher = Silent()
    watcher.say = heard.append  # type: ignore[method-assign]
    written = api.denoise_file(folder, tmp_path / "out", "median", watcher=watcher)
    assert [each.target.name for each in written] == ["good.nii"]
    for name, why in (
        ("cut.nii", "truncated"), ("a.npz", "as .npy"), ("f.tif", "full scale"),
        ("deep.dcm", "these are int32"),
    ):  # fmt: skip
        (said,) = [text for text in heard if f"Left out {name}: " in text]
        assert why in said
