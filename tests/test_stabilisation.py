"""Variance stabilisation of Rician noise against scipy's Rice distribution and known noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from denobench import images, noise, stabilisation
from denobench.datasets import simulated


def expectation(signal: float, power: int) -> float:
    """Integrate a power of the transformed magnitude over scipy's Rice density, sigma 1."""
    law = stats.rice(signal)
    low, high = max(0.0, signal - 9), signal + 9
    return integrate.quad(
        lambda z: float(stabilisation.forward(np.array([z]), 1.0)[0]) ** power * law.pdf(z),
        low,
        high,
        epsabs=1e-5,
        limit=400,
    )[0]


@pytest.mark.parametrize("signal", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0, 14.0, 20.0])
def test_deviation_is_one_and_inverse_is_unbiased(signal: float) -> None:
    """For every signal the transform's deviation is near 1, and its mean is led back to it."""
    mean = expectation(signal, 1)
    deviation = np.sqrt(expectation(signal, 2) - mean**2)
    assert deviation == pytest.approx(1, abs=0.04)
    # At no signal the mean hardly depends on it: an error of 1e-5 in one is 0.01 in the other.
    assert stabilisation.inverse(np.array([mean]), 1.0)[0] == pytest.approx(
        signal, abs=0.03 if signal < 0.3 else 0.003
    )


def test_untransformed_deviation_is_not_one() -> None:
    """What is stabilised: the background's deviation is 0.655 of tissue's."""
    assert stats.rice(0).std() == pytest.approx(0.655, abs=0.001)
    assert stats.rice(10).std() == pytest.approx(1, abs=0.003)


def test_strong_signals_are_led_back_beyond_the_tables() -> None:
    """At signals of hundreds of sigma both directions go on without a break."""
    signal = np.linspace(10, 300, 500)
    values = stabilisation.forward(signal, 1.0)
    np.testing.assert_allclose(stabilisation.inverse(values, 1.0), signal, atol=0.06)
    assert (np.diff(values) > 0).all()


@given(st.floats(0.005, 1), st.lists(st.floats(0, 2), min_size=2, max_size=20, unique=True))
def test_both_directions_rise(sigma: float, magnitudes: list[float]) -> None:
    """A larger magnitude never gives a smaller value, nor a larger value a smaller signal."""
    values = stabilisation.forward(np.sort(magnitudes), sigma)
    assert (np.diff(values) >= 0).all()
    signals = stabilisation.inverse(values, sigma)
    assert (np.diff(signals) >= 0).all()
    assert signals.min() >= 0


@pytest.mark.parametrize("signal", [0.0, 0.1, 0.3, 0.8])
def test_averaging_gives_the_signal(signal: float) -> None:
    """The mean over a flat image, a perfect Gaussian method, finds the signal without bias."""
    level = 0.1
    flat = np.full((512, 512), signal, np.float32)
    fields = noise.draw_fields((2, 512, 512), seed=0, image="flat", realisation=0)
    noisy = noise.corrupt(flat, noise.rician, level, fields)

    def average(image: np.ndarray, sigma: float) -> np.ndarray:
        assert image.std() == pytest.approx(sigma, rel=0.04)
        return np.full_like(image, image.mean())

    answer = stabilisation.denoise(noisy, level, average)
    assert answer.mean() == pytest.approx(signal, abs=0.012 if signal == 0 else 0.002)
    assert noisy.mean() - signal > (0.1 if signal == 0 else 0.004)


@pytest.mark.parametrize("level", [0.03, 0.05, 0.09, 0.15])
def test_sigma_is_estimated_with_and_without_background(level: float) -> None:
    """On simulated slices the median error is at most 5 %, whole or cut to the inner head."""
    errors: dict[str, list[float]] = {"whole": [], "head": [], "uncorrected": []}
    for each in [s for s in simulated.slices() if s.part == "test"][:9]:
        image = simulated.read(each.index)[0]
        fields = noise.draw_fields((2, *image.shape), seed=0, image=each.name, realisation=0)
        noisy = noise.corrupt(image, noise.rician, level, fields)
        rows, columns = (np.nonzero(images.foreground(image).any(axis=axis))[0] for axis in (1, 0))
        head = tuple(
            slice(*np.quantile(places, [0.2, 0.8]).astype(int)) for places in (rows, columns)
        )
        errors["whole"].append(noise.rician.estimate(noisy) / level - 1)
        errors["head"].append(noise.rician.estimate(noisy[head]) / level - 1)
        errors["uncorrected"].append(noise.gaussian.estimate(noisy) / level - 1)
    assert abs(np.median(errors["whole"])) <= 0.05
    assert abs(np.median(errors["head"])) <= 0.05
    assert np.median(errors["uncorrected"]) < -0.1


@given(st.floats(0.05, 0.5))
def test_estimate_is_in_units_of_the_image(scale: float) -> None:
    """An image of another brightness has its sigma changed alike."""
    image = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    fields = noise.draw_fields((2, 64, 64), seed=0, image="ramp", realisation=0)
    noisy = noise.corrupt(image, noise.rician, 0.1, fields)
    expected = scale * stabilisation.estimate(noisy)
    assert stabilisation.estimate(scale * noisy) == pytest.approx(expected, rel=1e-3)


def test_image_without_noise_has_no_sigma() -> None:
    """A constant image has an estimate of 0, as a black one has."""
    for grey in (0.0, 0.5):
        image = np.full((32, 32), grey, np.float32)
        assert stabilisation.estimate(image) == pytest.approx(0, abs=1e-9)
