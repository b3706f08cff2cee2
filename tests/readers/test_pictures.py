"""Reading real pictures, with real faults."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from denobench import readers
from denobench.datasets import Reading, open_folder
from denobench.errors import DenobenchError
from denobench.scale import Scale

RAMP = np.linspace(0, 255, 20 * 30).reshape(20, 30).astype(np.uint8)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA"])
@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg"])
def test_modes_of_one_grey_image_read_alike(tmp_path: Path, mode: str, suffix: str) -> None:
    """A grey image stored in any mode, under any suffix, reads as the same grey values."""
    path = tmp_path / f"a name with spaces{suffix}"
    Image.fromarray(RAMP).convert(mode).save(path, format="PNG")
    np.testing.assert_allclose(readers.image(path), RAMP / 255, atol=1e-6)


def test_sixteen_bits_keep_their_precision(tmp_path: Path) -> None:
    """A 16-bit file is scaled by 65535, not rounded to 8 bits."""
    values = np.linspace(0, 65535, 600).reshape(20, 30).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    np.testing.assert_allclose(readers.image(tmp_path / "deep.png"), values / 65535, atol=1e-7)


def test_colour_becomes_luma_as_in_opencv(tmp_path: Path) -> None:
    """Grey is BT.601 luma: within rounding of what OpenCV reads."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "colour.png")
    expected = cv2.imread(str(tmp_path / "colour.png"), cv2.IMREAD_GRAYSCALE) / 255
    np.testing.assert_allclose(readers.image(tmp_path / "colour.png"), expected, atol=1.01 / 255)


def test_transparency_is_composited_on_black(tmp_path: Path) -> None:
    """A transparent pixel is black, a half-transparent white one half grey."""
    pixels = np.full((16, 16, 4), 255, np.uint8)
    pixels[:, :8, 3] = 0
    pixels[:, 8:, 3] = 128
    Image.fromarray(pixels).save(tmp_path / "clear.png")
    read = readers.image(tmp_path / "clear.png")
    assert read[0, 0] == 0
    assert read[0, 15] == pytest.approx(128 / 255)


def test_real_set_is_read_whole(real_images: Path) -> None:
    """All 253 real files are read, within rounding of OpenCV wherever it drops no transparency."""
    paths = sorted(path for path in real_images.rglob("*") if path.is_file())
    assert len(paths) == 253
    worst = 0.0
    for path in paths:
        image = readers.image(path)
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
        readers.image(path)
    assert name in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A missing file gives an error with its name."""
    with pytest.raises(DenobenchError, match=r"gone\.png: no such file"):
        readers.image(tmp_path / "gone.png")


def test_float_out_of_range_is_refused(tmp_path: Path) -> None:
    """A float file whose full scale is not 1.0 is refused rather than guessed at."""
    Image.fromarray(np.full((16, 16), 300, np.float32)).save(tmp_path / "wide.tif")
    with pytest.raises(DenobenchError, match="outside the full scale"):
        readers.image(tmp_path / "wide.tif")


@pytest.mark.parametrize("values", [np.arange(-9, 7), np.arange(0, 16) * 9000])
def test_whole_numbers_without_a_full_scale_ask_for_one(tmp_path: Path, values: np.ndarray) -> None:
    """Signed or of 32 bits: they are not cut to 16 bits in silence, and a rule reads them."""
    stored = values.astype(np.int32).repeat(16).reshape(16, 16)
    tifffile.imwrite(tmp_path / "a.tif", stored)
    with pytest.raises(DenobenchError, match=r"no full scale; use scale: percentile:99\.9"):
        open_folder(tmp_path)
    (item,) = open_folder(tmp_path, Reading(scale=Scale.parse("max"))).items
    low = min(0, values.min())
    np.testing.assert_allclose(item.read(), (stored - low) / (values.max() - low), atol=1e-6)
