"""Pictures in a page: lossless at 1/65535 of full scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from denobench.report.page.pixels import STEPS, pack, unpack

PICTURES = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.floats(-2, 3, width=32),
)


@settings(max_examples=50)
@given(PICTURES)
def test_pictures_come_back_to_the_step(pixels: np.ndarray) -> None:
    """Every pixel comes back to within half a step, also below 0 and above full scale."""
    found = unpack(pack(pixels))
    assert found.shape == pixels.shape
    assert np.abs(found - pixels.astype(np.float64)).max() <= 0.5 / STEPS + 1e-12


@pytest.mark.parametrize(("high", "planes"), [(1.0, 2), (1.0001, 3), (1.6, 3)])
def test_a_third_byte_only_where_it_is_needed(high: float, planes: int) -> None:
    """Answers in [0, 1] take two bytes a pixel, noise beyond full scale three."""
    assert pack(np.array([[0.0, high]])).planes == planes
