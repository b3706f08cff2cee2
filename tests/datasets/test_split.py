"""Splits: by cluster, stratified, seeded."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from denobench.datasets import Dataset, FileItem, folds, open_dataset, split, spread
from denobench.errors import DenobenchError
from denobench.readers import File


def dataset(clusters: list[int]) -> Dataset:
    """Return a set whose n-th image belongs to the n-th cluster given; labels go by cluster."""
    items = tuple(
        FileItem(
            f"{n:03d}", "yes" if c % 3 else "no", f"c{c}", f"d{n}", files=(File(Path(f"{n}.png")),)
        )
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
    """The simulated set's own slabs are respected, with any seed."""
    parts = split(open_dataset("simulated", None), seed=1)
    assert all(item.part == "test" for item in parts.test)
    assert all(item.part == "train" for item in parts.train)
    assert all(item.part == "validation" for item in parts.validation)
    assert len({item.cluster for item in parts.test[:12]}) >= 11
    assert len(parts.test) == 50


def test_nothing_is_trained_when_everything_is_tested() -> None:
    """``none`` tests every image."""
    parts = split(dataset(list(range(20))), seed=0, by="none")
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (0, 0, 20)


@given(st.lists(st.integers(0, 40), min_size=10, max_size=120), st.integers(0, 99))
def test_folds_test_every_image_once(clusters: list[int], seed: int) -> None:
    """Each image is tested in one fold, and its cluster neither trains nor validates there."""
    assume(len(set(clusters)) >= 10)
    images = dataset(clusters)
    found = folds(images, seed=seed)
    tested = [item.id for fold in found for item in fold.test]
    assert sorted(tested) == [item.id for item in images.items]
    for fold in found:
        assert fold.leaks == 0
        seen = {item.cluster for item in (*fold.train, *fold.validation)}
        assert not seen & {item.cluster for item in fold.test}
        assert len(fold.train) + len(fold.validation) + len(fold.test) == len(clusters)


def test_folds_are_alike() -> None:
    """Of 300 single images in two labels every fold tests a fifth of each label."""
    for fold in folds(dataset(list(range(300))), seed=2):
        assert sum(item.label == "yes" for item in fold.test) == 40
        assert sum(item.label == "no" for item in fold.test) == 20
        assert len(fold.validation) == 48


def test_too_few_clusters_for_folds() -> None:
    """Nine clusters are not split into five folds; the message says what would work."""
    with pytest.raises(DenobenchError, match=r"10 clusters.*split: none"):
        folds(dataset(list(range(9))), seed=0)


def test_spread_alternates_clusters() -> None:
    """The first images come from as many clusters as there are; none is lost."""
    items = dataset([number // 3 for number in range(60)]).items
    first = spread(items, seed=1)
    assert len({item.cluster for item in first[:20]}) == 20
    assert sorted(item.id for item in first) == [item.id for item in items]


def test_few_volumes_are_split_all_the_same() -> None:
    """Of three volumes one is tested and one validates, though each is more than a fifth."""
    items = tuple(
        FileItem(f"{c}#{n:02d}", "", f"c{c}", f"d{c}:{n}", volume=True)
        for c in range(3)
        for n in range(10)
    )
    parts = split(Dataset("volumes", items), seed=0)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (10, 10, 10)
    # Every beginning goes through the whole volume.
    assert sorted(int(item.id[-2:]) // 3 for item in parts.test[:3]) == [0, 1, 2]
