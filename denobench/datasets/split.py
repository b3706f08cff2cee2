"""Which images train, which choose parameters, which are tested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from denobench import seeds
from denobench.datasets.base import Dataset, Item
from denobench.errors import DenobenchError

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.2
FOLDS = 5


@dataclass(frozen=True)
class Split:
    """The parts of a data set.

    Attributes
    ----------
    train, validation
        Sorted by id.
    test
        In a seeded random order in which clusters and labels alternate, so that the first images
        stand for all of them.
    leaks
        How many test images have another image of their cluster in train or validation.
    """

    train: tuple[Item, ...]
    validation: tuple[Item, ...]
    test: tuple[Item, ...]
    leaks: int


def split(dataset: Dataset, *, seed: int, by: str = "cluster") -> Split:
    """Split a data set 80/20 into train and test, and take validation images out of the 80.

    Parameters
    ----------
    dataset
        The images. Where they carry a part of their own, that is kept.
    seed
        The run's seed.
    by
        ``cluster`` keeps images of one slice together; ``paper`` is the plain random split, which
        leaks; ``none`` tests every image and leaves none to train.
    """
    items = dataset.items
    if by == "none":
        return Split((), (), _interleaved(_grouped(items)), leaks=0)
    groups = [[item] for item in items] if by == "paper" else _grouped(items)
    groups = _shuffled(groups, seed)
    own = any(item.part for item in items)
    if own:
        test = [group for group in groups if group[0].part == "test"]
        rest = [group for group in groups if group[0].part != "test"]
    else:
        test, rest = _take(groups, TEST_SHARE)
    return _parts(test, rest, kept=own)


def folds(dataset: Dataset, *, seed: int) -> tuple[Split, ...]:
    """Split a data set into five folds by cluster, so that each image is tested once.

    The other four folds train and validate. A data set's own parts are not kept: its clusters are.

    Parameters
    ----------
    dataset
        The images.
    seed
        The run's seed.

    Raises
    ------
    DenobenchError
        If there are too few clusters for every fold to test and to validate some.
    """
    rest = _shuffled(_grouped(dataset.items), seed)
    if len(rest) < 2 * FOLDS:
        raise DenobenchError(
            f"split: folds needs {2 * FOLDS} clusters of images, and {dataset.name} has "
            f"{len(rest)}; use split: none, which tests every image."
        )
    tested = []
    for left in range(FOLDS, 1, -1):
        taken, rest = _take(rest, 1 / left)
        tested.append(taken)
    tested.append(rest)
    return tuple(
        _parts(test, [group for other in tested if other is not test for group in other])
        for test in tested
    )


def spread(items: Sequence[Item], *, seed: int) -> tuple[Item, ...]:
    """Return items in a seeded order in which clusters and labels alternate.

    So that the first ones stand for all of them.
    """
    return _interleaved(_shuffled(_grouped(items), seed))


def _parts(test: list[list[Item]], rest: list[list[Item]], *, kept: bool = False) -> Split:
    """Take validation images out of what is not tested; where the data set names some, ``kept``."""
    validation = [group for group in rest if kept and group[0].part == "validation"]
    if validation:
        train = [group for group in rest if group[0].part != "validation"]
    else:
        validation, train = _take(rest, VALIDATION_SHARE)
    trained, validated = (
        tuple(sorted((item for group in part for item in group), key=lambda item: item.id))
        for part in (train, validation)
    )
    seen = {item.cluster for item in (*trained, *validated)}
    tested = _interleaved(test)
    return Split(trained, validated, tested, leaks=sum(item.cluster in seen for item in tested))


def _shuffled(groups: list[list[Item]], seed: int) -> list[list[Item]]:
    rng = seeds.numbered(seed, 20)
    return [groups[index] for index in rng.permutation(len(groups))]


def _grouped(items: Sequence[Item]) -> list[list[Item]]:
    by_cluster: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_cluster[item.cluster].append(item)
    return [_through(by_cluster[name]) for name in sorted(by_cluster)]


def _through(items: list[Item]) -> list[Item]:
    """Order slices of volumes so that every beginning goes through the whole; others stay."""
    if not all(getattr(item, "volume", False) for item in items):
        return items
    placed, number = [], 0
    left = dict(enumerate(items))
    while left:
        number += 1
        place = int(int(f"{number:b}"[::-1], 2) / 2 ** number.bit_length() * len(items))
        nearest = min(left, key=lambda index: (abs(index - place), index))
        placed.append(left.pop(nearest))
    return placed


def _take(groups: list[list[Item]], share: float) -> tuple[list[list[Item]], list[list[Item]]]:
    """Take groups until each label's share of its images is reached; return taken and left."""
    total: dict[str, int] = defaultdict(int)
    for group in groups:
        total[group[0].label] += len(group)
    wanted = {label: round(share * count) for label, count in total.items()}
    taken: list[list[Item]] = []
    left: list[list[Item]] = []
    for group in groups:
        label = group[0].label
        if len(group) <= wanted[label]:
            wanted[label] -= len(group)
            taken.append(group)
        else:
            left.append(group)
    if not taken and len(left) > 1 and all(getattr(item, "volume", False) for item in left[0]):
        # Few volumes or subjects, each larger than the share: one of them rather than none.
        taken.append(left.pop(left.index(min(left, key=len))))
    return taken, left


def _interleaved(groups: list[list[Item]]) -> tuple[Item, ...]:
    """Order items so that every beginning has many clusters and the labels' shares of the whole."""
    by_label: dict[str, list[Item]] = defaultdict(list)
    # The first image of each group, then the second of each, and so on.
    for layer in zip_longest(*groups):
        for item in layer:
            if item is not None:
                by_label[item.label].append(item)
    placed = [
        ((position + 0.5) / len(members), label, item)
        for label, members in by_label.items()
        for position, item in enumerate(members)
    ]
    return tuple(item for _, _, item in sorted(placed, key=lambda place: place[:2]))
