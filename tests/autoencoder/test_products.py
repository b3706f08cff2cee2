"""Matrix products of small blocks."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from denobench.autoencoder.products import COLUMNS, ROWS, multiply, pack


@njit
def call(left, stride, count, depth, right, out, columns):
    """Call what only compiled functions can."""
    multiply(left, stride, count, depth, right, out, columns)


@pytest.mark.parametrize("count", [1, ROWS, ROWS + 1, 50])
@pytest.mark.parametrize(("depth", "panels"), [(1, 1), (27, 1), (64, 3)])
def test_product(count, depth, panels):
    """The product is NumPy's, whatever the number of rows."""
    rng = np.random.default_rng(0)
    rows, columns = max(count, ROWS), panels * COLUMNS
    left = rng.normal(size=(rows, depth)).astype(np.float32)
    right = rng.normal(size=(depth, columns)).astype(np.float32)
    out = np.full((rows, columns), np.nan, np.float32)
    call(left.ravel(), depth, count, depth, pack(right), out.ravel(), columns)
    np.testing.assert_allclose(out[:count], left[:count] @ right, atol=1e-4)
    assert np.isnan(out[max(count, ROWS) :]).all()


def test_rows_may_overlap():
    """With a stride below the depth, rows are windows of the same numbers."""
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=60).astype(np.float32)
    right = rng.normal(size=(9, COLUMNS)).astype(np.float32)
    out = np.zeros((18, COLUMNS), np.float32)
    call(numbers, 3, 18, 9, pack(right), out.ravel(), COLUMNS)
    windows = np.lib.stride_tricks.sliding_window_view(numbers, 9)[::3]
    np.testing.assert_allclose(out, windows @ right, atol=1e-4)


def test_columns_are_filled_with_zeros():
    """Columns that do not fill a panel are followed by zeros."""
    packed = pack(np.ones((2, 5, 3)))
    assert packed.shape == (2, 5 * COLUMNS)
    assert packed.sum() == 2 * 5 * 3
