"""Matrix products of small blocks."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from denobench.networks.inference.products import COLUMNS, LANES, ROWS, multiply, pack, whole


@njit
def call(left, stride, count, depth, right, out, columns):
    """Call what only compiled functions can."""
    multiply(left, stride, count, depth, right, out, columns)


@pytest.mark.parametrize("count", [1, ROWS, ROWS + 1, 50])
@pytest.mark.parametrize(("depth", "registers"), [(1, 1), (27, 2), (64, 5), (9, 6)])
def test_product(count, depth, registers):
    """The product is NumPy's, whatever the number of rows."""
    rng = np.random.default_rng(0)
    rows, columns = max(count, ROWS), registers * LANES
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
    """Columns that do not fill a register are followed by zeros, and no more."""
    for columns, filled in ((3, LANES), (LANES, LANES), (COLUMNS + 1, COLUMNS + LANES)):
        packed = pack(np.ones((2, 5, columns)))
        assert whole(columns) == filled
        assert packed.shape == (2, 5 * filled)
        assert packed.sum() == 2 * 5 * columns
