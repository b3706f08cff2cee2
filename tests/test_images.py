"""Resizing, the foreground, and writing a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from denobench import images, readers
from denobench.errors import DenobenchError


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


@given(st.integers(1, 90), st.integers(1, 90), st.floats(0, 3), st.floats(-0.1, 0.3))
def test_outlines_are_closed_and_holes_filled(
    height: int, width: int, smoothness: float, threshold: float
) -> None:
    """Whatever the mask, it becomes what SciPy's closing by a diamond and filling make of it."""
    rng = np.random.default_rng(height * width)
    mask = ndimage.gaussian_filter(rng.standard_normal((height, width)), smoothness) > threshold
    radius = max(1, max(height, width) // 40)
    closed = ndimage.binary_closing(np.pad(mask, radius), iterations=radius)
    expected = ndimage.binary_fill_holes(closed[radius:-radius, radius:-radius])
    np.testing.assert_array_equal(images._filled(mask), expected)


def test_constant_image_is_all_foreground() -> None:
    """Without a background, everything counts as foreground."""
    assert images.foreground(np.zeros((32, 32), np.float32)).all()


def test_written_image_reads_back(tmp_path: Path) -> None:
    """Writing rounds to 8 bits and nothing else."""
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    images.write(tmp_path / "out.png", image)
    np.testing.assert_allclose(readers.image(tmp_path / "out.png"), image, atol=0.51 / 255)


def test_unknown_suffix_is_refused(tmp_path: Path) -> None:
    """Writing to a suffix without a format names suffixes that have one."""
    with pytest.raises(DenobenchError, match=r"\.png"):
        images.write(tmp_path / "out.xyz", np.zeros((16, 16), np.float32))
