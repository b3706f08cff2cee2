"""Edges kept and anatomy removed, against closed forms and numpy's correlation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from denobench.metrics import epi, residual_structure, score


def test_epi_is_the_correlation_of_laplacians(photograph: np.ndarray) -> None:
    """The index is numpy's correlation of both images' differences to their four neighbours."""
    noisy = photograph + 0.05 * np.random.default_rng(0).standard_normal(photograph.shape)

    def edges(image: np.ndarray) -> np.ndarray:
        padded = np.pad(image, 1, "edge").astype(float)
        return (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
                - 4 * padded[1:-1, 1:-1])  # fmt: skip

    mask = photograph > 0.3
    one, other = edges(photograph), edges(noisy)
    expected = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    assert epi(photograph, noisy) == pytest.approx(expected, abs=1e-6)
    expected = np.corrcoef(one[mask], other[mask])[0, 1]
    assert epi(photograph, noisy, mask) == pytest.approx(expected, abs=1e-6)


def test_epi_of_linear_changes(photograph: np.ndarray) -> None:
    """Contrast and brightness leave 1, inversion -1, flatness 0; a flat clean image has none."""
    assert epi(photograph, 0.5 * photograph + 0.2) == pytest.approx(1)
    assert epi(photograph, 1 - photograph) == pytest.approx(-1)
    assert epi(photograph, np.full_like(photograph, 0.5)) == 0
    assert np.isnan(epi(np.zeros((20, 20)), np.ones((20, 20))))


def test_residual_of_pure_noise_has_no_structure(photograph: np.ndarray) -> None:
    """The true image and the untouched one leave nothing; a residual of all detail leaves 1."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(photograph.shape)
    grey = 0.4 + 0.2 * photograph  # so that nothing is clipped
    chance = 4 / np.sqrt(photograph.size)
    assert residual_structure(grey, grey, noisy=grey + noise) < chance
    noisy = photograph + 3 * noise
    assert residual_structure(photograph, np.clip(noisy, 0, 1), noisy=noisy) == 0
    blurred = ndimage.gaussian_filter(photograph, 2.0)
    assert residual_structure(photograph, blurred, noisy=photograph) == pytest.approx(1, abs=1e-4)


def test_residual_structure_has_the_closed_form(photograph: np.ndarray) -> None:
    """Detail of variance d in noise of variance n gives a correlation of sqrt(d / (d + n))."""
    rng = np.random.default_rng(1)
    image = np.kron(0.4 + 0.2 * photograph, np.ones((4, 4)))
    detail = image - ndimage.gaussian_filter(image, 2.0)
    for level in (0.02, 0.1):
        noisy = image + level * rng.standard_normal(image.shape)
        expected = np.sqrt(detail.var() / (detail.var() + level**2))
        found = residual_structure(image, image - detail, noisy=noisy)
        assert found == pytest.approx(expected, abs=0.01)


def test_blur_removes_more_than_it_should(photograph: np.ndarray) -> None:
    """The wider the blur, the more structure is in its residual."""
    noisy = photograph + 0.05 * np.random.default_rng(0).standard_normal(photograph.shape)
    found = [
        residual_structure(photograph, ndimage.gaussian_filter(noisy, width), noisy=noisy)
        for width in (0.5, 0.8, 1.2, 2.0)
    ]
    assert found == sorted(found)


def test_without_the_noisy_image_there_is_no_score(photograph: np.ndarray) -> None:
    """A score that needs what is not given is left out, not made up."""
    mask = photograph > 0.3
    assert score([residual_structure], photograph, photograph, mask).values == {}
    found = score([residual_structure], photograph, photograph, mask, noisy=photograph).values
    assert set(found) == {"residual-structure", "residual-structure_foreground"}
