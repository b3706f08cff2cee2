"""The tasks of a config, with every name and image checked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from denobench.config import Config
from denobench.datasets import Item, Split
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
    if not any(method.registered == "identity" for method in methods):
        raise DenobenchError(
            f"tasks: {named}: doing nothing has to stand beside the methods; add identity to them."
        )
    tasks = tuple(REGISTRY.load(name) for name in config.tasks)
    ids = {item.id for item in test}
    tested = [[item for item in part.test if item.id in ids] for part in splits]
    for task in tasks:
        _check_labels(task, test, tested)
    return tasks


def _check_labels(task: Task, test: Sequence[Item], tested: Sequence[Sequence[Item]]) -> None:
    """Raise if a fold would test or train one label alone."""
    labels = dict(zip((item.id for item in test), task.labels(test).tolist(), strict=True))
    for number, fold in enumerate(tested):
        found = {labels[item.id] for item in fold}
        if len(found) < 2:
            counts = {
                name: len([*items]) for name, items in groupby(sorted(item.label for item in test))
            }
            told = ", ".join(f"{count} {name!r}" for name, count in counts.items())
            raise DenobenchError(
                f"Task {task.name}: fold {number + 1} of {len(tested)} has images of "
                f"{'one label' if found else 'no label'} alone (in all: {told}); it needs more "
                "images and clusters of both labels, or no limit."
            )
