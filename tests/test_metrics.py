"""Metrics against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import metrics as reference

from denobench.errors import DenobenchError
from denobench.metrics import nrmse, psnr, score, ssim


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    image = rng.random((40, 48))
    return image, np.clip(image + 0.1 * rng.standard_normal(image.shape), 0, 1)


@given(st.integers(0, 1000))
def test_whole_image_scores_equal_scikit_image(seed: int) -> None:
    """PSNR, SSIM with Wang's settings and NRMSE equal scikit-image's to 1e-6."""
    image, denoised = pair(seed)
    expected = reference.peak_signal_noise_ratio(image, denoised, data_range=1)
    assert psnr(image, denoised) == pytest.approx(expected, abs=1e-6)
    expected = reference.structural_similarity(
        image,
        denoised,
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(image, denoised) == pytest.approx(expected, abs=1e-6)
    expected = reference.normalized_root_mse(image, denoised)
    assert nrmse(image, denoised) == pytest.approx(expected, abs=1e-6)


def test_foreground_scores_look_at_the_foreground_only() -> None:
    """Errors outside the mask do not count; inside, PSNR and NRMSE are those of the pixels."""
    image, denoised = pair(1)
    mask = np.zeros(image.shape, bool)
    mask[10:30, 10:30] = True
    outside = np.where(mask, denoised, 0.0)
    assert psnr(image, outside, mask) == pytest.approx(
        reference.peak_signal_noise_ratio(image[mask], denoised[mask], data_range=1), abs=1e-6
    )
    assert nrmse(image, outside, mask) == pytest.approx(
        reference.normalized_root_mse(image[mask], denoised[mask]), abs=1e-6
    )


def test_foreground_ssim_is_the_masked_mean_of_the_map() -> None:
    """SSIM on the foreground is the mean of scikit-image's full map over the mask."""
    image, denoised = pair(2)
    mask = np.zeros(image.shape, bool)
    mask[10:30, 10:30] = True
    _, full = reference.structural_similarity(
        image,
        denoised,
        data_range=1,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
    )
    assert ssim(image, denoised, mask) == pytest.approx(full[mask].mean(), abs=1e-6)


def test_equal_images_are_perfect() -> None:
    """An image compared with itself has infinite PSNR, SSIM 1 and NRMSE 0."""
    image, _ = pair(3)
    assert psnr(image, image) == float("inf")
    assert ssim(image, image) == pytest.approx(1)
    assert nrmse(image, image) == 0


def test_every_metric_is_taken_whole_and_on_the_foreground() -> None:
    """A score has a column for the whole image and one for the foreground."""
    image, denoised = pair(4)
    mask = image > 0.5
    assert set(score([psnr, ssim], image, denoised, mask)) == {
        "psnr",
        "psnr_foreground",
        "ssim",
        "ssim_foreground",
    }


def test_shapes_must_agree() -> None:
    """Images of two shapes are refused, not broadcast."""
    with pytest.raises(DenobenchError, match="one shape"):
        psnr(np.zeros((20, 20)), np.zeros((20, 21)))
