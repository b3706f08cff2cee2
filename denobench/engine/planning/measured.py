"""What a config means that asks for measured noise: pairs, sigma, scores without reference."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

from denobench import methods, metrics
from denobench.config import Config, MethodEntry
from denobench.datasets import Item
from denobench.datasets.pairs import measured_sigma
from denobench.engine.planning.methods import PlannedMethod
from denobench.errors import DenobenchError, UnavailableError
from denobench.methods import FittedDenoiser, TrainingSet
from denobench.networks import NetworkDenoiser, acquisitions
from denobench.noise import MEASURED, Noise

PAIRS = "pairs"
NONE = "none"  # as references
# What is scored where there is no reference, unless the config names such scores itself.
BLIND = ("sure-psnr", "residual-whiteness", "background-noise", "edge-sharpness")


def observing(config: Config) -> Config:
    """Return a config with all that follows from measured noise, which it names or not.

    Raises
    ------
    DenobenchError
        If measured and drawn noise meet, or pairs have no noisy images or no references.
    """
    named = config.references is not None or config.pairs is not None
    pairs = config.dataset == PAIRS or named
    measured = [corruption for corruption in config.noises if corruption.model == MEASURED]
    if not pairs and not measured:
        return config
    if not pairs:
        raise DenobenchError(
            "noise: measured is what pairs have: give them by --data NOISY --reference CLEAN, or "
            "--reference none."
        )
    if config.references is not None and config.pairs is not None:
        raise DenobenchError("references and pairs both say what the references are: give one.")
    if not named or config.data is None:
        missing = "--data NOISY" if config.data is None else "--reference CLEAN (or none)"
        raise DenobenchError(f"Pairs need {missing}: folders of noisy images and of references.")
    if config.dataset not in (PAIRS, "simulated", "folder"):
        raise DenobenchError(f"dataset: {config.dataset} has references of its own.")
    if len(measured) != len(config.noises) or len(measured) != 1:
        raise DenobenchError(
            "Measured images have their own noise, and none is drawn: use --noise measured, or "
            "measured:SIGMA where sigma is known."
        )
    chosen = config.metrics
    if config.references == NONE:
        loaded = {name: metrics.REGISTRY.load(name) for name in chosen}
        chosen = tuple(name for name in chosen if not loaded[name].reference) or BLIND
    entries = config.methods or {
        name: MethodEntry() for name in methods.untrained(volumes=config.whole)
    }
    if measured[0].estimated:
        entries = {name: _untold(name, entry) for name, entry in entries.items()}
    return config.model_copy(update={"dataset": PAIRS, "metrics": chosen, "methods": entries})


def _untold(name: str, entry: MethodEntry) -> MethodEntry:
    """Return a method's entry with a track that is not told the true sigma, which nobody knows.

    Raises
    ------
    DenobenchError
        If the method has no such track, or is no network and has to be trained on noise that is
        drawn.
    """
    found: Any = None
    try:
        if not (entry.model or entry.command):
            found = methods.load(entry.method or name)
    except UnavailableError:
        return entry
    fitted = inspect.isclass(found) and issubclass(found, FittedDenoiser)
    trained = fitted and not issubclass(found, NetworkDenoiser)
    tracks = ("estimated", "blind") if found is None else found.info.tracks
    fitting = [track for track in tracks if track != "oracle"]
    if trained or entry.track == "oracle" or not fitting:
        raise DenobenchError(
            f"Method {name!r} has to be told the true sigma, or be trained on noise that is drawn, "
            "and of measured noise nobody knows it: leave the method out, set its track to "
            "estimated or blind, or give sigma as measured:SIGMA."
        )
    if entry.track or found is None:
        return entry
    return entry.model_copy(update={"track": fitting[0]})


def check(trainings: Iterable[tuple[PlannedMethod, TrainingSet, tuple[Noise, ...]]]) -> None:
    """Raise if a network cannot be trained on measured images as it is to be."""
    for method, training, _ in trainings:
        network = issubclass(methods.load(method.registered), NetworkDenoiser)
        if network and training.noise == MEASURED:
            supervision = str(method.parameters.get("supervision", "clean"))
            acquisitions.check(method.name, training.train, supervision)


def with_estimate(config: Config, items: Sequence[Item]) -> Config:
    """Return a config that names the sigma estimated in measured images."""
    if not any(corruption.estimated for corruption in config.noises):
        return config
    level = measured_sigma([item.typical for item in items])
    if not level > 0:
        raise DenobenchError(
            "No noise can be estimated in the measured images: give sigma as --noise "
            "measured:SIGMA, a fraction of full scale."
        )
    return config.model_copy(update={"noise": (str(Noise.of_measured(min(level, 1.0))),)})
