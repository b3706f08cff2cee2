"""Carry out a plan: train, compute the cells that are missing, time the methods."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout

from denobench.config import Config
from denobench.engine.manifest import describe
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import Plan, Tuned, make_plan
from denobench.engine.stages import timing, training, tuning
from denobench.engine.status import Journal
from denobench.engine.workers.cells import Computed, row
from denobench.engine.workers.executors import Executor
from denobench.errors import DenobenchError
from denobench.files import in_place, naming_full_disk, write_text
from denobench.manifest import Manifest, Shown
from denobench.progress import Watcher, of_stage
from denobench.registry import hidings
from denobench.rows import LOG, Row, RunFolder, machine_noise

_NAMED = 4  # cells that a line says to be running


@dataclass
class Outcome:
    """What became of a run.

    Attributes
    ----------
    folder
        The run's folder.
    computed, cells
        How many cells were computed now, and how many the plan has.
    interrupted
        Whether Ctrl-C ended it.
    """

    folder: RunFolder
    computed: int = 0
    cells: int = 0
    interrupted: bool = False


@dataclass
class _Stage:
    """A stage of cells: how many are finished, and which run."""

    name: str
    watcher: Watcher
    done: float = 0.0
    total: float = 1.0
    running: str = ""

    def reach(self, done: float, total: float, text: str = "") -> None:  # noqa: ARG002
        """Say how many are finished."""
        self.done, self.total = done, total
        self.watcher.stage(self.name, done, total, self.running)

    def runs(self, cells: Sequence[Cell]) -> None:
        """Say which run, the first of them in full."""
        named = [f"{cell.method} {cell.noise} on {cell.item.id}" for cell in cells[:_NAMED]]
        more = len(cells) - len(named)
        text = ", ".join(named) + (f" and {more} more" if more else "")
        self.running = text or "waiting for a worker"
        self.reach(self.done, self.total)


def carry_out(config: Config, path: Path, watcher: Watcher) -> Outcome:
    """Fill a run's folder with the rows of a config; what is there already is kept.

    Parameters
    ----------
    config
        What to compare.
    path
        The run's folder, created if it is missing.
    watcher
        Told of progress.

    Raises
    ------
    DenobenchError
        If a name in the config is wrong, images are missing, or another process fills the folder.
    """
    plan = make_plan(config, progress=of_stage(watcher, "Images"))
    for note in plan.dataset.notes:
        watcher.say(note)
    for found in plan.dataset.unreadable:
        watcher.say(f"Left out {found.path}: {found.reason}")
    for hiding in hidings(plan.plugins):
        watcher.say(hiding)
    with plan.plugins, naming_full_disk(path), _locked(path), Journal(path, watcher) as journal:
        folder = RunFolder(path)
        outcome = Outcome(folder)
        earlier = _earlier_manifest(folder)
        about = describe(plan, folder.name, earlier)
        _tell_other_versions(earlier, about, journal)
        try:
            for known in _fill(plan, about, outcome, journal):
                folder.write_manifest(known)
        except KeyboardInterrupt:
            outcome.interrupted = True
            journal.interrupted()
        return outcome


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a run's folder against a second coordinator; a dead one's lock is free."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DenobenchError(f"{path} cannot be the run's folder ({error.strerror}).") from None
    lock, *_ = (in_place(path / name) for name in (".lock", "rows.sqlite", "run.log", LOG))
    try:
        with FileLock(lock, timeout=0):
            yield
    except Timeout:
        raise DenobenchError(
            f"{path} is being filled by another denobench; wait for it, or use another --out."
        ) from None


def _earlier_manifest(folder: RunFolder) -> Manifest | None:
    """Return the manifest of what filled this folder before, or nothing."""
    try:
        return folder.manifest()
    except DenobenchError:
        return None


def _tell_other_versions(earlier: Manifest | None, about: Manifest, watcher: Watcher) -> None:
    """Say which libraries are not those that the folder was filled with before."""
    before = earlier.versions if earlier else {}
    for name, version in about.versions.items():
        if before.get(name, version) != version:
            watcher.say(f"{name} was {before[name]} when this folder was filled, it is {version}.")


def _fill(plan: Plan, about: Manifest, outcome: Outcome, watcher: Watcher) -> Iterator[Manifest]:
    """Go through the stages, and yield the manifest whenever there is more to say in it."""
    folder, config = outcome.folder, plan.config
    yield about
    started = time.perf_counter()
    weights = training.train_methods(plan, folder, watcher)
    about = weights.told_in(about)
    if about.stages.training_s is None:
        about = about.took(training_s=_since(started))
    yield about

    started = time.perf_counter()
    tuned, trials = _tune(plan, folder, watcher)
    if trials and about.stages.tuning_s is None:
        about = about.took(tuning_s=_since(started))

    planned = plan.cells(weights.files, tuned)
    lost = [*_unavailable_rows(plan, planned, watcher), *training.untrained_rows(planned, weights)]
    without = {found.key for found in lost}
    cells = [cell for cell in planned if cell.key not in without]
    outcome.cells = len(cells) + len(lost)
    keys = [cell.key for cell in cells] + [found.key for found in lost]
    folder.write_plan(keys, trials)
    about = about.but(gallery=_shown(cells))
    yield about
    _keep_lost(lost, folder)

    pending = _pending(cells, trials, folder, watcher)
    started = time.perf_counter()
    with Executor(config, folder, len(pending)) as executor:
        busy = _compute(pending, executor, outcome, watcher)
    if pending:
        elapsed = time.perf_counter() - started
        processes = executor.processes
        share = round(busy / elapsed / processes, 3)
        about = about.took(cells_s=round(elapsed, 2), core_share=share)
        yield about

    started = time.perf_counter()
    if _time(plan, cells, folder, watcher):
        yield about.took(timing_s=_since(started))


def _shown(cells: Iterable[Cell]) -> tuple[Shown, ...]:
    """Return what the gallery shows: the observations of the cells whose pictures are kept."""
    observed = {cell.observation: cell for cell in cells if cell.picture}
    return tuple(
        Shown(
            image=cell.item.id,
            noise=cell.noise.model,
            level=cell.noise.level,
            observation=observation,
        )
        for observation, cell in observed.items()
    )


def _since(started: float) -> float:
    """Return the seconds since a moment of the performance counter."""
    return round(time.perf_counter() - started, 2)


def _tune(plan: Plan, folder: RunFolder, watcher: Watcher) -> tuple[Tuned, set[str]]:
    """Return the settings that tuning chose, and the keys of the cells that it took."""
    if not any(plan.tunings()):
        (folder.path / "tuning.csv").unlink(missing_ok=True)  # of an earlier config
        return {}, set()

    stage = _Stage("Tuning", watcher)
    known = {found.key: found for found in folder.store if found.status == "ok"}
    most = sum(len(plan.trial(each, {})) for each in plan.tunings())
    with Executor(plan.config, folder, most) as executor:

        def compute(cells: Sequence[Cell], taken: Callable[[Sequence[Row]], None]) -> None:
            def finished(computed: Sequence[Computed]) -> None:
                rows = [each.row for each in computed]
                folder.store.add(rows)
                taken(rows)

            executor.compute(cells, finished, stage.runs)

        cells = tuning.tune(plan, known, compute, stage.reach)
    write_text(folder.path / "tuning.csv", cells.to_csv(index=False))
    failed = cells[cells["status"] != "ok"].drop_duplicates(["method", "settings"])
    for name, part in failed.groupby("method"):
        watcher.say(
            f"{name} failed in tuning with {', '.join(part['settings'])}: "
            + (part["error"].iloc[0].strip())
        )
    return tuning.chosen(cells), set(cells["key"])


def _unavailable_rows(plan: Plan, cells: Iterable[Cell], watcher: Watcher) -> Iterator[Row]:
    """Yield a skipped row for every cell of a method that cannot be imported here."""
    reasons = {method.name: method.unavailable for method in plan.methods if method.unavailable}
    for name, reason in reasons.items():
        watcher.say(f"{name} is skipped: {reason}")
    for cell in cells:
        if cell.method in reasons:
            yield row(cell, "skipped", reasons[cell.method])


def _keep_lost(lost: Collection[Row], folder: RunFolder) -> None:
    """Store rows that are not there, so that a finished run's store stays as it is."""
    if not lost:
        return
    new = {found.key: found for found in lost}
    for found in folder.store:
        if new.get(found.key) == found:
            del new[found.key]
    if new:
        folder.store.add(new.values())


def _pending(
    cells: Iterable[Cell], trials: set[str], folder: RunFolder, watcher: Watcher
) -> list[Cell]:
    """Return the cells that are not done, and say how many are stale."""
    cells = list(cells)
    statuses = folder.store.statuses()
    pending = [
        cell
        for cell in cells
        if statuses.get(cell.key) != "ok"
        or (cell.picture and not folder.gallery.holds(cell.observation, cell.key))
    ]
    if not pending:
        return []
    planned = {cell.key for cell in cells} | trials
    wanted = {(c.method, c.noise.model, c.noise.level, c.realisation, c.item.id) for c in pending}
    stale = Counter(
        found.method
        for found in folder.store
        if found.key not in planned
        and (found.method, found.noise, found.level, found.realisation, found.image) in wanted
    )
    for name, count in sorted(stale.items()):
        watcher.say(
            f"{count} rows of {name} are stale (its source, parameters, weights, versions or "
            "images have changed) and are computed again."
        )
    return pending


def _compute(pending: list[Cell], executor: Executor, outcome: Outcome, watcher: Watcher) -> float:
    """Compute cells, store their rows, and return the seconds that workers were busy."""
    settled = outcome.cells - len(pending)
    stage = _Stage("Cells", watcher)
    stage.reach(settled, outcome.cells)
    busy = 0.0
    observations = {cell.key: cell.observation for cell in pending}

    def finished(computed: Sequence[Computed]) -> None:
        nonlocal busy, settled
        for each in computed:
            if each.pictures:
                observation = observations[each.row.key]
                outcome.folder.gallery.save(observation, each.row.key, each.pictures)
        rows = [each.row for each in computed]
        outcome.folder.store.add(rows)
        outcome.computed += sum(found.status != "skipped" for found in rows)
        busy += sum(each.seconds for each in computed)
        settled += len(rows)
        _tell(rows, watcher)
        stage.reach(settled, outcome.cells)

    executor.compute(pending, finished, stage.runs)
    return busy


def _tell(rows: list[Row], watcher: Watcher) -> None:
    """Say which cells have no score, and which method is given up."""
    for found in rows:
        if found.status not in ("ok", "skipped"):
            watcher.say(f"{found.method} {found.status} on {found.image}: {found.error}")
    for name, reason in {
        (found.method, found.error) for found in rows if found.status == "skipped"
    }:
        watcher.say(f"{name} is skipped: {reason}")


def _time(plan: Plan, cells: list[Cell], folder: RunFolder, watcher: Watcher) -> bool:
    """Time each method on one image at the middle level; say whether that was still to do."""
    config = plan.config
    if not config.timing.repeats:
        return False
    corruption = config.noises[(len(config.noises) - 1) // 2]
    became = {found.key: (found.status, found.error) for found in folder.store}
    chosen: dict[str, Cell] = {}
    # A method that is not made for this noise is timed on its own; one that fails, where it does
    # not.
    for cell in sorted(
        cells,
        key=lambda cell: (became[cell.key][0] != "ok", cell.noise != corruption),
    ):
        chosen.setdefault(cell.method, cell)
    lost = {name: became[cell.key] for name, cell in chosen.items() if became[cell.key][0] != "ok"}
    known = folder.table("timing")
    if (
        not known.empty
        and set(known["key"]) == {cell.key for cell in chosen.values()}
        and set(known["threads"]) == {config.timing.threads}
        and set(known.get("repeats", pd.Series()).dropna()) <= {config.timing.repeats}
    ):
        return False
    if not chosen:
        return False
    for _ in range(2):
        found = timing.measure(
            list(chosen.values()),
            repeats=config.timing.repeats,
            threads=config.timing.threads,
            timeout=config.timeout,
            log=folder.path / LOG,
            progress=of_stage(watcher, "Timing"),
            lost=lost,
        )
        crashed = set(found.loc[found["status"] == "crashed", "method"])
        if not crashed - set(lost):  # else somebody may have killed a process
            break
    noisy = machine_noise(found)
    if noisy:
        watcher.say(noisy)
    write_text(folder.path / "timing.csv", found.to_csv(index=False))
    return True
