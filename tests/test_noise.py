"""Noise models against closed forms, and the noise's identity everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denobench import noise
from denobench.errors import DenobenchError
from denobench.noise import Noise, corrupt, draw_fields


def fields(count: int, shape: tuple[int, int] = (512, 512), **changes: object) -> np.ndarray:
    return draw_fields((count, *shape), **{"seed": 0, "image": "x", "realisation": 0, **changes})


@pytest.mark.parametrize(("level", "decibel"), [(0.03, 30.46), (0.09, 20.92), (0.15, 16.48)])
def test_gaussian_psnr_is_the_closed_form(level: float, decibel: float) -> None:
    """Unclipped Gaussian noise alone has a PSNR of -20 log10(sigma)."""
    image = np.full((512, 512), 0.5, np.float32)
    noisy = corrupt(image, noise.gaussian, level, fields(1))
    measured = -10 * np.log10(np.mean((noisy - image) ** 2))
    assert measured == pytest.approx(-20 * np.log10(level), abs=0.03)
    assert measured == pytest.approx(decibel, abs=0.03)


def test_gaussian_is_not_clipped_and_its_clipped_sibling_is() -> None:
    """The Gaussian model leaves [0, 1]; the clipped model is the same field, clipped."""
    image = np.zeros((64, 64), np.float32)
    drawn = fields(1, (64, 64))
    noisy = corrupt(image, noise.gaussian, 0.1, drawn)
    assert noisy.min() < 0
    clipped = corrupt(image, noise.gaussian_clipped, 0.1, drawn)
    np.testing.assert_array_equal(clipped, np.clip(noisy, 0, 1))


@pytest.mark.parametrize("level", [0.03, 0.1, 0.2])
def test_rician_background_is_rayleigh(level: float) -> None:
    """Where the image is black, Rician noise has mean 1.2533 sigma and SD 0.6551 sigma."""
    noisy = corrupt(np.zeros((512, 512), np.float32), noise.rician, level, fields(2))
    assert noisy.mean() == pytest.approx(1.2533 * level, rel=0.005)
    assert noisy.std() == pytest.approx(0.6551 * level, rel=0.005)


def test_rician_mean_square_is_the_closed_form() -> None:
    """The second moment of a Rician magnitude is A^2 + 2 sigma^2."""
    noisy = corrupt(np.full((512, 512), 0.3, np.float32), noise.rician, 0.1, fields(2))
    assert np.mean(noisy.astype(float) ** 2) == pytest.approx(0.3**2 + 2 * 0.1**2, rel=0.01)


def test_fields_are_pinned() -> None:
    """The same noise is drawn on every machine and with every version."""
    drawn = draw_fields((1, 2, 3), seed=0, image="pinned", realisation=0)
    expected = [
        0.37724046452299,
        -0.8309705795494242,
        0.07041177144040503,
        -0.3324192924265414,
        1.7770775511239998,
        1.9449084740714213,
    ]
    np.testing.assert_allclose(drawn.ravel(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "changes", [{"seed": 1}, {"image": "y"}, {"realisation": 1}, {"stream": "train"}]
)
def test_fields_differ(changes: dict[str, object]) -> None:
    """Another seed, image, realisation or stream draws another, uncorrelated field."""
    one, other = fields(1), fields(1, **changes)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.01


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_levels_are_paired(first: float, second: float) -> None:
    """Two levels of one realisation are the same field, scaled."""
    image = np.zeros((8, 8), np.float32)
    drawn = fields(1, (8, 8))
    one = corrupt(image, noise.gaussian, first, drawn) / first
    other = corrupt(image, noise.gaussian, second, drawn) / second
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_noise_is_written_as_it_is_read() -> None:
    """``MODEL:LEVEL`` is read and written alike."""
    assert Noise.parse("rician:0.09") == Noise("rician", 0.09)
    assert str(Noise("rician", 0.09)) == "rician:0.09"


@pytest.mark.parametrize("text", ["gaussian", "gaussian:", "gaussian:x", "gaussian:0", ":0.1"])
def test_malformed_noise_is_refused(text: str) -> None:
    """What is not of the form MODEL:LEVEL is refused with an example."""
    with pytest.raises(DenobenchError, match=r"gaussian:0\.1"):
        Noise.parse(text)


@pytest.mark.parametrize("count", [1, 5, 15, 25, 50, 254])
def test_fractions_are_printed_as_they_are_written(count: int) -> None:
    """A level of 8-bit images is read as a fraction, kept as a number, and written as it was."""
    found = noise.Noise.parse(f"gaussian: {count} / 255 ")
    assert found.level == count / 255
    assert str(found) == f"gaussian:{count}/255"
    assert noise.written(found.level) == f"{count}/255"
    assert noise.Noise("gaussian", found.level) == found


@pytest.mark.parametrize(
    ("text", "written"),
    [("0.1", "0.1"), ("1e-1", "0.1"), ("0.0588235", "0.0588235"), ("0.12345678", "0.12345678")],
)
def test_levels_are_written_in_full(text: str, written: str) -> None:
    """No digit of a level is lost where it is printed."""
    assert noise.written(noise.Noise.parse(f"rician:{text}").level) == written
