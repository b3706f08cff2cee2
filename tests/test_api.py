"""What a notebook calls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.restoration import denoise_tv_chambolle

import denobench
from denobench import DenobenchError


def test_run_returns_tidy_rows(image_folder: Path, tmp_path: Path) -> None:
    """``denobench.run`` gives one row per cell with the metrics as columns."""
    rows = denobench.run(
        "quick",
        {
            "data": image_folder,
            "size": 32,
            "split": "none",
            "limit": 2,
            "methods": ["identity", "tv"],
            "timing.repeats": 0,
        },
        out=tmp_path / "run",
        progress=False,
    )
    assert len(rows) == 2 * 2 * 3
    assert {"method", "noise", "level", "psnr", "ssim_foreground"} <= set(rows)


def test_one_image_is_denoised(photograph: np.ndarray) -> None:
    """``denobench.denoise`` is the method's call, clipped."""
    noisy = photograph + 0.1 * np.random.default_rng(0).standard_normal(photograph.shape)
    answer = denobench.denoise(noisy, "tv", sigma=0.1, weight=0.8)
    expected = denoise_tv_chambolle(noisy.astype(np.float32), weight=0.08)
    np.testing.assert_allclose(answer, np.clip(expected, 0, 1), atol=1e-6)


def test_sigma_is_estimated_when_left_out(photograph: np.ndarray) -> None:
    """Without sigma the noise is estimated, and the answer is near that with the true one."""
    noisy = photograph + 0.1 * np.random.default_rng(0).standard_normal(photograph.shape)
    told = denobench.denoise(noisy, "nlm", sigma=0.1)
    estimated = denobench.denoise(noisy, "nlm")
    assert np.abs(told - estimated).mean() < 0.02


def test_eight_bits_become_full_scale_one() -> None:
    """Unsigned integers are taken by their type's full scale."""
    image = np.full((32, 32), 128, np.uint8)
    assert denobench.denoise(image, "median").mean() == pytest.approx(128 / 255, abs=1e-3)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((4, 4, 3)), {}, "2-D"),
        (np.full((8, 8), np.nan), {}, "NaN"),
        (np.zeros((8, 8)), {"sigma": 25.0}, "of full scale"),
        (np.zeros((8, 8)), {"wieght": 1}, "Did you mean 'weight'"),
    ],
)
def test_mistakes_are_named(image: np.ndarray, options: dict[str, float], message: str) -> None:
    """A wrong image, sigma or parameter gives one clear error."""
    with pytest.raises(DenobenchError, match=message):
        denobench.denoise(image, "tv", **options)


def test_unknown_attribute_is_an_attribute_error() -> None:
    """The lazy package behaves like any other."""
    with pytest.raises(AttributeError, match="nothing"):
        denobench.nothing  # noqa: B018
    assert "run" in dir(denobench)


def test_denoise_with_the_weights_of_the_package(photograph, tmp_path, monkeypatch):
    """A network whose weights came with the package denoises at once; another says how to train."""
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path))
    noisy = photograph + np.random.default_rng(0).normal(0, 0.2, photograph.shape)
    answer = denobench.denoise(noisy, "cdae")
    assert ((answer - photograph) ** 2).mean() < 0.5 * ((noisy - photograph) ** 2).mean()
    with pytest.raises(DenobenchError, match="'unet' has to be trained, and no weights"):
        denobench.denoise(noisy, "unet", training="blind")
