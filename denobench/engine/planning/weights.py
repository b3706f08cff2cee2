"""Weights of another training, which a fitted method uses where every fold has the same."""

from __future__ import annotations

from collections.abc import Sequence

from denobench import methods, models
from denobench.datasets import Dataset, Item, split
from denobench.engine.planning.methods import PlannedMethod
from denobench.errors import DenobenchError
from denobench.files import digest_of
from denobench.methods import FittedDenoiser
from denobench.models import Model
from denobench.tasks import Task


def trained(method: PlannedMethod) -> Model | None:
    """Return weights of another training for a fitted method, or None."""
    built = methods.build(method.registered, method.parameters)
    assert isinstance(built, FittedDenoiser)
    return models.ready(built)


def seen(model: Model, dataset: Dataset, test: Sequence[Item], *, seed: int) -> int:
    """Return how many test images weights were trained or validated on, as far as is known.

    It is of those that a run on the same data set with the same seed has trained.
    """
    parts = split(dataset, seed=seed)
    if digest_of([item.digest for item in parts.train]) != model.record.training.train:
        return 0
    return len({item.id for item in (*parts.train, *parts.validation)} & {i.id for i in test})


def check_weights(planned: Sequence[PlannedMethod], tasks: Sequence[Task]) -> None:
    """Raise if a method has to be trained in folds; for tasks, weights of another training do."""
    fitted = [method for method in planned if method.fitted]
    lacking = [each.name for each in fitted if not (tasks and trained(each))]
    if lacking:
        without = ", and there are no weights of another training" if tasks else ""
        raise DenobenchError(
            f"{', '.join(lacking)}: has to be trained, which split: folds is not for{without}; "
            "use split: cluster, or leave the method out."
        )
