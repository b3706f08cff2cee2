"""Carry out a plan: train, compute the cells that are missing, time the methods."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from denobench.config import Config
from denobench.engine.manifest import describe
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import Plan, Tuned, make_plan
from denobench.engine.stages import gallery, tasks, timing, training, tuning
from denobench.engine.stages.computing import CellStage, Computing, missing_cells
from denobench.engine.stages.pictures import Kept
from denobench.engine.status import Journal
from denobench.engine.workers import nursery
from denobench.engine.workers.cells import Computed, row
from denobench.engine.workers.executors import Executor
from denobench.errors import DenobenchError
from denobench.files import in_place, naming_full_disk
from denobench.manifest import Manifest, Shown
from denobench.progress import Watcher, of_stage
from denobench.registry import hidings
from denobench.rows import LOG, Row, RowStore, RunFolder


@dataclass
class Outcome:
    """What became of a run.

    Attributes
    ----------
    folder
        The run's folder.
    computed, cells
        How many cells were computed now, and how many the plan has.
    scored
        How many cells of the plan have scores.
    interrupted
        Whether Ctrl-C ended it.
    """

    folder: RunFolder
    computed: int = 0
    cells: int = 0
    scored: int = 0
    interrupted: bool = False


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
        outcome, store = Outcome(folder), folder.store
        earlier = _earlier_manifest(folder)
        about = describe(plan, folder.name, earlier)
        _tell_other_versions(earlier, about, journal)
        try:
            for known in _fill(plan, about, outcome, store, journal):
                folder.write_manifest(known)
        except KeyboardInterrupt:
            outcome.interrupted = True
            journal.interrupted()
            nursery.end()
        statuses, planned = store.statuses(), folder.planned() or ()
        outcome.scored = sum(statuses.get(key) == "ok" for key in planned)
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


def _fill(
    plan: Plan, about: Manifest, outcome: Outcome, store: RowStore, watcher: Watcher
) -> Iterator[Manifest]:
    """Go through the stages, and yield the manifest whenever there is more to say in it."""
    folder = outcome.folder
    yield about
    started = time.perf_counter()
    weights = training.train_methods(plan, folder, watcher)
    about = weights.told_in(about)
    if about.stages.training_s is None:
        about = about.took(training_s=_since(started))
    yield about

    started = time.perf_counter()
    tuned, trials = _tune(plan, folder, store, watcher)
    if trials and about.stages.tuning_s is None:
        about = about.took(tuning_s=_since(started))

    planned = plan.cells(weights.files, tuned)
    lost = [*_unavailable_rows(plan, planned, watcher), *training.untrained_rows(planned, weights)]
    without = {found.key for found in lost}
    cells = [cell for cell in planned if cell.key not in without]
    outcome.cells = len(planned)
    folder.write_plan([*(cell.key for cell in cells), *(found.key for found in lost)], trials)
    about = about.but(gallery=gallery.shown(cells, plan.shown))
    yield about
    _keep_lost(lost, store)

    kept = Kept(plan, folder, plan.shown)
    missing = missing_cells(cells, trials, kept, store, watcher)
    seconds, share = _compute(plan, missing, kept, outcome, watcher)
    if missing:
        about = about.took(cells_s=round(seconds, 2), core_share=round(share, 3))
        yield about
    about = about.but(gallery=_picture_by_score(plan, cells, kept, store, watcher))
    yield about

    started = time.perf_counter()
    if timing.time_methods(plan, cells, folder, store, watcher):
        about = about.took(timing_s=_since(started))
        yield about
    tasks.carry_out(plan, cells, folder, watcher)


def _compute(
    plan: Plan, missing: Sequence[Cell], kept: Kept, outcome: Outcome, watcher: Watcher
) -> tuple[float, float]:
    """Compute cells, and say how many were in the outcome; return seconds and share."""
    computing = Computing(kept, outcome.folder.store, watcher, outcome.cells)
    try:
        return computing.compute(plan.config, missing)
    finally:
        outcome.computed = computing.done


def _picture_by_score(
    plan: Plan, cells: Sequence[Cell], kept: Kept, store: RowStore, watcher: Watcher
) -> tuple[Shown, ...]:
    """Keep the pictures of images that scores choose, and return what the gallery shows."""
    images = plan.shown | gallery.by_score(plan, cells, store)
    cells = gallery.pictured(cells, images)
    kept = replace(kept, shown=images)
    missing = missing_cells(cells, set(), kept, store, watcher) if images > plan.shown else []
    if missing:
        computing = Computing(kept, store, watcher, len(missing), name="Gallery")
        computing.compute(plan.config, missing)
    return gallery.shown(cells, images)


def _since(started: float) -> float:
    """Return the seconds since a moment of the performance counter."""
    return round(time.perf_counter() - started, 2)


def _tune(
    plan: Plan, folder: RunFolder, store: RowStore, watcher: Watcher
) -> tuple[Tuned, set[str]]:
    """Return the settings that tuning chose, and the keys of the cells that it took."""
    if not any(plan.tunings()):
        folder.write_table("tuning", None)  # of an earlier config
        return {}, set()

    stage = CellStage("Tuning", watcher)
    known = {found.key: found for found in store if found.status == "ok"}
    most = sum(len(each.corruptions) * len(each.images) for each in plan.tunings())
    with Executor(plan.config, folder, most) as executor:

        def compute(cells: Sequence[Cell], taken: Callable[[Sequence[Row]], None]) -> None:
            def finished(computed: Sequence[Computed]) -> None:
                rows = [each.row for each in computed]
                store.add(rows)
                taken(rows)

            executor.compute(cells, finished, stage.runs)

        cells = tuning.tune(plan, known, compute, stage.reach)
    folder.write_table("tuning", cells)
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


def _keep_lost(lost: Collection[Row], store: RowStore) -> None:
    """Store rows that are not there, so that a finished run's store stays as it is."""
    if not lost:
        return
    new = {found.key: found for found in lost}
    for found in store:
        if new.get(found.key) == found:
            del new[found.key]
    if new:
        store.add(new.values())
