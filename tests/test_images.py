"""Reading real files, with real faults."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from denobench import images
from denobench.errors import DenobenchError

RAMP = np.linspace(0, 255, 20 * 30).reshape(20, 30).astype(np.uint8)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA"])
@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg"])
def test_modes_of_one_grey_image_read_alike(tmp_path: Path, mode: str, suffix: str) -> None:
    """A grey image stored in any mode, under any suffix, reads as the same grey values."""
    path = tmp_path / f"a name with spaces{suffix}"
    Image.fromarray(RAMP).convert(mode).save(path, format="PNG")
    np.testing.assert_allclose(images.read(path), RAMP / 255, atol=1e-6)


def test_sixteen_bits_keep_their_precision(tmp_path: Path) -> None:
    """A 16-bit file is scaled by 65535, not rounded to 8 bits."""
    values = np.linspace(0, 65535, 600).reshape(20, 30).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    np.testing.assert_allclose(images.read(tmp_path / "deep.png"), values / 65535, atol=1e-7)


def test_colour_becomes_luma_as_in_opencv(tmp_path: Path) -> None:
    """Grey is BT.601 luma: within rounding of what OpenCV reads."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "colour.png")
    expected = cv2.imread(str(tmp_path / "colour.png"), cv2.IMREAD_GRAYSCALE) / 255
    np.testing.assert_allclose(images.read(tmp_path / "colour.png"), expected, atol=1.01 / 255)


def test_transparency_is_composited_on_black(tmp_path: Path) -> None:
    """A transparent pixel is black, a half-transparent white one half grey."""
    pixels = np.full((16, 16, 4), 255, np.uint8)
    pixels[:, :8, 3] = 0
    pixels[:, 8:, 3] = 128
    Image.fromarray(pixels).save(tmp_path / "clear.png")
    read = images.read(tmp_path / "clear.png")
    assert read[0, 0] == 0
    assert read[0, 15] == pytest.approx(128 / 255)


def test_real_set_is_read_whole(real_images: Path) -> None:
    """All 253 real files are read, within rounding of OpenCV wherever it drops no transparency."""
    paths = sorted(path for path in real_images.rglob("*") if path.is_file())
    assert len(paths) == 253
    worst = 0.0
    for path in paths:
        image = images.read(path)
        assert image.dtype == np.float32
        assert image.ndim == 2
        with Image.open(path) as file:
            if file.mode in ("L", "RGB"):
                expected = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) / 255
                worst = max(worst, float(np.abs(image - expected).mean()))
    # OpenCV takes the luma that a JPEG stores, which differs where its colours are out of range.
    assert worst < 1 / 255


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.png", b"", "not an image"),
        ("text.jpg", b"this is no image", "not an image"),
        ("cut.png", None, "cannot be read"),
    ],
)
def test_faulty_files_are_named_with_the_cause(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    """An empty, a foreign and a truncated file each give an error with name and cause."""
    path = tmp_path / name
    if content is None:
        Image.fromarray(np.tile(RAMP, (8, 8))).save(path)
        content = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(content)
    with pytest.raises(DenobenchError, match=reason) as caught:
        images.read(path)
    assert name in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A missing file gives an error with its name."""
    with pytest.raises(DenobenchError, match=r"gone\.png: no such file"):
        images.read(tmp_path / "gone.png")


def test_float_out_of_range_is_refused(tmp_path: Path) -> None:
    """A float file whose full scale is not 1.0 is refused rather than guessed at."""
    Image.fromarray(np.full((16, 16), 300, np.float32)).save(tmp_path / "wide.tif")
    with pytest.raises(DenobenchError, match="outside the full scale"):
        images.read(tmp_path / "wide.tif")


@given(st.integers(16, 60), st.integers(16, 60))
def test_resize_keeps_range_and_mean(height: int, width: int) -> None:
    """Resizing to a square stays within the image's range."""
    rng = np.random.default_rng(height * width)
    image = rng.random((height, width)).astype(np.float32)
    resized = images.resize(image, 32)
    assert resized.shape == (32, 32)
    assert image.min() - 1e-6 <= resized.min()
    assert resized.max() <= image.max() + 1e-6


def test_native_size_keeps_the_pixels() -> None:
    """No size, no change."""
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    assert images.resize(image, None) is image


def test_foreground_finds_a_disc_with_a_hole() -> None:
    """The head's mask is the bright region with its dark inside filled."""
    y, x = np.mgrid[:128, :128]
    radius = np.hypot(y - 64, x - 64)
    image = np.where(radius < 40, 0.6, 0.02).astype(np.float32)
    image[radius < 10] = 0.05
    mask = images.foreground(image)
    disc = radius < 40
    overlap = (mask & disc).sum() / (mask | disc).sum()
    assert overlap > 0.93
    assert mask[64, 64]


def test_constant_image_is_all_foreground() -> None:
    """Without a background, everything counts as foreground."""
    assert images.foreground(np.zeros((32, 32), np.float32)).all()


def test_written_image_reads_back(tmp_path: Path) -> None:
    """Writing rounds to 8 bits and nothing else."""
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    images.write(tmp_path / "out.png", image)
    np.testing.assert_allclose(images.read(tmp_path / "out.png"), image, atol=0.51 / 255)


def test_unknown_suffix_is_refused(tmp_path: Path) -> None:
    """Writing to a suffix without a format names suffixes that have one."""
    with pytest.raises(DenobenchError, match=r"\.png"):
        images.write(tmp_path / "out.xyz", np.zeros((16, 16), np.float32))
