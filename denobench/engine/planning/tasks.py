"""The tasks of a config, with every name and image checked."""

from __future__ import annotations

from collections.abc import Sequence

from denobench.config import Config
from denobench.datasets import Item, Split
from denobench.engine.planning.measured import NONE
from denobench.engine.planning.methods import PlannedMethod
from denobench.errors import DenobenchError
from denobench.tasks import REGISTRY, Task


def plan_tasks(
    config: Config, methods: Sequence[PlannedMethod], splits: Sequence[Split], test: Sequence[Item]
) -> tuple[Task, ...]:
    """Return the tasks that a config asks for.

    Raises
    ------
    DenobenchError
        If a task is unknown, or cannot be asked of these images and methods.
    """
    if not config.tasks:
        return ()
    named = ", ".join(config.tasks)
    if config.split != "folds":
        raise DenobenchError(
            f"tasks: {named}: every image has to be tested once by models that have not seen its "
            f"cluster, which split: {config.split} does not do; use split: folds."
        )
    if config.references == NONE:
        raise DenobenchError(
            f"tasks: {named}: models are also trained on clean images, which references: none does "
            "not have; leave the tasks out."
        )
    if not any(method.registered == "identity" for method in methods):
        raise DenobenchError(
            f"tasks: {named}: doing nothing has to stand beside the methods; add identity to them."
        )
    tasks = tuple(REGISTRY.load(name) for name in dict.fromkeys(config.tasks))
    ids = {item.id for item in test}
    tested = [[item for item in part.test if item.id in ids] for part in splits]
    for task in tasks:
        task.check(test, tested)
    return tasks
