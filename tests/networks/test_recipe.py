"""Recipes: the learning rate's course, and values that cannot be."""

from __future__ import annotations

import pytest

from denobench.errors import DenobenchError
from denobench.networks import Recipe


def test_cosine_decay():
    """The learning rate falls from its start to a hundredth of it along half a cosine."""
    recipe = Recipe(200, 8, 1e-3)
    assert recipe.rate(0) == 1e-3
    assert recipe.rate(100) == pytest.approx(0.505e-3)
    assert recipe.rate(200) == pytest.approx(1e-5)
    assert Recipe(200, 8, 1e-3, decay="none").rate(150) == 1e-3


def test_warm_up():
    """The learning rate rises step by step, and is what it would be afterwards."""
    recipe = Recipe(10, 8, 1e-3, decay="none", warm_up=1.5)
    assert recipe.rate(0, 0.03) == pytest.approx(2e-5)
    assert recipe.rate(1, 0.25) == pytest.approx(1e-3 * 1.25 / 1.5)
    assert recipe.rate(1, 0.5) == recipe.rate(7) == 1e-3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss": "mes"}, "Unknown loss of method 'tiny' 'mes'. Did you mean 'mse'"),
        ({"optimiser": "lion"}, "Valid: adam, muon, rmsprop, sgd"),
        ({"crop": -1}, "crop of method 'tiny' is -1"),
        ({"crops": 0}, "crops of method 'tiny' is 0"),
        ({"average": 1}, "average of method 'tiny' is 1; give a number from 0 to below 1"),
        ({"average": True}, "average of method 'tiny' is True"),
        ({"warm_up": float("nan")}, "warm_up of method 'tiny' is nan"),
        ({"learning_rate": "fast"}, "learning_rate of method 'tiny' is 'fast'"),
        ({"turns": 1}, "turns of method 'tiny' is 1; give true or false"),
    ],
)
def test_wrong_values(given, message):
    """A wrong value raises one error that names the method, the key and what would be right."""
    recipe = {"epochs": 1, "batch_size": 1, "learning_rate": 0.1} | given
    with pytest.raises(DenobenchError, match=message):
        Recipe(**recipe).check("tiny")
