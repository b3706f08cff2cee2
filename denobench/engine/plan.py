"""What a config asks for, with every name in it checked: methods, trainings and cells."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import resolve_name
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any

from denobench import methods, metrics, noise, stabilisation
from denobench.config import Config, MethodEntry
from denobench.datasets import Dataset, Item, Split, folds, open_dataset, split, spread
from denobench.errors import DenobenchError, UnavailableError, unknown
from denobench.methods import FittedDenoiser, Info, TrainingSet
from denobench.noise import Noise

# Changes with anything in the protocol that changes scores: resizing, clipping, masks, metrics.
PROTOCOL = 2

# Multiples of the estimated sigma that are tried where a method is told an estimate.
FACTORS = (0.7, 0.85, 1.0, 1.2, 1.4)

Settings = Mapping[str, Any]


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
    grid
        What tuning may change on its track, with the values to try: its own parameters that the
        config leaves open, or ``sigma_factor`` where sigma is estimated.
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
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    levels: tuple[float, ...] = ()
    unavailable: str = ""

    def runs_on(self, corruption: Noise) -> bool:
        """Whether it is compared on a noise model: on all, or on the one it is made for."""
        return self.info.assumes in ("", "gaussian", corruption.model)

    def scopes(self, corruptions: Iterable[Noise]) -> Iterator[tuple[Noise, ...]]:
        """Yield the corruptions that share one training or one tuning.

        Each alone where the true sigma is told; else all levels of a noise model, for which the
        track may know no difference.
        """
        own = filter(self.runs_on, corruptions)
        if self.track == "oracle":
            yield from ((corruption,) for corruption in own)
            return
        by_model: dict[str, list[Noise]] = {}
        for corruption in own:
            by_model.setdefault(corruption.model, []).append(corruption)
        yield from map(tuple, by_model.values())


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
class Tuning:
    """A method whose parameters are chosen once, for some corruptions, on validation images."""

    method: PlannedMethod
    corruptions: tuple[Noise, ...]
    fold: int
    images: tuple[Item, ...]

    @property
    def start(self) -> dict[str, Any]:
        """The settings without tuning."""
        known = {**self.method.parameters, "sigma_factor": self.method.sigma_factor}
        return {name: known[name] for name in self.method.grid}


# Chosen settings by the method's name, the corruption and the fold.
Tuned = Mapping[tuple[str, Noise, int], Settings]


@dataclass(frozen=True)
class Plan:
    """All that a config asks for.

    Attributes
    ----------
    config
        What was asked for.
    dataset
        The images.
    splits
        One, or one per fold.
    methods
        What is compared.
    test
        The test images of all folds, as far as the config's limit.
    """

    config: Config
    dataset: Dataset
    splits: tuple[Split, ...]
    methods: tuple[PlannedMethod, ...]
    test: tuple[Item, ...]

    @cached_property
    def folds(self) -> dict[str, int]:
        """The fold that tests an image, by the image's id."""
        return {item.id: fold for fold, part in enumerate(self.splits) for item in part.test}

    def trainings(self) -> Iterator[tuple[PlannedMethod, TrainingSet, tuple[Noise, ...]]]:
        """Yield each training, and the corruptions that its weights are for."""
        parts = self.splits[0]  # a method that is trained has no folds
        for method in self.methods:
            if not method.fitted:
                continue
            for corruptions in method.scopes(self.config.noises):
                levels = tuple(sorted(corruption.level for corruption in corruptions))
                if method.track != "oracle":
                    levels = method.levels or levels
                training = TrainingSet(
                    parts.train,
                    parts.validation,
                    self.config.side,
                    corruptions[0].model,
                    levels,
                    self.config.seed,
                )
                yield method, training, corruptions

    def tunings(self) -> Iterator[Tuning]:
        """Yield everything that is tuned."""
        if not self.config.tuning.trials:
            return
        for fold, part in enumerate(self.splits):
            images = spread(part.validation, seed=self.config.seed)[: self.config.tuning.images]
            for method in self.methods:
                if method.grid:
                    for corruptions in method.scopes(self.config.noises):
                        yield Tuning(method, corruptions, fold, images)

    def trial(self, tuning: Tuning, settings: Settings) -> list[Cell]:
        """Return the cells that score one trial of a tuning."""
        first = self._cell(tuning.method, settings)
        return [
            replace(first, noise=corruption, item=item, metrics=("psnr",))
            for corruption in tuning.corruptions
            for item in tuning.images
        ]

    def cells(
        self,
        weights: Mapping[tuple[str, Noise], tuple[Path, str]],
        tuned: Tuned = MappingProxyType({}),
    ) -> list[Cell]:
        """Return every cell of the methods that need no weights or whose weights are given.

        Those of methods that are unavailable are among them.

        Parameters
        ----------
        weights
            File and digest of the weights by the method's name and the corruption.
        tuned
            The settings that were chosen by tuning; a method that is not among them keeps its own.
        """
        shown = {item.id for item in self.test[: self.config.gallery]}
        cells = []
        for method in self.methods:
            for corruption in filter(method.runs_on, self.config.noises):
                path, digest = weights.get((method.name, corruption), (None, ""))
                if method.fitted and path is None:
                    continue
                firsts = [
                    replace(
                        self._cell(method, tuned.get((method.name, corruption, fold), {})),
                        noise=corruption,
                        weights=path,
                        weights_digest=digest,
                    )
                    for fold in range(len(self.splits))
                ]
                cells += [
                    replace(
                        firsts[self.folds[item.id]],
                        item=item,
                        realisation=realisation,
                        picture=realisation == 0 and item.id in shown,
                    )
                    for item in self.test
                    for realisation in range(self.config.realisations)
                ]
        return cells

    def _cell(self, method: PlannedMethod, settings: Settings) -> Cell:
        """Return a method's cell with settings; noise, image and weights are still to be set."""
        own = {name: value for name, value in settings.items() if name != "sigma_factor"}
        return Cell(
            method=method.name,
            registered=method.registered,
            track=method.track,
            sigma_factor=settings.get("sigma_factor", method.sigma_factor),
            parameters=json.dumps({**method.parameters, **own}, sort_keys=True),
            source=method.source,
            noise=self.config.noises[0],
            realisation=0,
            item=self.test[0],
            size=self.config.side,
            seed=self.config.seed,
            metrics=self.config.metrics,
            picture=False,
        )


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
    parts = (
        folds(dataset, seed=config.seed)
        if config.split == "folds"
        else (split(dataset, seed=config.seed, by=config.split),)
    )
    test = _in_turns([part.test for part in parts])
    if not test:
        raise DenobenchError(
            f"No test image is left of the {len(dataset.items)} of {dataset.name}: "
            "with so few images use split: none (--set split=none), which tests them all."
        )
    plan = Plan(config, dataset, parts, planned, test[: config.limit])
    _check_parts(plan)
    return plan


def _in_turns(parts: Sequence[tuple[Item, ...]]) -> tuple[Item, ...]:
    """Return the first item of every part, then the second of every part, and so on."""
    layers = zip_longest(*parts)
    return tuple(item for layer in layers for item in layer if item is not None)


def _check_parts(plan: Plan) -> None:
    """Raise if the split leaves nothing to train or to tune on."""
    config, name = plan.config, plan.dataset.name
    fitted = [method.name for method in plan.methods if method.fitted]
    if fitted and len(plan.splits) > 1:
        raise DenobenchError(
            f"{', '.join(fitted)}: has to be trained, which split: folds is not for; "
            "use split: cluster, or leave the method out."
        )
    counts = [(len(part.train), len(part.validation)) for part in plan.splits]
    trained, validated = min(counts)
    if fitted and not (trained and validated):
        raise DenobenchError(
            f"{', '.join(fitted)}: has to be trained, but split: {config.split} leaves "
            f"{trained} training and {validated} validation images of {name}; use split: cluster "
            "with more images, or leave the method out."
        )
    if config.tuning.trials and not min(validated for _, validated in counts):
        raise DenobenchError(
            f"tuning: split: {config.split} leaves no validation image of {name} to tune on; use "
            "split: cluster or folds with more images, or tuning.trials: 0."
        )


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
        _grid(info, track, entry) if not fitted else {},
        levels,
    )


def _grid(info: Info, track: str, entry: MethodEntry) -> dict[str, Sequence[Any]]:
    """Return what tuning may change: what the config sets stays as it is."""
    if track == "estimated":
        return {} if "sigma_factor" in entry.model_fields_set else {"sigma_factor": FACTORS}
    return {name: values for name, values in info.grid.items() if name not in entry.parameters}


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
