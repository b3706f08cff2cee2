"""The open BM3D: as good as its authors' package, for any image, the same on any threads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dctn
from skimage import data

from baselines.fast_bm3d import PROFILES, denoise_bm3d, filtering, tiles
from denobench import methods, noise
from denobench.errors import DenobenchError
from denobench.metrics import psnr, ssim

DIGEST = """
import hashlib, numba, numpy as np
from baselines.fast_bm3d import denoise_bm3d
image = np.random.Generator(np.random.PCG64(3)).random((150, 310))
print(numba.get_num_threads(), hashlib.sha256(denoise_bm3d(image, 0.2, profile="fast")).hexdigest())
"""


def corrupted(image: np.ndarray, level: float) -> np.ndarray:
    fields = noise.draw_fields((1, *image.shape), seed=0, image="test", realisation=0)
    return noise.corrupt(image, noise.gaussian, level, fields)


def clipped(call: Callable[..., np.ndarray], *arguments: object, **options: object) -> np.ndarray:
    return np.clip(call(*arguments, **options), 0, 1)


@cache
def authors(level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a photograph, (128, 128), with noise of a level, and what the package makes of it."""
    image = (data.camera()[100:228, 180:308] / 255).astype(np.float32)
    noisy = corrupted(image, level)
    return image, noisy, clipped(methods.build("bm3d").denoise, noisy, level)


@pytest.mark.parametrize(("profile", "worst"), [("normal", 0.15), ("fast", 0.3)])
@pytest.mark.parametrize("level", [0.05, 0.2])
def test_as_good_as_the_authors_package(profile: str, worst: float, level: float) -> None:
    """On a photograph, PSNR and SSIM are close to the package's, or above."""
    image, noisy, expected = authors(level)
    answer = clipped(denoise_bm3d, noisy, level, profile=profile)
    assert psnr(image, answer) > psnr(image, expected) - worst
    assert ssim(image, answer) > ssim(image, expected) - 0.02


@given(
    height=st.integers(1, 40), width=st.integers(1, 40), profile=st.sampled_from(["normal", "fast"])
)
@settings(max_examples=40)
def test_any_size(height: int, width: int, profile: str) -> None:
    """Images from 1 x 1 up come back in their shape, finite, near the range of their pixels."""
    rng = np.random.Generator(np.random.PCG64(height * 100 + width))
    noisy = 0.5 + 0.1 * rng.standard_normal((height, width))
    answer = denoise_bm3d(noisy, 0.1, profile=profile)
    assert answer.shape == noisy.shape
    assert answer.dtype == np.float32
    assert noisy.min() - 0.05 < answer.min() <= answer.max() < noisy.max() + 0.05


@given(value=st.floats(0.3, 2), sigma=st.floats(1e-3, 0.1))
@settings(max_examples=20)
def test_constant_image_stays(value: float, sigma: float) -> None:
    """Nothing is to be removed from an image of one value."""
    answer = denoise_bm3d(np.full((21, 34), value), sigma)
    np.testing.assert_allclose(answer, value, rtol=1e-3)


@pytest.mark.parametrize("profile", ["normal", "fast"])
def test_little_noise_changes_little(profile: str, photograph: np.ndarray) -> None:
    """The transforms are undone: with sigma near 0 the image comes back."""
    answer = denoise_bm3d(photograph, 1e-6, profile=profile)
    np.testing.assert_allclose(answer, photograph, atol=1e-5)


def test_no_noise_returns_a_copy(photograph: np.ndarray) -> None:
    """Sigma 0 gives the image's own values in another array."""
    answer = denoise_bm3d(photograph, 0)
    np.testing.assert_array_equal(answer, photograph)
    assert not np.shares_memory(answer, photograph)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.full((9, 9), np.nan), {"sigma": 0.1}, "NaN"),
        (np.full((9, 9), np.inf), {"sigma": 0.1}, "infinite"),
        (np.zeros((9, 9, 3)), {"sigma": 0.1}, "2-D"),
        (np.zeros((9, 9), np.uint8), {"sigma": 0.1}, "uint8"),
        (np.zeros((0, 9)), {"sigma": 0.1}, "shape"),
        (np.zeros((9, 9)), {"sigma": -0.1}, "sigma -0.1"),
        (np.zeros((9, 9)), {"sigma": float("nan")}, "sigma nan"),
        (np.zeros((9, 9)), {"sigma": 0.1, "profile": "fats"}, "Did you mean 'fast'"),
    ],
)
def test_mistakes_are_named(image: np.ndarray, options: dict, message: str) -> None:
    """What cannot be denoised is refused with what is wrong."""
    with pytest.raises(DenobenchError, match=message):
        denoise_bm3d(image, **options)


def test_same_bits_on_any_number_of_threads() -> None:
    """One, two and five threads, set as a worker sets them, give one answer."""
    told = []
    for threads in ("1", "2", "5"):
        environment = {**os.environ, "NUMBA_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(done.stdout.split())
    assert [threads for threads, _ in told] == ["1", "2", "5"]
    assert len({digest for _, digest in told}) == 1


@given(side=st.integers(8, 3000), profile=st.sampled_from(["normal", "fast"]))
def test_tiles_hold_every_reference_and_no_more_memory(side: int, profile: str) -> None:
    """Parts of an axis follow each other to the last pixel; a window's size is bounded."""
    for stage in PROFILES[profile]:
        side += (8 - side) % stage.step
        places: list[int] = []
        for window, origin, count in tiles._parts(side, stage, 40):
            assert window.stop - window.start <= 40 * stage.step + 8 + 2 * stage.radius
            places += [window.start + origin + stage.step * i for i in range(count)]
        assert places == list(range(0, side - 7, stage.step))


def test_spectra_are_the_cosine_transforms_of_blocks() -> None:
    """Each block's 64 coefficients equal SciPy's."""
    image = np.random.Generator(np.random.PCG64(4)).random((10, 12), np.float32)
    spectra = filtering.analyse(image, tiles._cosine()[0]).reshape(3, 5, 8, 8)
    for y, x in np.ndindex(3, 5):
        expected = dctn(image[y : y + 8, x : x + 8], norm="ortho")
        np.testing.assert_allclose(spectra[y, x], expected, atol=1e-5)


@pytest.mark.parametrize("matrices", [tiles._cosine(), tiles._wavelet()])
def test_transforms_are_undone(matrices: tuple[np.ndarray, np.ndarray]) -> None:
    """The blocks' inverse transforms add up to the image times the blocks over each pixel."""
    forward, inverse = matrices
    image = np.random.Generator(np.random.PCG64(5)).random((13, 11), np.float32)
    total = filtering.synthesise(filtering.analyse(image, forward), inverse, 13, 11)
    blocks = filtering.spread(
        np.pad(np.ones((6, 4), np.float32), ((0, 7), (0, 7))), np.ones(8, np.float32)
    )
    np.testing.assert_allclose(total, blocks * image, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(forward, axis=1), 1, rtol=1e-6)
