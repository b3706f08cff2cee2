"""What the models of tasks are fitted on, and what they are asked about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import pandas as pd

from denobench.datasets import Item
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import Plan
from denobench.engine.planning.sources import installed_version, protocol_digest
from denobench.files import digest_of
from denobench.noise import Noise
from denobench.seeds import generator
from denobench.tasks import Task, TaskModel

CLEAN, NOISY = "clean", "noisy"
_DIGITS = 24  # of a row's key


@dataclass(frozen=True)
class Source:
    """Images that a model is trained on or asked about: clean ones, or what a method left.

    Attributes
    ----------
    method
        `CLEAN`, `NOISY` or the method's name.
    noise
        Their corruption; None for clean images.
    keys
        What each image is, by its id: a cell's key, or the clean image's.
    """

    method: str
    noise: Noise | None
    keys: Mapping[str, str]


@dataclass(frozen=True)
class Question:
    """Images that a fitted model is asked about, and how its rows are called."""

    regime: str
    noise: Noise
    source: Source


@dataclass(frozen=True)
class Fit:
    """A model fitted on some images, and asked about others.

    Attributes
    ----------
    task, model
        What is asked, and who answers.
    source, outside
        What it is fitted on.
    questions, inside, fold
        What it is asked about, and the number of the fold that these are.
    seed, size
        The run's.
    """

    task: Task
    model: type[TaskModel]
    source: Source
    outside: tuple[Item, ...]
    questions: tuple[Question, ...]
    inside: tuple[Item, ...]
    fold: int
    seed: int
    size: int | None

    @cached_property
    def key(self) -> str:
        """Digest of everything that can change the fitted model."""
        trained = [(self.source.keys[item.id], item.label) for item in self.outside]
        return digest_of([self.task.name, maker(self.model), self.seed, trained])

    def rows(self) -> pd.DataFrame:
        """Return the rows that it gives, without what the model says."""
        return pd.DataFrame(
            [
                {
                    "key": digest_of(
                        [self.key, q.regime, str(q.noise), q.source.keys[item.id], item.label]
                    )[:_DIGITS],
                    "task": self.task.name, "model": self.model.name, "regime": q.regime,
                    "noise": q.noise.model, "level": q.noise.level, "method": q.source.method,
                    "fold": self.fold, "image": item.id, "cluster": item.cluster,
                }
                for q in self.questions
                for item in self.inside
            ]
        )  # fmt: skip


@lru_cache(maxsize=64)
def maker(model: type[TaskModel]) -> str:
    """Return the digest of a model: its version, a stranger's source, and its libraries'."""
    versions = [installed_version(package) for package in model.packages]
    return digest_of([model.name, model.version, protocol_digest(model), versions])


def find_sources(plan: Plan, cells: Sequence[Cell]) -> list[Source]:
    """Return all images there are: the clean ones, and of every corruption what each method left.

    Parameters
    ----------
    plan
        With the tasks.
    cells
        Those whose answers are there. A method that did not answer for some image is left out: its
        models would see fewer.
    """
    side = plan.config.side
    # By their ids, too: copies of a file are rows of their own, as they are cells of their own.
    clean = {
        each.id: digest_of([CLEAN, each.id, each.digest, each.reading, side]) for each in plan.test
    }
    found = [Source(CLEAN, None, clean)]
    by: dict[tuple[Noise, str], dict[str, str]] = {}
    for cell in cells:
        if not cell.realisation:
            by.setdefault((cell.noise, cell.method), {})[cell.item.id] = cell.key
    for corruption in plan.config.noises:
        for method in plan.methods:
            keys = by.get((corruption, method.name), {})
            if len(keys) == len(plan.test):
                name = NOISY if method.registered == "identity" else method.name
                found.append(Source(name, corruption, keys))
    return found


def fits(plan: Plan, sources: Sequence[Source]) -> Iterator[Fit]:
    """Yield every fit of every task: one per model, images that it is trained on, and fold."""
    clustered = [[i for i in plan.test if plan.folds[i.id] == n] for n in range(len(plan.splits))]
    several = len({item.cluster for item in plan.test}) < len(plan.test)
    mixed = _at_random(plan) if several else []
    for task in plan.tasks:
        for model in task.models:
            for source, questions in _questions(plan, sources):
                folds = mixed if questions[0].regime == "random" else clustered
                known = [tuple(task.items(fold)) for fold in folds]
                for number, inside in enumerate(known):
                    outside = tuple(item for fold in known if fold is not inside for item in fold)
                    yield Fit(
                        *(task, model, source, outside, tuple(questions), inside, number),
                        *(plan.config.seed, plan.config.side),
                    )


def _at_random(plan: Plan) -> list[list[Item]]:
    """Return folds that ignore clusters, with as many images of every label."""
    order = generator("task folds", plan.config.seed).permutation(len(plan.test))
    drawn = sorted((plan.test[place] for place in order), key=lambda item: item.label)
    return [drawn[number :: len(plan.splits)] for number in range(len(plan.splits))]


def _questions(plan: Plan, sources: Sequence[Source]) -> Iterator[tuple[Source, list[Question]]]:
    """Yield what models are trained on, and all that they are then asked about.

    Clean images stand beside every corruption.
    """
    (clean, *rest) = sources
    of = {noise: [s for s in rest if s.noise == noise] for noise in plan.config.noises}
    every = [(noise, each) for noise, found in of.items() for each in (clean, *found)]
    asked = [Question("clean", noise, each) for noise, each in every]
    yield clean, [*asked, *(Question("denoised", noise, clean) for noise in of)]
    yield clean, [Question("random", noise, clean) for noise in of]
    for noise, found in of.items():
        for source in found:
            own = [Question("denoised", noise, source)]
            if source.method == NOISY:
                own = [*(Question("noisy", noise, each) for each in (clean, *found)), *own]
            yield source, own
