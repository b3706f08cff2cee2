"""The models of tasks learn what is there, and say the same twice."""

from __future__ import annotations

import numpy as np
import pytest

from denobench.tasks import TaskModel
from denobench.tasks.features import LinearModel
from denobench.tasks.network import SmallNetwork
from denobench.tasks.tumour_aware import TumourAware


def images(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return discs on dark ground, half of them with a bright spot on one side."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    y, x = np.mgrid[:96, :96]
    found = []
    for label in labels:
        image = 0.4 * (np.hypot(y - 48, x - 48) < 40) + 0.02 * rng.normal(size=(96, 96))
        row, column = rng.integers(30, 66), rng.choice([30, 66]) + rng.integers(-5, 5)
        image += label * 0.5 * (np.hypot(y - row, x - column) < 9)
        found.append(image.astype(np.float32))
    return np.stack(found), labels


@pytest.mark.parametrize("model", [LinearModel, SmallNetwork, TumourAware])
def test_model_learns_and_repeats(model: type[TaskModel]) -> None:
    """Bright spots are found in other images, with probabilities, and the same ones again."""
    train, labels = images(40, 0)
    test, truth = images(20, 1)
    answers = []
    for _ in range(2):
        fitted = model()
        fitted.fit(np.stack([fitted.prepare(each) for each in train]), labels, seed=3)
        answers.append(fitted.score(np.stack([fitted.prepare(each) for each in test])))
    assert answers[0].shape == (20,)
    assert ((answers[0] >= 0) & (answers[0] <= 1)).all()
    assert np.mean((answers[0] > 0.5) == truth) >= 0.85, answers[0]
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-5)
