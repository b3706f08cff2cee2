"""The eight ways of flipping and turning: all different, and undone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from denobench.networks import symmetries
from denobench.networks.symmetries import turned, turned_back


@given(
    arrays(np.float32, array_shapes(min_dims=2, max_dims=2), elements=st.integers(0, 255)),
    st.integers(0, symmetries.COUNT - 1),
)
def test_turned_back(image: np.ndarray, way: int) -> None:
    """What is turned is the same image again once turned back, whatever its sides."""
    np.testing.assert_array_equal(turned_back(turned(image, way), way), image)
    np.testing.assert_array_equal(turned(turned_back(image.T, way), way), image.T)


def test_ways_are_all_there_are() -> None:
    """The ways of a square are the eight products of transposing it and flipping its sides."""
    square = np.arange(9).reshape(3, 3)
    expected = {
        each[::rows, ::columns].tobytes()
        for each in (square, square.T)
        for rows in (1, -1)
        for columns in (1, -1)
    }
    assert {turned(square, way).tobytes() for way in range(symmetries.COUNT)} == expected


@pytest.mark.parametrize("way", range(symmetries.COUNT))
def test_sides(way: int) -> None:
    """Quarter turns exchange the sides."""
    assert turned(np.empty((2, 5)), way).shape == ((5, 2) if way % 2 else (2, 5))
