"""Block matching finds what a search by force finds."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.fast_bm3d.matching import INDEX, SIDE, key, match, offsets


@pytest.mark.parametrize(
    ("step", "shape", "origin", "count"),
    [(3, (44, 57), (2, 5), (11, 14)), (4, (31, 29), (0, 1), (5, 6)), (3, (8, 8), (0, 0), (1, 1))],
)
def test_nearest_blocks_are_those_of_a_search_by_force(
    step: int, shape: tuple[int, int], origin: tuple[int, int], count: tuple[int, int]
) -> None:
    """Every reference gets its eight nearest blocks, nearest first, itself before all."""
    image = np.random.Generator(np.random.PCG64(1)).random(shape, np.float32)
    table = offsets(5)
    keys = np.empty((*count, 8), np.int32)
    match(image, origin, count, step, table, key(np.inf), np.float32(0), keys)
    blocks = np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), (SIDE, SIDE))
    for i, j in np.ndindex(*count):
        place = np.array(origin) + step * np.array([i, j])
        distances = np.full(len(table), np.inf)
        for number, (y, x) in enumerate(place + table):
            if 0 <= y < len(blocks) and 0 <= x < blocks.shape[1]:
                distances[number] = np.sum((blocks[y, x] - blocks[tuple(place)]) ** 2)
        nearest = np.sort(distances)[:8]
        found = keys[i, j][keys[i, j] < key(np.inf)] & INDEX
        assert len(found) == np.isfinite(nearest).sum()
        assert found[0] == 0
        # A key keeps twelve bits of a distance.
        np.testing.assert_allclose(distances[found], nearest[: len(found)], rtol=2**-11)


def test_blocks_that_are_not_alike_are_left_out() -> None:
    """No distance of a found block is above the limit; the other places keep the limit's key."""
    image = np.random.Generator(np.random.PCG64(2)).random((30, 30), np.float32)
    keys = np.empty((4, 4, 16), np.int32)
    limit = key(9.0)
    match(image, (5, 5), (4, 4), 3, offsets(5), limit, np.float32(0), keys)
    found = keys < limit
    assert 1 < found.sum() / 16 < 16
    assert (keys[found] >> 11 << 11).view(np.float32).max() <= 9.0
    assert (keys[~found] == limit).all()


def test_blocks_below_the_floor_are_taken_in_order() -> None:
    """Where all distances are below the floor, the first offsets are taken."""
    image = np.random.Generator(np.random.PCG64(3)).random((30, 30), np.float32)
    keys = np.empty((3, 3, 16), np.int32)
    match(image, (8, 8), (3, 3), 3, offsets(5), key(np.inf), np.float32(100), keys)
    np.testing.assert_array_equal(keys & INDEX, np.broadcast_to(np.arange(16), (3, 3, 16)))


def test_offsets_are_every_one_once_from_the_centre() -> None:
    """The search window is whole, and begins with the block itself."""
    table = offsets(4)
    assert table[0].tolist() == [0, 0]
    assert len(table) == len({tuple(offset) for offset in table.tolist()}) == 81
    assert np.abs(table).max() == 4
