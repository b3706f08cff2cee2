"""Train the methods that have to be fitted, each in a process of its own that uses all cores."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from denobench import methods, models
from denobench.engine.machine import cores
from denobench.engine.planned import PlannedMethod
from denobench.engine.workers import Child, ChildDiedError
from denobench.methods import FittedDenoiser, Progress, TrainingSet
from denobench.models import Model


def fitted_method(method: PlannedMethod) -> FittedDenoiser:
    """Return the method with its parameters set, not fitted yet."""
    built = methods.build(method.registered, method.parameters)
    assert isinstance(built, FittedDenoiser)
    return built


def obtain(
    method: PlannedMethod,
    training: TrainingSet,
    *,
    plugins: Sequence[Path],
    log: Path,
    progress: Progress,
) -> Model:
    """Return the trained model from the cache, or train it.

    Raises
    ------
    denobench.engine.workers.ChildError
        If the training fails.
    """
    found = models.find(fitted_method(method), training)
    if found:
        return found
    try:
        _train_in_child(method, training, plugins=plugins, log=log, progress=progress)
    except ChildDiedError:  # somebody may have killed it: go on from its checkpoints, once
        _train_in_child(method, training, plugins=plugins, log=log, progress=progress)
    trained = models.find(fitted_method(method), training)
    assert trained is not None
    return trained


def _train_in_child(
    method: PlannedMethod,
    training: TrainingSet,
    *,
    plugins: Sequence[Path],
    log: Path,
    progress: Progress,
) -> None:
    """Train in a process that uses all cores."""
    with Child(
        _train,
        method.registered,
        dict(method.parameters),
        training,
        threads=cores(),
        plugins=plugins,
        log=log,
    ) as child:
        while True:
            message = child.receive()
            if message is None:
                return
            progress(*message)


def _train(
    connection: Connection, registered: str, parameters: dict[str, Any], training: TrainingSet
) -> None:
    """Train in the child, and send home how far it is."""
    method = methods.build(registered, parameters)
    assert isinstance(method, FittedDenoiser)

    def progress(done: float, total: float, text: str = "") -> None:
        connection.send(("progress", (done, total, text)))

    models.train(method, training, progress=progress)
    connection.send(("done", None))
