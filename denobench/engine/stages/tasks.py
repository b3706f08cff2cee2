"""Tasks: models fitted on clean, noisy or denoised images, and scored on folds not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from denobench.datasets import Item
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import Plan
from denobench.engine.stages.kept import Answers, load, save
from denobench.errors import DenobenchError
from denobench.files import digest_of, safe_name
from denobench.noise import Noise
from denobench.progress import Progress
from denobench.rows import RunFolder
from denobench.tasks import Task, TaskModel

CLEAN, NOISY = "clean", "noisy"
_COLUMNS = [
    *("key", "task", "model", "regime", "noise", "level", "method", "fold"),
    *("image", "cluster", "label", "score", "prediction"),
]


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
    keys: dict[str, str]


@dataclass
class _Images:
    """Prepared images, computed once for a model and kept by key."""

    plan: Plan
    answers: Answers
    model: TaskModel
    folder: Path
    items: dict[str, Item] = field(default_factory=dict)

    def prepared(self, source: Source, items: Sequence[Item]) -> np.ndarray:
        return np.stack([self._one(source, item) for item in items])

    def _one(self, source: Source, item: Item) -> np.ndarray:
        name = safe_name(f"{self.model.name}-{self.model.version}")
        file = self.folder / "prepared" / name / f"{safe_name(source.keys[item.id])}.npy"
        if file.is_file():
            return load(file)
        if source.noise is None:
            image = item.observe(self.plan.config.side).reference
        else:
            image = self.answers.read(source.keys[item.id])
        file.parent.mkdir(parents=True, exist_ok=True)
        found = np.asarray(self.model.prepare(np.asarray(image, np.float32)), np.float32)
        save(file, found)
        return found


def carry_out(plan: Plan, cells: Sequence[Cell], folder: RunFolder, progress: Progress) -> None:
    """Fit and score every model of every task; what is there already is not computed again.

    Parameters
    ----------
    plan
        With the tasks.
    cells
        The run's cells, whose answers are kept.
    folder
        The run's, which gets ``tasks.csv``: a row per task, model, regime, corruption, method and
        image, written whenever a model was fitted.
    progress
        Told how many fits of how many are done.
    """
    if not plan.tasks:
        folder.write_table("tasks", None)  # of an earlier config
        return
    known = _known(folder)
    sources = _sources(plan, cells, Answers.of(folder))
    jobs = [
        (task, model, *job)
        for task in plan.tasks
        for model in task.models
        for job in _jobs(plan, sources)
    ]
    rows: list[pd.DataFrame] = []
    for done, (task, model, regime, trained, tested) in enumerate(jobs):
        progress(done, len(jobs), f"{task.name}: {model.title} on {trained.method} images")
        images = _Images(plan, Answers.of(folder), model(), folder.path / "tasks")
        for fold in range(len(plan.splits)):
            found = _score(plan, task, images, regime, trained, tested, fold, known)
            rows.append(found)
        known = pd.concat([known, *rows[-len(plan.splits) :]]).drop_duplicates("key", keep="last")
        folder.write_table("tasks", known)
    progress(len(jobs), len(jobs), "")
    if rows:
        folder.write_table("tasks", pd.concat(rows))  # what an earlier config left goes


def _sources(plan: Plan, cells: Sequence[Cell], answers: Answers) -> list[Source]:
    """Return all images there are: the clean ones, and of every corruption what each method left.

    A method that did not answer for some image is left out: its models would see fewer.
    """
    side = plan.config.side
    clean = {each.id: digest_of([CLEAN, each.digest, each.reading, side]) for each in plan.test}
    found = [Source(CLEAN, None, clean)]
    for corruption in plan.config.noises:
        for method in plan.methods:
            own = [
                cell
                for cell in cells
                if cell.method == method.name
                and cell.noise == corruption
                and not cell.realisation
                and answers.holds(cell.key)
            ]
            if len(own) == len(plan.test):
                name = NOISY if method.registered == "identity" else method.name
                found.append(Source(name, corruption, {cell.item.id: cell.key for cell in own}))
    return found


def _jobs(
    plan: Plan, sources: Sequence[Source]
) -> Iterator[tuple[str, Source, list[tuple[Source, Noise]]]]:
    """Yield each regime's training images, and what its models are asked about, at which noise.

    Clean images stand beside every corruption.
    """
    (clean, *rest) = sources
    of = {noise: [s for s in rest if s.noise == noise] for noise in plan.config.noises}
    with_clean = [(each, noise) for noise, found in of.items() for each in (clean, *found)]
    yield "clean", clean, with_clean
    for noise, found in of.items():
        for noisy in (each for each in found if each.method == NOISY):
            yield "noisy", noisy, [(each, noise) for each in (clean, *found)]
    yield "denoised", clean, [(clean, noise) for noise in of]
    for noise, found in of.items():
        for source in found:
            yield "denoised", source, [(source, noise)]


def _score(
    plan: Plan,
    task: Task,
    images: _Images,
    regime: str,
    trained: Source,
    tested: Sequence[tuple[Source, Noise]],
    fold: int,
    known: pd.DataFrame,
) -> pd.DataFrame:
    """Return the rows of one fold: known ones, or those of a model fitted on the other folds."""
    inside = [item for item in plan.test if plan.folds[item.id] == fold]
    outside = [item for item in plan.test if plan.folds[item.id] != fold]
    made_of = [task.name, images.model.name, images.model.version, plan.config.seed]
    fit = digest_of([*made_of, [trained.keys[item.id] for item in outside]])
    labels = dict(zip((i.id for i in plan.test), task.labels(plan.test).tolist(), strict=True))
    wanted = pd.DataFrame(
        [
            {
                "key": digest_of([fit, regime, str(noise), source.keys[item.id]]),
                "task": task.name, "model": images.model.name, "regime": regime,
                "noise": noise.model, "level": noise.level, "method": source.method,
                "fold": fold, "image": item.id, "cluster": item.cluster, "label": labels[item.id],
            }
            for source, noise in tested
            for item in inside
        ]
    )  # fmt: skip
    there = known[known["key"].isin(wanted["key"])].drop_duplicates("key")
    if len(there) == len(wanted["key"].unique()):
        return wanted.merge(there[["key", "score", "prediction"]], on="key")[_COLUMNS]
    model = images.model
    train = np.array([labels[item.id] for item in outside])
    model.fit(images.prepared(trained, outside), train, seed=plan.config.seed)
    score = partial(_probabilities, task, model)
    scores = np.concatenate([score(images.prepared(source, inside)) for source, _ in tested])
    return wanted.assign(score=scores, prediction=(scores > 0.5).astype(int))[_COLUMNS]


def _probabilities(task: Task, model: TaskModel, prepared: np.ndarray) -> np.ndarray:
    scores = np.asarray(model.score(prepared), np.float64)
    if scores.shape != (len(prepared),) or not ((scores >= 0) & (scores <= 1)).all():
        raise DenobenchError(
            f"Task {task.name}: the model {model.name} must give one probability in [0, 1] per "
            f"image, and gave {scores.shape} for {len(prepared)} images."
        )
    return scores


def _known(folder: RunFolder) -> pd.DataFrame:
    """Return the rows that are there; none where the table is missing or damaged."""
    try:
        found = folder.table("tasks")
    except DenobenchError:
        found = pd.DataFrame()
    return pd.DataFrame(columns=_COLUMNS) if found.empty else found[_COLUMNS]
