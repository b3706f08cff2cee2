"""HaarPSI and GMSD against slow references written from the papers' formulas, pixel by pixel."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from denobench.metrics import gmsd, haarpsi, haarpsi_med


def pair(seed: int, shape: tuple[int, int] = (24, 28)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    image = np.cumsum(rng.normal(0, 0.1, shape), axis=1) % 1
    return image, np.clip(image + 0.1 * rng.standard_normal(shape), 0, 1)


def halve(image: np.ndarray) -> np.ndarray:
    return np.array([[255 * image[i : i + 2, j : j + 2].mean() for j in range(0, image.shape[1], 2)]
                     for i in range(0, image.shape[0], 2)])  # fmt: skip


def respond(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the sums of kernel times pixels around each pixel, black beyond the border."""
    found = np.zeros(image.shape)
    up, left = kernel.shape[0] // 2, kernel.shape[1] // 2
    for (i, j), (k, m) in product(np.ndindex(image.shape), np.ndindex(kernel.shape)):
        row, column = i + k - up, j + m - left
        if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
            found[i, j] += kernel[k, m] * image[row, column]
    return found


def similar(a: np.ndarray, b: np.ndarray, constant: float) -> np.ndarray:
    return (2 * a * b + constant) / (a**2 + b**2 + constant)


def slow_haarpsi(
    image: np.ndarray, denoised: np.ndarray, mask: np.ndarray, c: float, alpha: float
) -> float:
    one, other = halve(image), halve(denoised)
    top = bottom = 0.0
    for vertical in (True, False):
        found = []
        for scale in (1, 2, 3):
            kernel = np.ones((2**scale, 2**scale)) / 2**scale
            kernel[2 ** (scale - 1) :] *= -1
            kernel = kernel if vertical else kernel.T
            found.append([abs(respond(each, kernel)) for each in (one, other)])
        for place in zip(*np.nonzero(mask[::2, ::2]), strict=True):
            values = [similar(a[place], b[place], c**2) for a, b in found[:2]]
            weight = max(found[2][0][place], found[2][1][place])
            top += weight / (1 + np.exp(-alpha * sum(values) / 2))
            bottom += weight
    share = top / bottom
    return (np.log(share / (1 - share)) / alpha) ** 2


def slow_gmsd(image: np.ndarray, denoised: np.ndarray, mask: np.ndarray) -> float:
    across = np.array([[1, 0, -1]] * 3) / 3
    one, other = (
        np.sqrt(respond(each, across) ** 2 + respond(each, across.T) ** 2)
        for each in (halve(image), halve(denoised))
    )
    values = similar(one, other, 170)[mask[::2, ::2]]
    return np.sqrt(np.mean((values - values.mean()) ** 2))


@pytest.mark.parametrize("seed", [0, 1])
def test_haarpsi_is_the_papers(seed: int) -> None:
    """Both sets of constants give what the paper's formulas give, whole and on the foreground."""
    image, denoised = pair(seed)
    whole, mask = np.ones(image.shape, bool), image > 0.4
    for metric, c, alpha in ((haarpsi, 30, 4.2), (haarpsi_med, 5, 4.9)):
        expected = slow_haarpsi(image, denoised, whole, c, alpha)
        assert metric(image, denoised) == pytest.approx(expected, abs=1e-10)
        expected = slow_haarpsi(image, denoised, mask, c, alpha)
        assert metric(image, denoised, mask) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("seed", [0, 1])
def test_gmsd_is_the_papers(seed: int) -> None:
    """The deviation is what the paper's formulas give, whole and on the foreground."""
    image, denoised = pair(seed)
    whole, mask = np.ones(image.shape, bool), image > 0.4
    assert gmsd(image, denoised) == pytest.approx(slow_gmsd(image, denoised, whole), abs=1e-12)
    expected = slow_gmsd(image, denoised, mask)
    assert gmsd(image, denoised, mask) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=10)
@given(*[arrays(np.float64, (17, 21), elements=st.floats(0, 1, width=32))] * 2)
def test_scores_keep_to_their_range(one: np.ndarray, other: np.ndarray) -> None:
    """Any two images score in [0, 1], alike either way round; equal ones are the best."""
    for metric, best in ((haarpsi, 1), (haarpsi_med, 1), (gmsd, 0)):
        assert -1e-12 <= metric(one, other) <= 1 + 1e-12
        assert metric(one, other) == pytest.approx(metric(other, one), abs=1e-12)
        assert metric(one, one) == pytest.approx(best, abs=1e-9)


def test_scores_fall_with_the_noise(photograph: np.ndarray) -> None:
    """More noise is worse, and the medical constants are the more severe."""
    field = np.random.default_rng(0).standard_normal(photograph.shape)
    noisy = [np.clip(photograph + level * field, 0, 1) for level in (0.02, 0.05, 0.1, 0.2)]
    for metric, order in ((haarpsi, -1), (haarpsi_med, -1), (gmsd, 1)):
        found = [order * metric(photograph, each) for each in noisy]
        assert found == sorted(found)
    assert all(haarpsi_med(photograph, each) < haarpsi(photograph, each) for each in noisy)
