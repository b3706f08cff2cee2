"""Scores without a reference, beside what a reference says."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
from skimage import data

from denobench import metrics

CLEAN = data.camera()[::2, ::2].astype(np.float64) / 255
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("sigma", [0.05, 0.1])
def test_sure_is_the_psnr_that_a_reference_gives(width: float, sigma: float) -> None:
    """For Gaussian noise SURE is within 0.3 dB of the truth, for blurs whose trace is known too."""
    noisy = CLEAN + sigma * RNG.standard_normal(CLEAN.shape)
    probe = RNG.standard_normal(CLEAN.shape)
    answer = scipy.ndimage.gaussian_filter(noisy, width)
    divergence = probe * scipy.ndimage.gaussian_filter(probe, width)
    known = {"noisy": noisy, "sigma": sigma, "divergence": divergence}
    (found,) = metrics.sure_psnr.over([None], None, answer, known)
    assert found == pytest.approx(-10 * np.log10(np.mean((answer - CLEAN) ** 2)), abs=0.3)


def test_white_residuals_are_told_from_structured_ones() -> None:
    """White noise taken away has hardly any autocorrelation; a blur takes structure away."""
    noisy = CLEAN + 0.05 * RNG.standard_normal(CLEAN.shape)
    (white,) = metrics.residual_whiteness.over([None], None, CLEAN, {"noisy": noisy})
    blurred = scipy.ndimage.gaussian_filter(noisy, 4)
    (structured,) = metrics.residual_whiteness.over([None], None, blurred, {"noisy": noisy})
    assert white < 0.02
    assert structured > 0.3


def test_noise_left_in_the_background() -> None:
    """Of a halved background half is left; an image without a background has no such score."""
    y, x = np.mgrid[:96, :96]
    head = (np.hypot(y - 48, x - 48) < 30).astype(float) * 0.7
    noisy = head + 0.05 * RNG.standard_normal(head.shape)
    answer = np.where(head > 0, head, noisy / 2)
    (found,) = metrics.background_noise.over([None], None, answer, {"noisy": noisy})
    assert found == pytest.approx(0.5, abs=0.02)


def test_flattened_edges_are_less_sharp() -> None:
    """The noisy image itself is as sharp as it is; a blur is less so."""
    noisy = CLEAN + 0.02 * RNG.standard_normal(CLEAN.shape)
    (same,) = metrics.edge_sharpness.over([None], None, noisy, {"noisy": noisy})
    blurred = scipy.ndimage.gaussian_filter(noisy, 2)
    (less,) = metrics.edge_sharpness.over([None], None, blurred, {"noisy": noisy})
    assert same == pytest.approx(1)
    assert less < 0.8


def test_scores_with_a_reference_are_missing_without() -> None:
    """Without a reference PSNR is no number, and the estimates are there."""
    noisy = (CLEAN + 0.05 * RNG.standard_normal(CLEAN.shape)).astype(np.float32)
    mask = np.ones(CLEAN.shape, bool)
    found = metrics.score(
        [metrics.psnr, metrics.residual_whiteness], None, CLEAN, mask, noisy=noisy
    )
    assert {*found.values} == {"residual-whiteness", "residual-whiteness_foreground"}
