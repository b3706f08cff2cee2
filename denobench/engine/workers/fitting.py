"""Fit the models of tasks in a process: prepare images, train, ask, rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from denobench.datasets import Item
from denobench.engine.planning.fits import Fit, Source, maker
from denobench.engine.workers.answers import Answers, load, save
from denobench.files import safe_name, subfolder
from denobench.tasks import TaskModel

_SOURCES = 32  # of a model whose images a process holds


@dataclass(frozen=True)
class Preparation:
    """What a model sees of some images: computed once and kept by key."""

    model: type[TaskModel]
    source: Source
    items: tuple[Item, ...]
    size: int | None


@dataclass(frozen=True)
class Prepared:
    """Where prepared images are kept, and what they are made of.

    Attributes
    ----------
    path
        Folder of the prepared images.
    answers
        The denoised ones.
    """

    path: Path
    answers: Answers

    def file(self, model: type[TaskModel], key: str) -> Path:
        """Return the file of a prepared image."""
        return self.path / f"{safe_name(model.name)}-{maker(model)[:12]}" / f"{safe_name(key)}.npy"

    def one(self, model: type[TaskModel], source: Source, item: Item, size: int | None) -> Any:
        """Return a prepared image, from the file or made anew."""
        file = self.file(model, source.keys[item.id])
        if file.is_file():
            return load(file)
        if source.noise is None:
            image = item.observe(size).reference
        else:
            image = self.answers.read(source.keys[item.id])
        subfolder(self.path.parents[1], *file.parent.parts[-3:])
        found = np.asarray(model().prepare(np.asarray(image, np.float32)), np.float32)
        save(file, found)
        return found


def serve(connection: Connection, prepared: Prepared) -> None:
    """Do what comes through the pipe, and send home what each fit says."""
    kept = lru_cache(maxsize=_SOURCES)(lambda *_: dict[str, np.ndarray]())

    def images(
        model: type[TaskModel], source: Source, items: Sequence[Item], size: int | None
    ) -> np.ndarray:
        held = kept(model, source.method, source.noise)
        for item in items:
            if item.id not in held:
                held[item.id] = prepared.one(model, source, item, size)
        return np.stack([held[item.id] for item in items])

    while True:
        job = connection.recv()
        if isinstance(job, Preparation):
            for item in job.items:
                prepared.one(job.model, job.source, item, job.size)
            connection.send(("done", None))
        else:
            connection.send(("done", rated(job, images)))


def rated(fit: Fit, images: Any) -> list[dict[str, Any]]:
    """Return what a fitted model says, rated: in the order of the fit's rows."""
    model = fit.model()
    truths = [fit.task.truth(item, fit.size) for item in fit.outside]
    model.fit(images(fit.model, fit.source, fit.outside, fit.size), truths, seed=fit.seed)
    truths = [fit.task.truth(item, fit.size) for item in fit.inside]
    told: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    found = []
    for question in fit.questions:
        which = (question.source.method, question.source.noise)
        if which not in told:
            shown = images(fit.model, question.source, fit.inside, fit.size)
            answers = fit.task.checked(model, model.score(shown), len(shown))
            told[which] = [
                fit.task.rate(answer, truth, item, fit.size)
                for answer, truth, item in zip(answers, truths, fit.inside, strict=True)
            ]
        found += told[which]
    return found
