"""Metrics against scikit-image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import metrics as reference

from denobench import metrics
from denobench.errors import DenobenchError
from denobench.metrics import Metric, metric, nrmse, psnr, score, ssim


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
    assert set(score([psnr, ssim], image, denoised, mask).values) == {
        "psnr",
        "psnr_foreground",
        "ssim",
        "ssim_foreground",
    }


def test_shapes_must_agree() -> None:
    """Images of two shapes are refused, not broadcast."""
    with pytest.raises(DenobenchError, match="one shape"):
        psnr(np.zeros((20, 20)), np.zeros((20, 21)))


OWN = [each for each in vars(metrics).values() if isinstance(each, Metric)]


@pytest.mark.parametrize("own", OWN, ids=lambda own: own.name)
def test_a_map_is_computed_once_for_both_regions(own: Metric) -> None:
    """Each metric of ours measures once, and gives the very numbers of a call per region."""
    image, denoised = pair(5)
    tumour = np.zeros(image.shape, np.uint8)
    tumour[10:20, 10:20] = 1
    known = {"noisy": denoised + 0.01, "tumour": tumour, "sigma": 0.1}
    known["divergence"] = np.full(image.shape, 0.5)
    calls = []

    def counting(*given: np.ndarray, **more: np.ndarray) -> object:
        calls.append(given)
        return own.measure(*given, **more)

    found = score([replace(own, measure=counting)], image, denoised, image > 0.5, **known).values
    assert len(calls) == 1
    regions = {own.name: None, **({f"{own.name}_foreground": image > 0.5} if own.regions else {})}
    for name, mask in regions.items():  # a score that the image cannot have is left out
        np.testing.assert_equal(found.get(name, np.nan), own(image, denoised, mask, **known))


@metric("raises", title="Raises")
def raises(image: np.ndarray, denoised: np.ndarray, mask: np.ndarray | None) -> float:
    raise ValueError("no \x1b[31m such thing")


@metric("leaves", title="Leaves")
def leaves(image: np.ndarray, denoised: np.ndarray, mask: np.ndarray | None) -> float:
    raise SystemExit(3)


@metric("writes", title="Writes")
def writes(image: np.ndarray, denoised: np.ndarray, mask: np.ndarray | None) -> float:
    denoised[:] = image
    return 0.0


@metric("returns", title="Returns")
def returns(image: np.ndarray, denoised: np.ndarray, mask: np.ndarray | None) -> str:
    return "good"


def test_a_metric_that_fails_costs_its_own_score_alone() -> None:
    """Whatever a stranger's metric does, the others have theirs, and its reason is kept."""
    image, denoised = pair(6)
    found = score([raises, leaves, writes, returns, psnr], image, denoised, image > 0.5)
    assert found.values["psnr"] == psnr(image, denoised)
    assert {*found.values} == {"psnr", "psnr_foreground"}
    assert found.missing["raises"] == r"ValueError: no \x1b[31m such thing"
    assert "SystemExit" in found.missing["leaves"]
    assert "read-only" in found.missing["writes"]
    assert "good" in found.missing["returns"]


@pytest.mark.parametrize("shape", [(8, 9), (10, 64), (64, 10), (1, 1)])
def test_images_under_the_window_have_no_ssim(shape: tuple[int, int]) -> None:
    """SSIM says which size it needs, in words about the image; PSNR and NRMSE stay."""
    rng = np.random.default_rng(0)
    image, denoised = rng.random(shape), rng.random(shape)
    found = score([psnr, ssim, nrmse], image, denoised, np.ones(shape, bool))
    assert {name.partition("_")[0] for name in found.values} == {"psnr", "nrmse"}
    width, height = shape[1], shape[0]
    assert found.missing == {
        "ssim": f"an image of {width} × {height} pixels is smaller than SSIM's window of 11"
    }
    assert np.isfinite(ssim(rng.random((11, 11)), rng.random((11, 11))))
