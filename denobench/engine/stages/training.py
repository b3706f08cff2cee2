"""Train the methods that have to be fitted, each in a process of its own that uses all cores."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pandas as pd

from denobench import methods, models
from denobench.config import Config
from denobench.device import show
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.methods import PlannedMethod
from denobench.engine.planning.plan import Plan
from denobench.engine.planning.weights import seen, trained
from denobench.engine.workers.cells import row
from denobench.engine.workers.child import Child, ChildDiedError, ChildError
from denobench.engine.workers.machine import cores
from denobench.errors import DenobenchError
from denobench.files import replacing, safe_name, subfolder
from denobench.manifest import Manifest, TrainingRecord
from denobench.methods import FittedDenoiser, TrainingSet
from denobench.models import Model
from denobench.networks import NetworkDenoiser
from denobench.networks import device as devices
from denobench.networks.weights import parameters
from denobench.noise import Noise
from denobench.progress import Progress, Watcher, of_stage
from denobench.rows import LOG, Row, RunFolder


@dataclass
class Weights:
    """The trained models of a run, and the reasons of those that could not be trained.

    Attributes
    ----------
    records, remarks
        How each method's networks were trained, and what a table must say of it.
    copies
        Names of the copies in the run's folder, by digest: methods may have the same weights.
    """

    paths: dict[tuple[str, Noise], tuple[Path, str]] = field(default_factory=dict)
    failures: dict[tuple[str, Noise], str] = field(default_factory=dict)
    records: dict[str, TrainingRecord] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)

    def told_in(self, about: Manifest) -> Manifest:
        """Return a manifest with how the methods' networks were trained."""
        methods = {
            name: told.model_copy(
                update={
                    "training": self.records[name],
                    "remark": "; ".join(filter(None, (told.remark, self.remarks[name]))),
                }
            )
            if name in self.records
            else told
            for name, told in about.methods.items()
        }
        return about.but(methods=methods, models=tuple(self.copies.values()))

    @property
    def files(self) -> dict[tuple[str, Noise], tuple[Path, str]]:
        """File and digest of all weights; of those that could not be trained, none."""
        return {**self.paths, **dict.fromkeys(self.failures, (Path(), "untrained"))}


def train_methods(plan: Plan, folder: RunFolder, watcher: Watcher) -> Weights:
    """Obtain the weights of every fitted method, and write their histories and copies."""
    if len(plan.splits) > 1:
        return _shared(plan, folder)
    check_device(plan, folder.path / LOG)
    weights = Weights()
    histories: list[pd.DataFrame] = []
    for method, trained_on, corruptions in plan.trainings():
        stage = f"Training {method.name}"

        try:
            model = obtain(
                method,
                trained_on,
                plan.config,
                log=folder.path / LOG,
                progress=of_stage(watcher, stage),
            )
        except (ChildError, DenobenchError) as error:
            watcher.say(f"{method.name} could not be trained: {error}")
            weights.failures |= {(method.name, each): str(error) for each in corruptions}
            continue
        watcher.stage(stage, 1, 1)
        found = (model.weights, model.digest)
        owner = next((name for (name, _), same in weights.paths.items() if same == found), "")
        weights.paths |= {(method.name, each): found for each in corruptions}
        histories.append(_history(method, model, corruptions))
        weights.records[method.name] = _record(
            weights.records.get(method.name), model, method, trained_on.size
        )
        shared = f"the weights of {owner}" if owner not in ("", method.name) else ""
        own = fitted_method(method).remark(model.history)
        weights.remarks[method.name] = "; ".join(filter(None, (shared, own)))
        _keep_model(weights, folder, method, model, corruptions)
    folder.write_table("training", pd.concat(histories) if histories else None)
    return weights


def _shared(plan: Plan, folder: RunFolder) -> Weights:
    """Return weights of other trainings: in folds a fitted method has none of its own."""
    weights = Weights()
    for method in (each for each in plan.methods if each.fitted):
        model = trained(method)
        assert model is not None  # the plan has looked
        own = tuple(filter(method.runs_on, plan.config.noises))
        weights.paths |= {(method.name, each): (model.weights, model.digest) for each in own}
        weights.records[method.name] = _record(None, model, method, plan.config.side)
        known = seen(model, plan.dataset, plan.test, seed=plan.config.seed)
        weights.remarks[method.name] = (
            f"weights of another training, which saw {known or 'none'} of these images"
        )
        _keep_model(weights, folder, method, model, own)
    folder.write_table("training", None)
    return weights


def untrained_rows(cells: Iterable[Cell], weights: Weights) -> Iterator[Row]:
    """Yield a failed row for every cell whose method could not be trained."""
    for cell in cells:
        reason = weights.failures.get((cell.method, cell.noise))
        if reason:
            yield row(cell, "failed", f"training failed: {reason}")


def fitted_method(method: PlannedMethod) -> FittedDenoiser:
    """Return the method with its parameters set, not fitted yet."""
    built = methods.build(method.registered, method.parameters)
    assert isinstance(built, FittedDenoiser)
    return built


def check_device(plan: Plan, log: Path) -> None:
    """Raise if a network is to be trained with a backend or on a GPU that is not here."""
    config = plan.config
    if config.device != devices.GPU and config.backend == "tensorflow":
        return
    asked = [(fitted_method(method), training) for method, training, _ in plan.trainings()]
    networks = [each for each in asked if isinstance(each[0], NetworkDenoiser)]
    if all(models.find(method, training) for method, training in networks):
        return
    devices.check_installed(config.backend)
    if config.device != devices.GPU:
        return
    with _child(_look, config=config, log=log) as child:
        try:
            found = child.receive()
        except ChildError as error:
            raise DenobenchError(f"backend: {config.backend} cannot be used: {error}") from None
    if not found:
        raise devices.no_gpu(config.backend)


def _look(connection: Connection) -> None:
    """Send home the names of the GPUs that the backend finds."""
    show()
    connection.send(("found", devices.accelerators()))


def _child(serve: Callable[..., None], *args: Any, config: Config, log: Path) -> Child:
    """Return a process for training: with all cores, and the GPU unless the config says no."""
    return Child(
        serve,
        *args,
        threads=cores(),
        plugins=config.plugins,
        log=log,
        variables=devices.variables(config.device, config.backend),
    )


def obtain(
    method: PlannedMethod, training: TrainingSet, config: Config, *, log: Path, progress: Progress
) -> Model:
    """Return the trained model from the cache, or train it.

    Parameters
    ----------
    method
        What to fit.
    training
        What to fit it on.
    config
        Names plugins, device and backend.
    log
        File that takes whatever libraries print.
    progress
        Told how far the training is.

    Raises
    ------
    denobench.engine.workers.child.ChildError
        If the training fails.
    """
    found = models.find(fitted_method(method), training)
    if found:
        return found
    try:
        _train_in_child(method, training, config, log=log, progress=progress)
    except ChildDiedError:  # somebody may have killed it: go on from its checkpoints, once
        _train_in_child(method, training, config, log=log, progress=progress)
    trained = models.find(fitted_method(method), training)
    assert trained is not None
    return trained


def _train_in_child(
    method: PlannedMethod, training: TrainingSet, config: Config, *, log: Path, progress: Progress
) -> None:
    """Train in a process of its own."""
    given = (method.registered, dict(method.parameters), training, config.device)
    with _child(_train, *given, config=config, log=log) as child:
        while True:
            message = child.receive()
            if message is None:
                return
            progress(*message)


def _train(
    connection: Connection,
    registered: str,
    parameters: dict[str, Any],
    training: TrainingSet,
    device: str,
) -> None:
    """Train in the child, and send home how far it is."""
    devices.keep_memory()
    method = methods.build(registered, parameters)
    assert isinstance(method, FittedDenoiser)

    def progress(done: float, total: float, text: str = "") -> None:
        connection.send(("progress", (done, total, text)))

    models.train(method, training, progress=progress, device=device)
    connection.send(("done", None))


def _history(method: PlannedMethod, model: Model, corruptions: tuple[Noise, ...]) -> pd.DataFrame:
    history = model.history
    levels = pd.Series([tuple(each.level for each in corruptions)] * len(history), history.index)
    return history.assign(
        method=method.name, noise=corruptions[0].model, levels=levels, key=model.key
    )


def _record(
    before: TrainingRecord | None, model: Model, method: PlannedMethod, size: int | None
) -> TrainingRecord:
    """Return how a method's networks were trained, those before and this one, and what they cost.

    ``size`` is the side of the images in pixels, or None for their own.
    """
    history = model.history
    networks, seconds = (before.networks, before.seconds) if before else (0, 0.0)
    return TrainingRecord(
        networks=(networks or 0) + 1,
        epochs=len(history),
        kept_epoch=int(history.loc[history["kept"], "epoch"].iloc[-1]),
        seconds=round((seconds or 0.0) + float(history["seconds"].sum()), 1),
        images=model.record.training.images,
        levels=model.record.training.levels,
        **_cost(fitted_method(method), model, size),
    )


def _cost(method: FittedDenoiser, model: Model, size: int | None) -> dict[str, Any]:
    """Return what a network costs, as its record and its file of weights tell, without Keras."""
    record = model.record
    found: dict[str, Any] = {"device": record.trained_on or None}
    if not isinstance(method, NetworkDenoiser):
        return found
    found["seen"] = record.seen
    found["stated_epochs"] = method.stated_epochs
    found["parameters"] = parameters(model.weights)
    graph = method.described(model.weights)
    if graph is not None and size is not None:
        side = -(-size // method.factor) * method.factor
        found["multiplications"] = method.passes * graph.multiplications(side, side)
    return found


def _keep_model(
    weights: Weights,
    folder: RunFolder,
    method: PlannedMethod,
    model: Model,
    corruptions: tuple[Noise, ...],
) -> None:
    """Copy a model's weights into the run's folder, once, and note the copy's name."""
    if model.digest in weights.copies:
        return
    levels = (f"{each.level:g}" for each in corruptions)
    name = safe_name(method.name, corruptions[0].model, *levels) + model.weights.suffix
    with replacing(subfolder(folder.path, "models") / name) as temporary:
        shutil.copyfile(model.weights, temporary)
    weights.copies[model.digest] = name
