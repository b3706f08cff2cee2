"""Losses: closed forms, and that hidden pixels alone count where they should."""

from __future__ import annotations

import numpy as np
import pytest

from denobench.networks import losses

RNG = np.random.default_rng(0)


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def test_root_of_the_squared_error() -> None:
    """It is taken of each image apart, so that a noisy one does not outweigh a faint one."""
    target, output = drawn(3, 8, 6, 1), drawn(3, 8, 6, 1)
    expected = [np.sqrt(np.mean((a - b) ** 2)) for a, b in zip(target, output, strict=True)]
    np.testing.assert_allclose(losses.rmse(target, output), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("loss", "form"),
    [
        ("mse", lambda error: np.mean(error**2)),
        ("mae", lambda error: np.mean(np.abs(error))),
        ("rmse", lambda error: np.sqrt(np.mean(error**2))),
    ],
)
def test_hidden_pixels_alone_count(loss, form) -> None:
    """The loss is the form over hidden pixels; what stands at all others changes nothing."""
    noisy, output = drawn(2, 16, 16, 1), drawn(2, 16, 16, 1)
    hidden = (RNG.random(noisy.shape) < 0.1).astype(np.float32)
    calculate = losses.find(loss, "noise2void")
    assert callable(calculate)
    found = np.asarray(calculate(np.concatenate([noisy, hidden], -1), output))
    expected = [form((noisy - output)[n][hidden[n] == 1]) for n in range(2)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    other = np.where(hidden == 1, noisy, 1e3 * drawn(*noisy.shape))
    again = np.asarray(calculate(np.concatenate([other, hidden], -1), output))
    np.testing.assert_array_equal(again, found)


def test_without_hidden_pixels() -> None:
    """A square in which chance has hidden nothing asks for nothing."""
    target = np.concatenate([drawn(1, 4, 4, 1), np.zeros((1, 4, 4, 1), np.float32)], -1)
    for loss in ("mse", "mae", "rmse"):
        calculate = losses.find(loss, "noise2void")
        assert callable(calculate)
        assert float(calculate(target, drawn(1, 4, 4, 1))[0]) == pytest.approx(0, abs=2e-6)
