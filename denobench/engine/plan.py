"""What a config asks for, with every name in it checked: methods, trainings and cells."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

from denobench import methods, metrics, noise, stabilisation
from denobench.config import Config, MethodEntry
from denobench.datasets import Dataset, Item, Split, open_dataset, split
from denobench.errors import DenobenchError, UnavailableError, unknown
from denobench.methods import FittedDenoiser, Info, TrainingSet
from denobench.noise import Noise

# Changes with anything in the protocol that changes scores: resizing, clipping, masks, metrics.
PROTOCOL = 2


@dataclass(frozen=True)
class PlannedMethod:
    """A method as a config names it.

    Attributes
    ----------
    name, registered
        The config's name for it and the registry's.
    track, sigma_factor
        What it is told of sigma, and at which multiple.
    parameters
        All its parameters, defaults included.
    info
        What the method says of itself.
    source
        Digest of the code it is made of, and the versions of the distributions it declares.
    fitted
        Whether it has to be trained.
    levels
        The range that a blind network is trained for; empty for the run's own levels.
    unavailable
        Why it cannot be imported on this machine; its cells are skipped. Else empty.
    """

    name: str
    registered: str
    track: str
    sigma_factor: float
    parameters: Mapping[str, Any]
    info: Info
    source: str
    fitted: bool
    levels: tuple[float, ...] = ()
    unavailable: str = ""

    def runs_on(self, corruption: Noise) -> bool:
        """Whether it is compared on a noise model: on all, or on the one it is made for."""
        return self.info.assumes in ("", "gaussian", corruption.model)


@dataclass(frozen=True)
class Cell:
    """One method on one realisation of one image at one level: all that a worker has to know."""

    method: str
    registered: str
    track: str
    sigma_factor: float
    parameters: str
    source: str
    noise: Noise
    realisation: int
    item: Item
    size: int | None
    seed: int
    metrics: tuple[str, ...]
    picture: bool
    weights: Path | None = None
    weights_digest: str = ""

    @cached_property
    def key(self) -> str:
        """Digest of everything that can change the answer or its scores."""
        parts = [
            PROTOCOL,
            self.registered,
            self.track,
            self.sigma_factor,
            self.parameters,
            self.source,
            str(self.noise),
            self.realisation,
            self.item.digest,
            self.size,
            self.seed,
            self.metrics,
            self.weights_digest,
            # The same method under two names, or one file at two places, are two rows.
            self.method,
            self.item.id,
        ]
        return sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Plan:
    """All that a config asks for."""

    config: Config
    dataset: Dataset
    split: Split
    methods: tuple[PlannedMethod, ...]
    test: tuple[Item, ...]

    def trainings(self) -> Iterator[tuple[PlannedMethod, TrainingSet, tuple[Noise, ...]]]:
        """Yield each training, and the corruptions that its weights are for."""
        by_model: dict[str, list[Noise]] = {}
        for corruption in self.config.noises:
            by_model.setdefault(corruption.model, []).append(corruption)
        for method in self.methods:
            if not method.fitted:
                continue
            for corruptions in by_model.values():
                if method.track == "oracle":
                    for corruption in corruptions:
                        yield (
                            method,
                            self._training(corruption.model, (corruption.level,)),
                            (corruption,),
                        )
                else:
                    levels = method.levels or tuple(sorted(c.level for c in corruptions))
                    training = self._training(corruptions[0].model, levels)
                    yield method, training, tuple(corruptions)

    def _training(self, model: str, levels: tuple[float, ...]) -> TrainingSet:
        config = self.config
        return TrainingSet(
            self.split.train, self.split.validation, config.side, model, levels, config.seed
        )

    def cells(self, weights: Mapping[tuple[str, Noise], tuple[Path, str]]) -> list[Cell]:
        """Return every cell of the methods that need no weights or whose weights are given.

        Those of methods that are unavailable are among them.

        Parameters
        ----------
        weights
            File and digest of the weights by the method's name and the corruption.
        """
        config = self.config
        shown = {item.id for item in self.test[: config.gallery]}
        cells = []
        for method in self.methods:
            for corruption in filter(method.runs_on, config.noises):
                path, digest = weights.get((method.name, corruption), (None, ""))
                if method.fitted and path is None:
                    continue
                first = Cell(
                    method=method.name,
                    registered=method.registered,
                    track=method.track,
                    sigma_factor=method.sigma_factor,
                    parameters=json.dumps(dict(method.parameters), sort_keys=True),
                    source=method.source,
                    noise=corruption,
                    realisation=0,
                    item=self.test[0],
                    size=config.side,
                    seed=config.seed,
                    metrics=config.metrics,
                    picture=False,
                    weights=path,
                    weights_digest=digest,
                )
                for item in self.test:
                    for realisation in range(config.realisations):
                        picture = realisation == 0 and item.id in shown
                        cells.append(
                            replace(first, item=item, realisation=realisation, picture=picture)
                        )
        return cells


def make_plan(config: Config, *, progress: Callable[[int, int], None] | None = None) -> Plan:
    """Check every name of a config, find its images, and split them.

    Raises
    ------
    DenobenchError
        If a method, parameter, noise model, metric or data set is unknown or unusable, or too few
        images are left to test or train.
    """
    for path in config.plugins:
        methods.add_plugin(path)
    for corruption in config.noises:
        if corruption.model not in noise.REGISTRY.names():
            raise unknown("noise model", corruption.model, noise.REGISTRY.names())
    for name in config.metrics:
        metrics.REGISTRY.load(name)
    entries = config.methods or {name: MethodEntry() for name in methods.REGISTRY.names()}
    if config.reference and config.reference not in entries:
        raise unknown("reference method", config.reference, entries)
    planned = tuple(_plan_method(name, entry) for name, entry in entries.items())
    if config.stabilise and any(corruption.model == "rician" for corruption in config.noises):
        planned = tuple(_with_stabilised(planned, entries))
    for method in planned:
        if not any(method.runs_on(corruption) for corruption in config.noises):
            raise DenobenchError(
                f"Method {method.name!r} is made for {method.info.assumes} noise alone: add some, "
                f"such as {method.info.assumes}:0.09, or leave the method out."
            )
    name = "folder" if config.data and config.dataset == "simulated" else config.dataset
    dataset = open_dataset(name, config.data, progress=progress)
    parts = split(dataset, seed=config.seed, by=config.split)
    if not parts.test:
        raise DenobenchError(
            f"No test image is left of the {len(dataset.items)} of {dataset.name}: "
            "with so few images use split: none (--set split=none), which tests them all."
        )
    fitted = [method.name for method in planned if method.fitted]
    if fitted and not (parts.train and parts.validation):
        raise DenobenchError(
            f"{', '.join(fitted)}: has to be trained, but split: {config.split} leaves "
            f"{len(parts.train)} training and {len(parts.validation)} validation images of "
            f"{dataset.name}; use split: cluster with more images, or leave the method out."
        )
    return Plan(config, dataset, parts, planned, parts.test[: config.limit])


def _plan_method(name: str, entry: MethodEntry) -> PlannedMethod:
    registered = entry.method or name
    given = entry.parameters
    levels = tuple(given.pop("levels", ()))
    try:
        found = methods.load(registered)
    except UnavailableError as error:
        return PlannedMethod(
            name,
            registered,
            track=entry.track or "oracle",
            sigma_factor=entry.sigma_factor,
            parameters=entry.parameters,
            info=Info(registered, registered),
            source="",
            fitted=False,
            unavailable=str(error),
        )
    built = methods.build(registered, given)
    parameters = {**methods.parameters(found), **given}
    info: Info = found.info
    fitted = isinstance(built, FittedDenoiser)
    if isinstance(built, FittedDenoiser):
        track = "oracle" if built.training == "matched" else "blind"
    else:
        track = entry.track or info.tracks[0]
    if entry.track not in (None, track) or track not in info.tracks:
        raise DenobenchError(
            f"Method {name!r} cannot run on the track {entry.track!r}; valid: "
            f"{', '.join((track,) if fitted else info.tracks)}."
        )
    if track == "blind" and entry.sigma_factor != 1:
        raise DenobenchError(
            f"Method {name!r} is told nothing of sigma on the track 'blind': "
            "leave sigma_factor out."
        )
    if levels and not fitted:
        raise unknown(f"parameter of method {registered!r}", "levels", parameters)
    return PlannedMethod(
        name,
        registered,
        track,
        entry.sigma_factor,
        parameters,
        info,
        source_digest(found),
        fitted,
        levels,
    )


def _with_stabilised(
    planned: Iterable[PlannedMethod], entries: Mapping[str, MethodEntry]
) -> Iterator[PlannedMethod]:
    """Yield every method, and behind one for Gaussian noise its stabilised form for Rician."""
    for method in planned:
        yield method
        name, registered = (f"vst({each})" for each in (method.name, method.registered))
        gaussian = method.info.assumes == "gaussian" and not method.fitted
        if gaussian and method.track != "blind" and not method.unavailable and name not in entries:
            entry = entries[method.name].model_copy(update={"method": registered})
            yield _plan_method(name, entry)


def source_digest(found: Any) -> str:
    """Return the digest of a method's source and of the versions of what it computes with.

    The source is the method's module and whatever that module imports from its own package; of
    ``vst(NAME)`` also the stabilisation's.
    """
    digest = sha256()
    paths = _sources(found)
    if found.info.assumes == "rician" and hasattr(found, "__wrapped__"):
        paths.add(Path(stabilisation.__file__))
    for path in sorted(paths):
        digest.update(path.read_bytes())
    for package in sorted(found.info.packages):
        digest.update(f"{package}=={installed_version(package)}".encode())
    return digest.hexdigest()


def installed_version(package: str) -> str:
    """Return a distribution's version, or ``absent``."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _sources(found: Any) -> set[Path]:
    """Return the files of a method's module and, recursively, of its imports in its package."""
    module = inspect.getmodule(found)
    assert module is not None
    start = Path(inspect.getfile(module))
    package = module.__package__ or ""
    # Of denobench, only the method's own sub-package: PROTOCOL stands for the rest.
    root = package if package.startswith("denobench") else package.partition(".")[0]
    if not root:
        return {start}
    folder = Path(sys.modules[root].__path__[0])
    seen: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        inside = ".".join([root, *path.relative_to(folder).parent.parts])
        for name in _imports(path, inside):
            if name == root or name.startswith(f"{root}."):
                below = folder.joinpath(*name.removeprefix(root).strip(".").split("."))
                files = (below.with_suffix(".py"), below / "__init__.py")
                waiting += [file for file in files if file.is_file()]
    return seen


def _imports(path: Path, package: str) -> Iterator[str]:
    """Yield the modules that a file of a package imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
