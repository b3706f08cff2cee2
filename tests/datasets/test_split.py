"""Splits: by cluster, stratified, seeded."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denobench.datasets import Dataset, FileItem, open_dataset, split


def dataset(clusters: list[int]) -> Dataset:
    """Return a set whose n-th image belongs to the n-th cluster given; labels go by cluster."""
    items = tuple(
        FileItem(f"{n:03d}", "yes" if c % 3 else "no", f"c{c}", f"d{n}", path=Path(f"{n}.png"))
        for n, c in enumerate(clusters)
    )
    return Dataset("test", items)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=120), st.integers(0, 99))
def test_parts_are_disjoint_and_complete(clusters: list[int], seed: int) -> None:
    """Every image is in one part, and no cluster is in two."""
    parts = split(dataset(clusters), seed=seed)
    everything = [*parts.train, *parts.validation, *parts.test]
    assert sorted(item.id for item in everything) == [f"{n:03d}" for n in range(len(clusters))]
    for one, other in combinations((parts.train, parts.validation, parts.test), 2):
        assert not {item.cluster for item in one} & {item.cluster for item in other}
    assert parts.leaks == 0


def test_shares_hold_for_each_label() -> None:
    """A fifth is tested, a fifth of the rest validates, in each label."""
    parts = split(dataset(list(range(300))), seed=3)
    for label, count in (("yes", 200), ("no", 100)):
        tested = sum(item.label == label for item in parts.test)
        validated = sum(item.label == label for item in parts.validation)
        assert tested == pytest.approx(0.2 * count, abs=1)
        assert validated == pytest.approx(0.16 * count, abs=1)


def test_seed_decides() -> None:
    """The same seed gives the same split, another seed another, whatever the items' order."""
    one = dataset(list(range(60)))
    again = Dataset("test", tuple(reversed(one.items)))
    assert split(one, seed=1) == split(again, seed=1)
    assert split(one, seed=1).test != split(one, seed=2).test


def test_first_images_stand_for_the_whole() -> None:
    """The first ten test images have the labels' shares of the whole."""
    parts = split(dataset(list(range(300))), seed=0)
    assert sum(item.label == "yes" for item in parts.test[:9]) == 6


def test_plain_random_split_leaks() -> None:
    """The paper's split puts copies of training images into the test, and says how many."""
    pairs = dataset([number // 2 for number in range(200)])
    assert split(pairs, seed=0, by="paper").leaks > 10
    assert split(pairs, seed=0).leaks == 0


def test_simulated_parts_are_kept() -> None:
    """The simulated set's own train and test slabs are respected."""
    parts = split(open_dataset("simulated", None), seed=0)
    assert all(item.part == "test" for item in parts.test)
    assert all(item.part == "train" for item in (*parts.train, *parts.validation))
    assert len(parts.test) == 50


def test_nothing_is_trained_when_everything_is_tested() -> None:
    """``none`` tests every image."""
    parts = split(dataset(list(range(20))), seed=0, by="none")
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (0, 0, 20)
