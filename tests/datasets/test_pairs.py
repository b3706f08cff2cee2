"""Measured noise: which noisy image belongs to which reference, and what is wrong with a pair."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from denobench.datasets import Reading
from denobench.datasets.pairs import PairItem, open_pairs
from denobench.errors import DenobenchError
from denobench.scale import Scale

CLEAN = data.camera()[::4, ::4].astype(np.float32) * 10
AS_IS = Reading(scale=Scale.parse([0, 2550]))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., np.ndarray]:
    """Return a function that saves an image, with noise if it is asked for."""
    rng = np.random.default_rng(0)

    def to(name: str, pixels: np.ndarray = CLEAN, sigma: float = 0.0) -> np.ndarray:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noisy = (pixels + sigma * rng.standard_normal(pixels.shape)).astype(np.float32)
        np.save(path, noisy)
        return noisy

    return to


def opened(folder: Path, **options: object) -> tuple[PairItem, ...]:
    found = open_pairs(folder / "noisy", folder / "clean", AS_IS, **options)  # type: ignore[arg-type]
    return found.items  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("clean", "noisy"),
    [
        ("a/x.npy", ["a/x.npy"]),
        ("x_gt.npy", ["x.npy"]),
        ("sub-1/x.npy", ["x.npy"]),
        ("sub-1_T1w.npy", ["sub-1_run-1_T1w.npy", "sub-1_run-2_T1w.npy"]),
        ("x.npy", ["x_1.npy", "x_2.npy", "x_3.npy"]),
    ],
)
def test_acquisitions_find_their_reference(
    tmp_path: Path, save: Callable[..., np.ndarray], clean: str, noisy: list[str]
) -> None:
    """By path, by name, by BIDS's entities or a number; several are realisations of one image."""
    save(f"clean/{clean}")
    if clean != "x_gt.npy":  # a single reference belongs to all
        save("clean/other.npy", CLEAN.T)
    expected = [save(f"noisy/{name}", CLEAN, 100) for name in noisy]
    (item,) = opened(tmp_path)
    assert item.realisations == len(noisy)
    for number, pixels in enumerate(expected):
        seen = item.observe(None, number)
        np.testing.assert_allclose(seen.noisy, pixels / 2550, atol=1e-5)
        np.testing.assert_allclose(seen.reference, CLEAN / 2550, atol=1e-5)
    assert item.observe().noisy.min() < 0  # not clipped


def test_what_is_wrong_with_a_pair_is_said(tmp_path: Path, save: Callable[..., np.ndarray]) -> None:
    """A shift, another intensity scale, another shape and a missing reference are found."""
    for name in ("shifted", "scaled", "smaller"):
        save(f"clean/{name}.npy")
    save("noisy/shifted.npy", np.roll(CLEAN, 2, axis=1), 20)
    save("noisy/scaled.npy", 1.5 * CLEAN + 100, 20)
    save("noisy/smaller.npy", CLEAN[:-4], 20)
    save("noisy/alone.npy", CLEAN, 20)
    found = open_pairs(tmp_path / "noisy", tmp_path / "clean", AS_IS)
    notes = " ".join(found.notes)
    assert "displaced, such as shifted.npy (2.0 pixels)" in notes
    assert "scaled.npy (factor 1.50, offset +0.04)" in notes
    reasons = {each.path: each.reason for each in found.unreadable}
    assert "124x128 pixels, and its reference has 128x128" in reasons["smaller.npy"]
    assert reasons["alone"] == "has no reference"


def test_a_factor_is_taken_out_where_asked(tmp_path: Path, save: Callable[..., np.ndarray]) -> None:
    """``fit`` brings the noisy image to its reference's intensities."""
    save("clean/x.npy")
    save("noisy/x.npy", 1.5 * CLEAN + 100, 10)
    (item,) = opened(tmp_path, fit=True)
    seen = item.observe()
    np.testing.assert_allclose(seen.noisy, seen.reference, atol=0.03)


def test_the_reference_s_own_noise_bounds_the_score(
    tmp_path: Path, save: Callable[..., np.ndarray]
) -> None:
    """The highest PSNR that a noisy reference allows is said, within a dB of the true one."""
    y, x = np.mgrid[:128, :128] / 128
    smooth = 1200 + 500 * np.sin(4 * x) * np.cos(3 * y)
    save("clean/x.npy", smooth, 25.5)  # 1 % of full scale: 40 dB
    save("noisy/x.npy", smooth, 100)
    remark = open_pairs(tmp_path / "noisy", tmp_path / "clean", AS_IS).remark
    assert float(remark.split("about ")[1].split()[0]) == pytest.approx(40, abs=1)


def test_no_pair_is_an_error(tmp_path: Path, save: Callable[..., np.ndarray]) -> None:
    """Folders without a common name are refused, with what would be right."""
    for name in ("clean/a.npy", "clean/b.npy", "noisy/c.npy"):
        save(name, CLEAN + hash(name) % 7)
    with pytest.raises(DenobenchError, match="one path or name in both folders"):
        opened(tmp_path)
