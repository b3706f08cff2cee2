"""Trained weights: kept in the cache, shipped with the package, found by what makes them.

Weights lie under ``models/<key>/`` of the cache folder, the key being the digest of the method's
recipe and its training set (`FittedDenoiser.weights_key`). A folder holds the weights, a
``model.json`` that says how they came about, and ``history.csv``, one row per epoch.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

import pandas as pd
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from denobench import methods
from denobench.cache import cache_folder, writing
from denobench.errors import DenobenchError, unknown
from denobench.files import damaged, digest, read_json, replacing, write_text
from denobench.methods import FittedDenoiser, TrainingSet, check_history
from denobench.networks import device as devices
from denobench.networks.export import SUFFIXES
from denobench.networks.export import export as export_network
from denobench.networks.method import NetworkDenoiser
from denobench.progress import Progress

WEIGHTS = "weights.npz"
INFO = "model.json"
HISTORY = "history.csv"
SHIPPED = Path(__file__).parent / "pretrained"


class TrainedOn(BaseModel):
    """What weights were trained on: noise model, levels, how many images, and their digest."""

    model_config = ConfigDict(frozen=True, extra="allow")

    noise: str
    levels: tuple[float, ...]
    images: tuple[int, ...]
    train: str = ""


class ModelRecord(BaseModel):
    """How weights came about: ``model.json``, with the fields that denobench asks for typed."""

    model_config = ConfigDict(frozen=True, extra="allow")

    method: str
    version: int
    recipe: dict[str, Any]
    training: TrainedOn
    finished: str
    epochs: int
    kept_epoch: int
    digest: str
    machine: str = ""
    device: str = ""
    backend: str = ""

    @property
    def trained_on(self) -> str:
        """The machine, with the GPU and the backend where they are not what they mostly are."""
        gpu = "" if self.device == devices.CPU else self.device
        backend = "" if self.backend == "tensorflow" else self.backend
        return ", ".join(filter(None, (gpu, self.machine, backend)))

    @property
    def told(self) -> bool:
        """Whether the weights are a network's that is told sigma."""
        return self.recipe.get("told") is True

    @property
    def seen(self) -> int:
        """Images, or squares of them, in all steps of the training."""
        return self.epochs * self.training.images[0] * int(self.recipe.get("crops", 1))


@dataclass(frozen=True)
class Model:
    """Trained weights in a folder.

    Attributes
    ----------
    key
        Digest of what makes the weights.
    folder
        Where they lie.
    """

    key: str
    folder: Path

    @property
    def weights(self) -> Path:
        """The file of weights, for `FittedDenoiser.load`."""
        return self.folder / WEIGHTS

    @property
    def shipped(self) -> bool:
        """Whether the weights came with the package, rather than from a training here."""
        return self.folder.parent == SHIPPED

    @property
    def record(self) -> ModelRecord:
        """What ``model.json`` says.

        Raises
        ------
        DenobenchError
            If the file was left in part, or a value is of another type.
        """
        path = self.folder / INFO
        try:
            return ModelRecord.model_validate(read_json(path))
        except ValidationError as error:
            found = error.errors()[0]
            key = ".".join(map(str, found["loc"])) or "all of it"
            raise damaged(path, ValueError(f"{key}: {found['msg']}")) from None

    @property
    def digest(self) -> str:
        """SHA-256 of the file of weights."""
        return self.record.digest

    @property
    def history(self) -> pd.DataFrame:
        """The training's history, one row per epoch."""
        path = self.folder / HISTORY
        try:
            history = pd.read_csv(path)
            if not {"epoch", "kept", "seconds"} <= {*history}:
                raise ValueError("it lacks the columns epoch, kept and seconds")
            return history
        except (OSError, ValueError) as error:
            raise damaged(path, error) from None


def find(method: FittedDenoiser, training: TrainingSet) -> Model | None:
    """Return the weights that the training would make, from the cache or the package, or None.

    Raises
    ------
    DenobenchError
        If the file of weights is not the one that was written.
    """
    key = method.weights_key(training)
    for folder in (_trained() / key, SHIPPED / key):
        if (folder / INFO).is_file():
            model = Model(key, folder)
            _verify(model)
            return model
    return None


def ready(method: FittedDenoiser) -> Model | None:
    """Return weights for images of any kind, whatever they were trained on, or None.

    Those of the method's own recipe come first, then those for a range of levels, then those that
    came with the package, then the latest.

    Raises
    ------
    DenobenchError
        If the file of weights is not the one that was written.
    """

    def suits(record: ModelRecord) -> bool:
        same = (record.method, record.version) == (method.info.name, method.version)
        return same and record.told == (method.recipe().get("told") is True)

    def order(model: Model) -> tuple[bool, bool, bool, str]:
        record = model.record
        own, several = record.recipe == method.recipe(), len(record.training.levels) > 1
        return own, several, model.shipped, record.finished

    found = max((each for each in models() if suits(each.record)), key=order, default=None)
    if found:
        _verify(found)
    return found


def train(
    method: FittedDenoiser,
    training: TrainingSet,
    *,
    progress: Progress,
    checkpoints: Path | None = None,
    device: str = devices.AUTO,
) -> Model:
    """Return the weights if there are some; else train, or go on with a training that stopped.

    A second process that asks for the same weights waits for the first one.

    Parameters
    ----------
    method
        What to fit; it is not loaded with the weights when they are found.
    training
        What to fit it on.
    progress
        Told how far the training is.
    checkpoints
        Where checkpoints are kept while training; in the cache if left out, and then removed at
        the end.
    device
        What a network is trained on: ``auto``, ``cpu`` or ``gpu``.

    Raises
    ------
    DenobenchError
        If the training fails, the cache cannot be written, or there is no such device.
    """
    key = method.weights_key(training)
    workplace = checkpoints or cache_folder() / "training" / key
    with writing(workplace):
        workplace.mkdir(parents=True, exist_ok=True)
        _trained().mkdir(parents=True, exist_ok=True)
    with FileLock(_trained() / f".{key}.lock"):
        found = find(method, training)
        if found is None:
            network = isinstance(method, NetworkDenoiser)
            with devices.owned(device, progress) if network else nullcontext():
                history = method.fit(training, folder=workplace, progress=progress)
            check_history(method, history)
            found = _keep(method, training, history)
    if checkpoints is None:
        shutil.rmtree(workplace, ignore_errors=True)
    return found


def models() -> list[Model]:
    """Return all weights, of the cache first, then of the package, each sorted by key."""
    found: dict[str, Model] = {}
    for parent in (_trained(), SHIPPED):
        for path in sorted(parent.glob(f"*/{INFO}")):
            found.setdefault(path.parent.name, Model(path.parent.name, path.parent))
    return list(found.values())


def export(key: str, path: Path) -> None:
    """Write the trained network whose key begins so to a file.

    Parameters
    ----------
    key
        The key, or its first characters.
    path
        The file: with ``.onnx``, ``.keras``, ``.h5``, ``.pt`` or ``.pt2`` the whole network, for
        other programs; with another suffix a copy of the weights; without one a SavedModel's
        folder.

    Raises
    ------
    DenobenchError
        If no key or more than one begins so, or the file cannot be written.
    """
    model = _only(key, models())
    if path.suffix.lower() in SUFFIXES:
        export_network(_network(model), path)
        return
    try:
        with replacing(path) as temporary:
            shutil.copyfile(model.weights, temporary)
    except OSError as error:
        raise DenobenchError(f"{path}: cannot be written ({error.strerror}).") from None


def _network(model: Model) -> NetworkDenoiser:
    """Return the network that the weights belong to, with them."""
    record = model.record
    found = methods.load(record.method)
    if not (isinstance(found, type) and issubclass(found, NetworkDenoiser)):
        raise DenobenchError(
            f"The weights {model.key[:12]} are of {record.method}, which is no network; give "
            "another suffix, such as .npz, for a copy of them."
        )
    recipe = {**record.recipe, "training": "told" if record.told else "blind"}
    given = {name: recipe[name] for name in methods.parameters(found) if name in recipe}
    method = cast(NetworkDenoiser, methods.build(record.method, given))
    method.load(model.weights)
    return method


def remove(key: str) -> None:
    """Remove the weights whose key begins so from the cache.

    Raises
    ------
    DenobenchError
        If no key or more than one begins so, or the weights are part of the package.
    """
    model = _only(key, models())
    if model.shipped:
        raise DenobenchError(
            f"The weights {model.key[:12]} came with the package and cannot be removed alone."
        )
    shutil.rmtree(model.folder)


def _trained() -> Path:
    """Return the folder of the weights that were trained here."""
    return cache_folder() / "models"


def _verify(model: Model) -> None:
    """Raise if the file of weights is missing or is not the one that was written."""
    try:
        intact = digest(model.weights) == model.digest
    except (OSError, DenobenchError):
        intact = False
    if not intact:
        raise DenobenchError(
            f"{model.weights}: not the weights that {INFO} beside it describes; "
            f"remove the folder {model.folder} to train them again."
        )


def _keep(method: FittedDenoiser, training: TrainingSet, history: pd.DataFrame) -> Model:
    """Put the fitted weights into the cache, all files at once."""
    key = method.weights_key(training)
    folder = Path(tempfile.mkdtemp(dir=_trained(), prefix=f".{key}-"))
    try:
        method.save(folder / WEIGHTS)
        history.to_csv(folder / HISTORY, index=False)
        info = {
            "method": method.info.name,
            "version": method.version,
            "recipe": method.recipe(),
            "training": training.describe(),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "epochs": len(history),
            "kept_epoch": int(history.loc[history["kept"], "epoch"].iloc[-1]),
            "seconds": round(float(history["seconds"].sum()), 2),
            "digest": digest(folder / WEIGHTS),
            "versions": dict(_versions(method)),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            **{name: _used(history, name) for name in ("device", "backend") if name in history},
        }
        write_text(folder / INFO, json.dumps(info, indent=1) + "\n")
        folder.chmod(0o755)
        os.replace(folder, _trained() / key)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Model(key, _trained() / key)


def _used(history: pd.DataFrame, column: str) -> str:
    """Return what a training used, all of it where epochs differ."""
    return ", ".join(dict.fromkeys(map(str, history[column].dropna())))


def _versions(method: FittedDenoiser) -> Iterator[tuple[str, str]]:
    """Yield the versions of what the training computed with."""
    yield "python", platform.python_version()
    keras = (devices.backend(),) if isinstance(method, NetworkDenoiser) else ()
    for name in dict.fromkeys(("denobench", "numpy", *method.info.packages, *keras)):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, "not installed"


def _only(key: str, among: list[Model]) -> Model:
    """Return the one whose key begins with the given characters."""
    found = [model for model in among if model.key.startswith(key)]
    if not found:
        raise unknown("key of trained weights", key, (model.key[:12] for model in among))
    if len(found) > 1:
        keys = ", ".join(model.key[: len(key) + 8] for model in found)
        raise DenobenchError(f"More than one key of trained weights begins with {key!r}: {keys}.")
    return found[0]
