"""The field's denoisers give what their own packages' calls give."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.field import needed
from denobench import methods
from denobench.errors import UnavailableError

SIGMA = 0.1


@pytest.fixture(scope="module")
def noisy(photograph: np.ndarray) -> np.ndarray:
    """Return a photograph with noise, float32, (48, 40)."""
    rng = np.random.default_rng(0)
    return (photograph[:48, :40] + SIGMA * rng.standard_normal((48, 40))).astype(np.float32)


@pytest.mark.parametrize("method", ["blockwise", "classic"])
@pytest.mark.parametrize("rician", [False, True])
def test_dipy(noisy: np.ndarray, method: str, rician: bool) -> None:
    """A slice goes in as three of a volume, with sigma in its own units; twice is the same."""
    package = pytest.importorskip("dipy.denoise.nlmeans")
    volume = np.repeat(noisy[:, :, None].astype(float), 3, axis=2)
    options = {"patch_radius": 1, "block_radius": 2, "num_threads": 1}
    expected = package.nlmeans(volume, 1.4 * SIGMA, rician=rician, method=method, **options)
    given = {"variant": method, "rician": rician, "patch_radius": 1, "block_radius": 2}
    answer = methods.build("dipy-nlm", given).denoise(noisy, SIGMA)
    np.testing.assert_array_equal(answer, expected[:, :, 1])


@pytest.mark.parametrize(("rician", "model"), [(False, "Gaussian"), (True, "Rician")])
def test_ants(noisy: np.ndarray, rician: bool, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image goes in as it is, and no sigma."""
    monkeypatch.setenv("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")
    package = pytest.importorskip("ants")
    expected = package.denoise_image(
        package.from_numpy(noisy), shrink_factor=1, p=2, r=2, noise_model=model
    ).numpy()
    answer = methods.build("ants", {"rician": rician}).denoise(noisy, None)
    np.testing.assert_allclose(answer, expected, atol=1e-5)


def test_simpleitk(noisy: np.ndarray) -> None:
    """Both filters, with steps that follow sigma."""
    package = pytest.importorskip("SimpleITK")
    image = package.GetImageFromArray(noisy)
    diffused = package.CurvatureAnisotropicDiffusion(
        image, timeStep=0.125, conductanceParameter=4.0, numberOfIterations=10
    )
    answer = methods.build("itk-curvature").denoise(noisy, 0.2)
    np.testing.assert_array_equal(answer, package.GetArrayFromImage(diffused))
    flown = package.CurvatureFlow(image, timeStep=0.125, numberOfIterations=4)
    answer = methods.build("itk-flow").denoise(noisy, 0.05)
    np.testing.assert_array_equal(answer, package.GetArrayFromImage(flown))


def test_simpleitk_s_patches(noisy: np.ndarray) -> None:
    """The kernel's bandwidth follows sigma, and the answer is the same twice."""
    package = pytest.importorskip("SimpleITK")
    image = package.GetImageFromArray(noisy)
    expected = package.PatchBasedDenoising(image, 0.2, 1, 2, 20)
    given = {"strength": 2.0, "patch_radius": 1, "iterations": 2, "samples": 20}
    for _ in range(2):
        answer = methods.build("itk-patch", given).denoise(noisy, 0.1)
        np.testing.assert_array_equal(answer, package.GetArrayFromImage(expected))


@pytest.mark.parametrize("depth", [1, 2, 6])
def test_dipy_in_three_dimensions(noisy: np.ndarray, depth: int) -> None:
    """A volume goes in as it is; one thinner than a patch is mirrored, and is the same twice."""
    package = pytest.importorskip("dipy.denoise.nlmeans")
    volume = np.stack([noisy[: 20 + n, :20][-20:] for n in range(depth)])
    thick = np.pad(volume.astype(float), [(0, max(3 - depth, 0)), (0, 0), (0, 0)], "symmetric")
    options = {"patch_radius": 1, "block_radius": 2, "num_threads": 1, "method": "blockwise"}
    expected = package.nlmeans(thick, SIGMA, rician=False, **options)[:depth]
    for _ in range(2):
        answer = methods.build("dipy-nlm-3d").denoise(volume, SIGMA)
        np.testing.assert_array_equal(answer, expected)


@pytest.mark.slow
def test_bm4d_in_three_dimensions(noisy: np.ndarray) -> None:
    """A volume goes in with its slices last, and one of two slices is mirrored."""
    package = pytest.importorskip("bm4d")
    volume = np.stack([noisy[n : n + 16, :16] for n in (0, 8, 16, 24)])
    expected = np.moveaxis(package.bm4d(np.moveaxis(volume, 0, 2).astype(float), SIGMA), 2, 0)
    method = methods.build("bm4d-3d")
    answer = method.denoise(volume, SIGMA)
    np.testing.assert_allclose(answer, expected, atol=1e-6)
    np.testing.assert_array_equal(method.denoise(volume, SIGMA), answer)
    assert method.denoise(volume[:2], SIGMA).shape == (2, 16, 16)


@pytest.mark.slow
def test_bm4d(noisy: np.ndarray) -> None:
    """A slice goes in as a volume of one slice."""
    package = pytest.importorskip("bm4d")
    expected = package.bm4d(noisy[:, :, None].astype(float), SIGMA)[:, :, 0]
    answer = methods.build("bm4d").denoise(noisy, SIGMA)
    np.testing.assert_allclose(answer, expected, atol=1e-6)


def test_missing_package_is_named_with_the_command_that_installs_it() -> None:
    """The method's cells are then skipped with this reason."""
    with pytest.raises(UnavailableError, match=r"pip install 'denobench\[mr\]'"):
        needed.needed("nothing", "nothing_of_this_name")
