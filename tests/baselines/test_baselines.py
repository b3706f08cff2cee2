"""The rivals: they keep to the contract, are what they say, and are good before any tuning."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import pywt
from scipy import ndimage
from skimage.restoration import (
    denoise_nl_means,
    denoise_tv_bregman,
    denoise_tv_chambolle,
    estimate_sigma,
)

from denobench import conformance, methods, noise
from denobench.errors import DenobenchError
from denobench.metrics import psnr

NAMES = [
    "identity",
    "gaussian-filter",
    "median",
    "bilateral",
    "wavelet",
    "visushrink",
    "tv",
    "tv-bregman",
    "diffusion",
    "nlm",
    "nlm-opencv",
    "bm3d",
    "fast-bm3d",
    "fast-bm3d-fast",
]


def corrupted(image: np.ndarray, level: float) -> np.ndarray:
    fields = noise.draw_fields((1, *image.shape), seed=0, image="test", realisation=0)
    return noise.corrupt(image, noise.gaussian, level, fields)


@pytest.mark.parametrize("name", NAMES)
def test_method_keeps_to_the_contract(name: str) -> None:
    """The conformance suite finds no fault."""
    faults = [finding for finding in conformance.check(name) if finding.fault]
    assert faults == []


@pytest.mark.parametrize("name", NAMES[1:])
@pytest.mark.parametrize("level", [0.05, 0.1, 0.2])
def test_defaults_gain_at_every_level(name: str, level: float, photograph: np.ndarray) -> None:
    """With default parameters every method beats doing nothing, the median where it can."""
    noisy = corrupted(photograph, level)
    sigma = None if methods.load(name).info.tracks == ("blind",) else level
    gained = psnr(photograph, np.clip(methods.build(name).denoise(noisy, sigma), 0, 1))
    nothing = psnr(photograph, np.clip(noisy, 0, 1))
    if name in ("median", "gaussian-filter") and level < 0.1:
        assert gained > nothing - 4  # a blur of fixed size costs detail where there is little noise
    else:
        assert gained > nothing + 0.5


def test_tv_is_scikit_images(photograph: np.ndarray) -> None:
    """TV with weight 0.7 sigma is the call that users know."""
    noisy = corrupted(photograph, 0.1)
    expected = denoise_tv_chambolle(noisy, weight=0.07)
    np.testing.assert_allclose(methods.build("tv").denoise(noisy, 0.1), expected, atol=1e-6)


def test_bregman_nearly_minimises_chambolle_s_functional(photograph: np.ndarray) -> None:
    """It is the call that users know; iterated on, it comes near the minimum of total variation."""

    def functional(image: np.ndarray) -> float:
        down = np.diff(image, axis=0, append=image[-1:])
        right = np.diff(image, axis=1, append=image[:, -1:])
        return float(0.1 * np.hypot(down, right).sum() + 0.5 * ((image - noisy) ** 2).sum())

    noisy = corrupted(photograph, 0.1).astype(np.float64)
    answer = methods.build("tv-bregman").denoise(noisy, 0.1)
    np.testing.assert_array_equal(answer, denoise_tv_bregman(noisy, weight=10.0, eps=1e-4))
    least = functional(denoise_tv_chambolle(noisy, weight=0.1, eps=1e-8, max_num_iter=3000))
    assert least < functional(answer) < 1.15 * least < 0.7 * functional(noisy)


def test_visushrink_cuts_every_detail_by_one_threshold(photograph: np.ndarray) -> None:
    """It is soft thresholding of all of PyWavelets' details at sigma sqrt(2 log N)."""
    noisy = corrupted(photograph, 0.1).astype(np.float64)
    threshold = 0.3 * 0.1 * np.sqrt(2 * np.log(noisy.size))
    levels = max(pywt.dwtn_max_level(noisy.shape, "sym4") - 3, 1)
    coarse, *details = pywt.wavedecn(noisy, "sym4", level=levels)
    cut = [
        {name: pywt.threshold(band, threshold, "soft") for name, band in each.items()}
        for each in details
    ]
    expected = pywt.waverecn([coarse, *cut], "sym4")[: len(noisy), : noisy.shape[1]]
    answer = methods.build("visushrink").denoise(noisy.astype(np.float32), 0.1)
    inside = (noisy >= 0) & (noisy <= 1)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(np.clip(answer, 0, 1), np.clip(expected, 0, 1), atol=2e-4)


def test_diffusion_is_perona_s_and_malik_s(photograph: np.ndarray) -> None:
    """Pixel by pixel as the paper's equations have it; the mean stays, and no extreme is new."""
    noisy = corrupted(photograph[:20, :17], 0.1)
    expected = noisy.astype(np.float64)
    for _ in range(4):
        before = np.pad(expected, 1, mode="edge")
        expected = expected.copy()
        for y, x in np.ndindex(*noisy.shape):
            here = before[y + 1, x + 1]
            for other in (
                before[y, x + 1],
                before[y + 2, x + 1],
                before[y + 1, x],
                before[y + 1, x + 2],
            ):
                expected[y, x] += 0.2 * (other - here) / (1 + ((other - here) / 0.15) ** 2)
    answer = methods.build("diffusion", {"steps": 4}).denoise(noisy, 0.1)
    np.testing.assert_allclose(answer, expected, atol=1e-6)
    assert answer.mean() == pytest.approx(noisy.mean(), abs=1e-6)
    assert noisy.min() <= answer.min() <= answer.max() <= noisy.max()


def test_nlm_is_scikit_images(photograph: np.ndarray) -> None:
    """NLM with h 0.7 sigma is the call that users know."""
    noisy = corrupted(photograph, 0.1)
    expected = denoise_nl_means(noisy, patch_size=5, patch_distance=8, h=0.07, sigma=0.1)
    np.testing.assert_allclose(methods.build("nlm").denoise(noisy, 0.1), expected, atol=1e-6)


def test_opencv_nlm_works_on_eight_bits(photograph: np.ndarray) -> None:
    """OpenCV's NLM gives one of 256 grey values, as its notes say, and equals the direct call."""
    noisy = corrupted(photograph, 0.1)
    answer = methods.build("nlm-opencv").denoise(noisy, 0.1)
    assert "8 bits" in methods.load("nlm-opencv").info.notes
    pixels = np.round(np.clip(noisy, 0, 1) * 255).astype(np.uint8)
    direct = cv2.fastNlMeansDenoising(pixels, None, 25.5, 5, 17)
    np.testing.assert_array_equal(np.round(answer * 255).astype(np.uint8), direct)


def test_bm3d_says_that_its_licence_is_non_commercial() -> None:
    """The listing warns of the package's licence."""
    assert "non-commercial" in methods.load("bm3d").info.licence


def test_bm3d_gives_the_same_bits_twice(photograph: np.ndarray) -> None:
    """On one thread the package is deterministic."""
    noisy = corrupted(photograph, 0.1)
    method = methods.build("bm3d")
    np.testing.assert_array_equal(method.denoise(noisy, 0.1), method.denoise(noisy, 0.1))


def test_bm3d_leaves_little_noise() -> None:
    """On a flat image BM3D takes away nearly all of the noise."""
    noisy = corrupted(np.full((64, 64), 0.5, np.float32), 0.1)
    assert estimate_sigma(methods.build("bm3d").denoise(noisy, 0.1)) < 0.02


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_median_is_scipy_s(photograph: np.ndarray, size: int) -> None:
    """OpenCV's small windows and SciPy's large ones are the same filter, edges included."""
    noisy = photograph + np.random.default_rng(0).normal(0, 0.1, photograph.shape)
    noisy = noisy.astype(np.float32)
    expected = ndimage.median_filter(noisy, size, mode="nearest")
    answer = methods.build("median", {"size": size}).denoise(noisy, None)
    np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize(
    ("name", "parameter", "low", "high"),
    [
        ("gaussian-filter", "width", 0, 101),
        ("median", "size", 0, 103),
        ("bilateral", "colour", 0, 101),
        ("bilateral", "space", 0, 101),
        ("wavelet", "sigma_scale", 0, 101),
        ("visushrink", "sigma_scale", 0, 101),
        ("tv", "weight", 0, 101),
        ("tv-bregman", "weight", 0, 101),
        ("diffusion", "contrast", 0, 101),
        ("diffusion", "steps", 0, 1001),
        ("nlm", "h", 0, 101),
        ("nlm", "patch", 0, 103),
        ("nlm", "distance", 0, 102),
        ("nlm-opencv", "h", 0, 101),
        ("nlm-opencv", "patch", 4, 103),
        ("nlm-opencv", "window", 4, 103),
        ("bm3d", "sigma_scale", 0, 101),
        ("fast-bm3d", "sigma_scale", 0, 101),
        ("fast-bm3d-fast", "sigma_scale", 0, 101),
    ],
)
def test_values_out_of_range_are_refused(
    name: str, parameter: str, low: float, high: float
) -> None:
    """What the documentation excludes, and what is no number, is named before anything is run."""
    for value in (low, high, -1, "3", True, [3], None, float("nan"), float("inf")):
        with pytest.raises(DenobenchError, match=f"'{name}'.*{parameter}: must be"):
            methods.build(name, {parameter: value})


def test_every_parameter_has_a_range() -> None:
    """No baseline takes a parameter that nothing is held against."""
    for name in NAMES:
        for parameter in methods.parameters(methods.load(name)):
            with pytest.raises(DenobenchError, match=parameter):
                methods.build(name, {parameter: float("nan")})


def test_wavelets_are_those_that_can_be_undone() -> None:
    """A continuous or unknown wavelet is refused, a biorthogonal one taken."""
    for name in ("morl", "sym44", 3):
        with pytest.raises(DenobenchError, match="wavelet: must be"):
            methods.build("wavelet", {"wavelet": name})
    methods.build("wavelet", {"wavelet": "bior2.2"})


@pytest.mark.parametrize("name", NAMES)
def test_grids_hold_values_that_are_taken(name: str) -> None:
    """Everything that tuning may try is within its range."""
    for parameter, values in methods.load(name).info.grid.items():
        for value in values:
            methods.build(name, {parameter: value})
