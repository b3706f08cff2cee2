"""What a config asks for, with every name in it checked: methods, trainings and cells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any

from denobench import metrics, noise, readers
from denobench.config import Config
from denobench.datasets import (
    Dataset,
    Item,
    Reading,
    Split,
    folds,
    open_dataset,
    split,
    spread,
)
from denobench.datasets.masks import with_masks
from denobench.datasets.pairs import open_pairs
from denobench.datasets.patterns import Sides
from denobench.datasets.stacking import VolumeItem, stacked
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.measured import NONE, PAIRS, check, observing, with_estimate
from denobench.engine.planning.methods import PlannedMethod, plan_methods
from denobench.engine.planning.sources import protocol_digest
from denobench.engine.planning.tasks import plan_tasks
from denobench.engine.planning.weights import check_weights
from denobench.errors import DenobenchError, unknown
from denobench.methods import TrainingSet
from denobench.noise import Noise
from denobench.plugins import Plugins
from denobench.progress import Progress
from denobench.registry import load_plugins
from denobench.scale import Scale
from denobench.tasks import Task

TRIAL_SCORES = ("psnr",)

Settings = Mapping[str, Any]


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
    plugins
        Its plugin files; within ``with plan.plugins`` what they offer is found by name.
    dataset
        The images.
    splits
        One, or one per fold.
    methods
        What is compared.
    test
        The test images of all folds, as far as the config's limit.
    protocols
        Digests of what reads, corrupts and scores, by noise model and scores.
    tasks
        What is asked of every image besides.
    """

    config: Config
    plugins: Plugins
    dataset: Dataset
    splits: tuple[Split, ...]
    methods: tuple[PlannedMethod, ...]
    test: tuple[Item, ...]
    protocols: Mapping[tuple[str, tuple[str, ...]], str]
    tasks: tuple[Task, ...] = ()

    @cached_property
    def folds(self) -> dict[str, int]:
        """The fold that tests an image, by the image's id."""
        return {item.id: fold for fold, part in enumerate(self.splits) for item in part.test}

    @cached_property
    def shown(self) -> frozenset[str]:
        """The ids of the images in the gallery, but for those that are chosen by their scores."""
        chosen = self.config.gallery
        return frozenset((*(item.id for item in self.test[: chosen.images]), *chosen.names))

    def trainings(self) -> Iterator[tuple[PlannedMethod, TrainingSet, tuple[Noise, ...]]]:
        """Yield each training, and the corruptions that its weights are for."""
        parts = self.splits[0]  # a method that is trained has no folds
        for method in self.methods:
            if not method.fitted:
                continue
            for corruptions in method.scopes(self.config.noises):
                levels = tuple(sorted(corruption.level for corruption in corruptions))
                if method.training != "matched" and corruptions[0].model != noise.MEASURED:
                    levels = method.levels or levels
                training = TrainingSet(
                    _taught(parts.train, method.info.dims),
                    _taught(parts.validation, method.info.dims),
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
        return [
            replace(first, item=item)
            for corruption in tuning.corruptions
            for first in (self._cell(tuning.method, settings, corruption, TRIAL_SCORES),)
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
        cells = []
        for method in self.methods:
            for corruption in filter(method.runs_on, self.config.noises):
                path, digest = weights.get(
                    (method.name, corruption), (method.file, method.file_digest)
                )
                if method.fitted and path is None:
                    continue
                firsts = [
                    replace(
                        self._cell(
                            method,
                            tuned.get((method.name, corruption, fold), {}),
                            corruption,
                            self.config.metrics,
                        ),
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
                        picture=not realisation and (bool(self.tasks) or item.id in self.shown),
                    )
                    for item in self.test
                    for realisation in range(item.realisations or self.config.realisations)
                ]
        return cells

    def _cell(
        self,
        method: PlannedMethod,
        settings: Settings,
        corruption: Noise,
        scores: tuple[str, ...],
    ) -> Cell:
        """Return a method's cell with settings; image and weights are still to be set."""
        own = {name: value for name, value in settings.items() if name != "sigma_factor"}
        return Cell(
            method=method.name,
            registered=method.registered,
            track=method.track,
            sigma_factor=settings.get("sigma_factor", method.sigma_factor),
            parameters=json.dumps({**method.parameters, **own}, sort_keys=True),
            source=method.source,
            noise=corruption,
            realisation=0,
            item=self.test[0],
            size=self.config.side,
            seed=self.config.seed,
            metrics=scores,
            picture=False,
            foreign=method.foreign,
            protocol=self.protocols[corruption.model, scores],
        )


def make_plan(config: Config, *, progress: Progress | None = None) -> Plan:
    """Check every name of a config, find its images, and split them.

    Raises
    ------
    DenobenchError
        If a method, parameter, noise model, metric or data set is unknown or unusable, or too few
        images are left to test or train.
    """
    plugins = load_plugins(config.plugins)
    with plugins:
        return _plan(config, plugins, progress)


def _plan(config: Config, plugins: Plugins, progress: Progress | None) -> Plan:
    for corruption in config.noises:
        if corruption.model not in noise.REGISTRY.names():
            raise unknown("noise model", corruption.model, noise.REGISTRY.names())
    for name in config.metrics:
        metrics.REGISTRY.load(name)
    config = observing(config)
    planned = plan_methods(config)
    dataset = _opened(config, progress)
    parts = (
        folds(dataset, seed=config.seed)
        if config.split == "folds"
        else (split(dataset, seed=config.seed, by=config.split),)
    )
    config = with_estimate(config, dataset.items)
    test = _copies_last(_in_turns([part.test for part in parts]))
    if not test:
        raise DenobenchError(
            f"No test image is left of the {len(dataset.items)} of {dataset.name}: "
            "with so few images use split: none (--set split=none), which tests them all."
        )
    protocols = _protocols(config, dataset)
    test = test[: config.limit]
    tasks = plan_tasks(config, planned, parts, test)
    plan = Plan(config, plugins, dataset, parts, planned, test, protocols, tasks)
    _check_parts(plan)
    return plan


def _opened(config: Config, progress: Progress | None) -> Dataset:
    """Return a config's images, or volumes.

    Raises
    ------
    DenobenchError
        If its images cannot be found, or volumes cannot be what it asks for.
    """
    found = _images(config, progress)
    if config.masks:
        found = with_masks(found, config.masks, progress=progress)
    if not config.whole:
        return found
    if config.slices.every > 1:
        raise DenobenchError(
            f"slices.every: {config.slices.every} leaves gaps in a volume, and unit: volume needs "
            "all slices: leave it out."
        )
    if config.tasks:
        raise DenobenchError(
            f"tasks: {', '.join(config.tasks)}: tasks are asked of single images; use unit: slice."
        )
    return stacked(found)


def _images(config: Config, progress: Progress | None) -> Dataset:
    """Return a config's images; of volumes all slices where they are to be stacked."""
    reading = reading_of(config)
    if config.dataset == PAIRS:
        assert config.data is not None
        references: Path | Sides | None = None
        if config.pairs is not None:
            references = Sides.parse(config.pairs.noisy, config.pairs.reference)
        elif config.references != NONE:
            references = Path(str(config.references))
        return open_pairs(config.data, references, reading, fit=config.fit, progress=progress)
    name = "folder" if config.data and config.dataset == "simulated" else config.dataset
    return open_dataset(name, config.data, reading, progress=progress)


def _protocols(config: Config, dataset: Dataset) -> dict[tuple[str, tuple[str, ...]], str]:
    parts = {type(part) for item in dataset.items for part in item.slices}
    # Whose pixels depend on what decodes them: DICOM's on pydicom, for example.
    formats = [readers.REGISTRY.load(name) for name in sorted(_formats(dataset))]
    packages = [package for each in formats for package in each.packages]
    reading = (*parts, *(each.read for each in formats))
    found = {}
    for model in {corruption.model for corruption in config.noises}:
        corruption = noise.REGISTRY.load(model)
        for scores in (TRIAL_SCORES, config.metrics):
            chosen = [metrics.REGISTRY.load(name) for name in scores]
            measures = [part for each in chosen for part in (each.measure, each.reduce) if part]
            found[model, scores] = protocol_digest(
                corruption.corrupt, corruption.estimate, *measures, *reading, packages=packages
            )
    return found


def _formats(dataset: Dataset) -> set[str]:
    """Return the names of the readers of a data set's files; a simulated image has none."""
    parts = [part for item in dataset.items for part in item.slices]
    return {part.reader for part in parts if hasattr(part, "reader")}


def reading_of(config: Config) -> Reading:
    """Return how a config's files become images."""
    chosen = config.slices
    numbers = {"first": (1,), "all": ()}
    return Reading(
        scale=None if config.scale is None else Scale.parse(config.scale),
        plane=chosen.plane,
        every=chosen.every,
        empty=chosen.empty,
        volumes=numbers[chosen.volumes] if isinstance(chosen.volumes, str) else chosen.volumes,
        subjects=config.subjects,
        whole=config.whole,
    )


def _taught(items: tuple[Item, ...], dims: int) -> tuple[Item, ...]:
    """Return what a method is fitted on: of volumes their slices, unless it takes volumes."""
    if dims == 3:
        return items
    slices = [each.filled if isinstance(each, VolumeItem) else (each,) for each in items]
    return tuple(part for parts in slices for part in parts)


def _in_turns(parts: Sequence[tuple[Item, ...]]) -> tuple[Item, ...]:
    """Return the first item of every part, then the second of every part, and so on."""
    layers = zip_longest(*parts)
    return tuple(item for layer in layers for item in layer if item is not None)


def _copies_last(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return items with exact copies behind all others, so that no limit is spent on them."""
    digests: set[str] = set()
    first: list[Item] = []
    copies: list[Item] = []
    for item in items:
        (copies if item.digest in digests else first).append(item)
        digests.add(item.digest)
    return (*first, *copies)


def _check_parts(plan: Plan) -> None:
    """Raise if the split leaves nothing to train or to tune on, or no image to show."""
    config, name = plan.config, plan.dataset.name
    tested = [item.id for item in plan.test]
    for image in config.gallery.names:
        if image not in tested:
            raise DenobenchError(f"gallery.names: {unknown('test image', image, tested)}")
    fitted = [method.name for method in plan.methods if method.fitted]
    if fitted and config.side is None:
        raise DenobenchError(
            f"{', '.join(fitted)}: has to be trained, on images of one size, which size: native is "
            "not: give a size (--set size=224), or leave the method out (--methods tv,nlm)."
        )
    if len(plan.splits) > 1:
        check_weights(plan.methods, plan.tasks)
    counts = [(len(part.train), len(part.validation)) for part in plan.splits]
    trained, validated = min(counts)
    if fitted and len(plan.splits) == 1 and not (trained and validated):
        raise DenobenchError(
            f"{', '.join(fitted)}: has to be trained, but split: {config.split} leaves "
            f"{trained} training and {validated} validation images of {name}; use split: cluster "
            "with more images, or leave the method out."
        )
    check(plan.trainings() if len(plan.splits) == 1 else ())
    if config.tuning.trials and not min(validated for _, validated in counts):
        raise DenobenchError(
            f"tuning: split: {config.split} leaves no validation image of {name} to tune on; use "
            "split: cluster or folds with more images, or tuning.trials: 0."
        )
