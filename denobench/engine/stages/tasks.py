"""Tasks: models fitted on clean, noisy or denoised images, and asked about folds not seen."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any

import pandas as pd

from denobench.engine.planning.cell import Cell
from denobench.engine.planning.fits import Fit, Source, find_sources, fits
from denobench.engine.planning.plan import Plan
from denobench.engine.workers.answers import USED, Answers
from denobench.engine.workers.child import Child, ChildError
from denobench.engine.workers.fitting import Preparation, Prepared, serve
from denobench.engine.workers.machine import cores
from denobench.errors import DenobenchError
from denobench.files import subfolder, write_text
from denobench.progress import Watcher
from denobench.records import TASK_COLUMNS, TASK_KEY
from denobench.rows import LOG, RunFolder
from denobench.tasks import TaskModel

STAGE = "Tasks"

_WRITE_SECONDS = 10.0  # of fits that a kill may cost
_LOOK_SECONDS = 0.5

Job = Preparation | Fit


@dataclass
class _Table:
    """The rows that are known, written now and then."""

    folder: RunFolder
    known: pd.DataFrame
    new: list[pd.DataFrame] = field(default_factory=list)
    written: float = field(default_factory=time.monotonic)

    def take(self, rows: pd.DataFrame) -> None:
        """Keep the rows of a fit."""
        self.new.append(rows)
        if time.monotonic() - self.written > _WRITE_SECONDS:
            self.write()

    def write(self) -> None:
        """Write all rows that are known."""
        if self.new:
            parts: list[pd.DataFrame] = [self.known, *self.new]
            self.known = pd.concat(parts, ignore_index=True).drop_duplicates(TASK_KEY, keep="last")
            self.new = []
            self.folder.write_table("tasks", self.known)
        self.written = time.monotonic()


def carry_out(plan: Plan, cells: Sequence[Cell], folder: RunFolder, watcher: Watcher) -> None:
    """Fit and ask every model of every task; what is there already is not computed again.

    Parameters
    ----------
    plan
        With the tasks.
    cells
        The run's cells, whose answers are kept.
    folder
        The run's, which gets ``tasks.csv``: a row per task, model, regime, corruption, method and
        image, written every ten seconds and whenever the stage ends, however that is.
    watcher
        Told how many fits of how many are done, and which methods take no part.

    Raises
    ------
    DenobenchError
        If a model raises, or says what is no probability.
    """
    if not plan.tasks:
        folder.write_table("tasks", None)  # of an earlier config
        (folder.path / "tasks" / USED).unlink(missing_ok=True)
        return
    answers = Answers.of(folder)
    sources = find_sources(plan, [cell for cell in cells if answers.holds(cell.key)])
    _tell_left_out(plan, sources, watcher)
    prepared = Prepared(folder.path.absolute() / "tasks" / "prepared", answers)
    _write_used(plan, sources, folder, prepared)
    every = [*fits(plan, sources)]
    wanted = [fit.rows() for fit in every]
    current = pd.concat(wanted)[TASK_KEY]
    known = _known(folder)
    table = _Table(folder, known[known[TASK_KEY].isin(current)])  # what an earlier config left goes
    keys = {*table.known[TASK_KEY]}
    missing = [n for n, rows in enumerate(wanted) if not {*rows[TASK_KEY]} <= keys]
    done = len(every) - len(missing)
    rows_of = {id(every[n]): wanted[n] for n in missing}

    def taken(job: Job, told: Any) -> None:
        nonlocal done
        if isinstance(job, Fit):
            done += 1
            table.take(rows_of[id(job)].join(pd.DataFrame(told)).reindex(columns=TASK_COLUMNS))

    def runs(job: Job) -> None:
        watcher.stage(STAGE, done, len(every), _text(job))

    try:
        todo = [every[n] for n in missing]
        _work([*_preparations(plan, todo), *todo], plan, folder, prepared, taken, runs)
    finally:
        table.write()
    watcher.stage(STAGE, len(every), len(every), "")
    rows = table.known.set_index(TASK_KEY).loc[[*current]].reset_index()[[*TASK_COLUMNS]]
    if not rows.equals(known.reset_index(drop=True)):
        folder.write_table("tasks", rows)


def _work(
    jobs: Sequence[Job],
    plan: Plan,
    folder: RunFolder,
    prepared: Prepared,
    taken: Callable[[Job, Any], None],
    runs: Callable[[Job], None],
) -> None:
    """Do jobs in processes of one thread each; all images are prepared before a model is fitted."""
    waiting = deque(jobs)
    with ExitStack() as stack:
        idle = [
            stack.enter_context(
                Child(serve, prepared, threads=1, plugins=plan.config.plugins,
                      log=folder.path / LOG)
            )
            for _ in range(min(plan.config.workers or cores(), len(jobs)))
        ]  # fmt: skip
        busy: dict[Any, tuple[Child, Job]] = {}
        while waiting or busy:
            preparing = any(isinstance(job, Preparation) for _, job in busy.values())
            while idle and waiting and not (preparing and isinstance(waiting[0], Fit)):
                job, child = waiting.popleft(), idle.pop()
                child.connection.send(job)
                busy[child.connection] = child, job
                runs(job)
            ready = wait([*busy], _LOOK_SECONDS)
            gone = [each for each, (child, _) in busy.items() if child.died()]
            for connection in dict.fromkeys([*ready, *gone]):
                child, job = busy.pop(connection)
                try:
                    told = child.receive()
                except ChildError as error:
                    raise DenobenchError(f"{_text(job)}: {error}") from None
                idle.append(child)
                taken(job, told)


def _preparations(plan: Plan, todo: Sequence[Fit]) -> Iterator[Preparation]:
    """Yield what has to be prepared for some fits, each once."""
    found: dict[tuple[Any, ...], tuple[type[TaskModel], Source]] = {}
    for fit in todo:
        for source in (fit.source, *(question.source for question in fit.questions)):
            found[fit.model, source.method, source.noise] = fit.model, source
    for model, source in found.values():
        items = {i.id: i for fit in todo if fit.model is model for i in (*fit.inside, *fit.outside)}
        yield Preparation(model, source, tuple(items.values()), plan.config.side)


def _text(job: Job) -> str:
    """Say what a job is."""
    where = f"{job.source.method} images"
    if job.source.noise is not None:
        where += f", {job.source.noise}"
    if isinstance(job, Preparation):
        return f"{job.model.title}: looks at {where}"
    return f"{job.task.name}: {job.model.title} on {where}, fold {job.fold + 1}"


def _tell_left_out(plan: Plan, sources: Sequence[Source], watcher: Watcher) -> None:
    """Say which methods take no part, since they did not answer for every image."""
    there = {(source.noise, source.method) for source in sources}
    for corruption in plan.config.noises:
        for method in plan.methods:
            named = method.registered == "identity" or (corruption, method.name) in there
            if not named and method.runs_on(corruption):
                watcher.say(
                    f"{method.name} takes no part in tasks at {corruption}: it has not answered "
                    "for every image."
                )


def _write_used(
    plan: Plan, sources: Sequence[Source], folder: RunFolder, prepared: Prepared
) -> None:
    """Write down which files the plan uses; all others may go."""
    models = {model for task in plan.tasks for model in task.models}
    files = [
        file
        for source in sources
        for key in source.keys.values()
        for file in (
            *((prepared.answers.file(key),) if source.noise else ()),
            *(prepared.file(model, key) for model in models),
        )
    ]
    root = subfolder(folder.path.absolute(), "tasks")
    names = sorted(file.relative_to(root).as_posix() for file in files)
    write_text(root / USED, json.dumps(names))


def _known(folder: RunFolder) -> pd.DataFrame:
    """Return the rows that are there; none where the table is missing or damaged."""
    try:
        found = folder.table("tasks")
    except DenobenchError:
        found = pd.DataFrame()
    return found.reindex(columns=TASK_COLUMNS)
