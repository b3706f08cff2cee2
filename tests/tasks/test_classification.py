"""Which images a question with two answers can be asked of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from denobench.datasets import Item
from denobench.errors import DenobenchError
from denobench.tasks.classification import tumour_classification as task
from denobench.tasks.features import LinearModel


@dataclass(frozen=True)
class Labelled(Item):
    """An image that has a label."""

    def read(self, size: int | None = None) -> np.ndarray:  # noqa: ARG002
        return np.zeros((8, 8), np.float32)


def folds(*labels: str) -> list[list[Item]]:
    """Return folds with an image per letter: y for yes, n for no, m for maybe, - for none."""
    names = {"y": "yes", "n": "no", "m": "maybe", "-": ""}
    return [
        [Labelled(f"{f}{n}", names[letter], f"{f}{n}", "d") for n, letter in enumerate(fold)]
        for f, fold in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("--", "--"), "two labels, 'yes' and another .*; these have: none"),
        (("yy", "yy"), "these have: 4 'yes'"),
        (("nn", "nm"), "these have: 1 'maybe', 3 'no'"),
        (("yn", "ym"), "these have: 1 'maybe', 1 'no', 2 'yes'"),
        (("y-", "y-"), "these have: 2 '', 2 'yes'"),
        (("yn", "yn", "y"), "of 'no' there are 2 images .in all: 2 'no', 3 'yes'"),
        (("ynn", "nn", "yny"), "fold 2 of 3 has images of one label alone"),
    ],
)
def test_what_cannot_be_asked_is_refused(labels: tuple[str, ...], message: str) -> None:
    """One sentence says what there is."""
    parts = folds(*labels)
    with pytest.raises(DenobenchError, match=message):
        task.check([item for part in parts for item in part], parts)


def test_both_labels_in_every_fold_will_do() -> None:
    """Two of each fold are enough, and the positive label counts as 1."""
    parts = folds("yn", "ny")
    task.check([item for part in parts for item in part], parts)
    assert [task.truth(item, None) for item in parts[0]] == [1, 0]


def test_answers_that_are_no_probabilities_are_refused() -> None:
    """Neither values beyond 1, nor gaps, nor one answer too few."""
    for scores in (np.array([0.5, 1.2]), np.array([0.5, np.nan]), np.array([0.5])):
        with pytest.raises(DenobenchError, match="linear must give probabilities"):
            task.checked(LinearModel(), scores, 2)
    with pytest.raises(DenobenchError, match="one probability per image"):
        task.checked(LinearModel(), np.full((2, 3), 0.5), 2)
