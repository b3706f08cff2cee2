"""The methods of a config, with every name and parameter checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from denobench import foreign, methods
from denobench.config import Config, MethodEntry
from denobench.device import Device
from denobench.engine.planning.sources import source_digest
from denobench.errors import DenobenchError, UnavailableError, unknown
from denobench.methods import FittedDenoiser, Info
from denobench.noise import Noise
from denobench.registry import Origin, load_plugins
from denobench.validation import shown

# Multiples of the estimated sigma that are tried where a method is told an estimate.
FACTORS = (0.7, 0.85, 1.0, 1.2, 1.4)
# The tracks of a method that is trained, by what one fit is for.
_TRACKS = {"matched": ("oracle",), "told": ("oracle", "estimated"), "blind": ("blind",)}


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
    training
        Of a method that has to be trained, what one fit is for and is told; else empty.
    grid
        What tuning may change on its track, with the values to try: its own parameters that the
        config leaves open, or ``sigma_factor`` where sigma is estimated.
    levels
        The range that one network is trained for; empty for the run's own levels.
    unavailable
        Why it cannot be imported on this machine; its cells are skipped. Else empty.
    origin
        Where it comes from.
    file, file_digest
        The network that it is, and the digest of its contents; None for a method of code.
    remark
        What a table must say of it; may be empty.
    """

    name: str
    registered: str
    track: str
    sigma_factor: float
    parameters: Mapping[str, Any]
    info: Info
    source: str
    training: str
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    levels: tuple[float, ...] = ()
    unavailable: str = ""
    origin: Origin = field(default_factory=Origin)
    file: Path | None = None
    file_digest: str = ""
    remark: str = ""

    @property
    def foreign(self) -> bool:
        """Whether it is not denobench's own, and has processes of its own."""
        return not self.origin.own or self.registered in methods.FOREIGN.names()

    @property
    def fitted(self) -> bool:
        """Whether it has to be trained."""
        return bool(self.training)

    def runs_on(self, corruption: Noise) -> bool:
        """Whether it is compared on a noise model: on all, or on the one it is made for."""
        return self.info.assumes in ("", "gaussian", corruption.model)

    def scopes(self, corruptions: Iterable[Noise]) -> Iterator[tuple[Noise, ...]]:
        """Yield the corruptions that share one training or one tuning.

        Each alone where the true sigma is told; else all levels of a noise model, for which the
        track may know no difference, or one network is trained.
        """
        own = filter(self.runs_on, corruptions)
        if self.track == "oracle" and self.training != "told":
            yield from ((corruption,) for corruption in own)
            return
        by_model: dict[str, list[Noise]] = {}
        for corruption in own:
            by_model.setdefault(corruption.model, []).append(corruption)
        yield from map(tuple, by_model.values())


def with_plugin_methods(config: Config) -> Config:
    """Return a config whose methods are joined by those of its plugin files.

    One that an entry uses already, under its own name or another, is not among them twice.

    Raises
    ------
    DenobenchError
        If a plugin file cannot be used.
    """
    if not (config.methods and config.plugins):  # without any, all methods are compared
        return config
    with load_plugins(config.plugins):
        offered = list(methods.REGISTRY.offers())
    used = {*config.methods, *(entry.method for entry in config.methods.values())}
    more = {name: MethodEntry() for name in offered if name not in used}
    return config.model_copy(update={"methods": {**config.methods, **more}})


def with_models(config: Config, paths: Iterable[Path]) -> Config:
    """Return a config whose methods are joined by networks' files, each of its file's name.

    Raises
    ------
    DenobenchError
        If a method of that name is there already.
    """
    known = methods.REGISTRY.names()
    entries = dict(config.methods) or {name: MethodEntry() for name in known}
    for path in paths:
        name = foreign.name_of(path)
        if name in entries or name in known:
            raise DenobenchError(
                f"--model {path}: there is a method {name!r} already; rename the file, or name it "
                f"in a config: methods: {{my-{name}: {{model: {path}}}}}."
            )
        entries[name] = MethodEntry(model=path)
    return config.model_copy(update={"methods": entries})


def plan_methods(config: Config) -> tuple[PlannedMethod, ...]:
    """Return the methods that a config compares; all that need no training if it names none.

    Raises
    ------
    DenobenchError
        If a method or parameter is unknown, or cannot be used as the config asks for.
    """
    entries = config.methods or {
        name: MethodEntry() for name in methods.untrained(volumes=config.whole)
    }
    if config.reference and config.reference not in entries:
        raise unknown("reference method", config.reference, entries)
    planned = tuple(_plan_method(name, entry, config.device) for name, entry in entries.items())
    if config.stabilise and any(corruption.model == "rician" for corruption in config.noises):
        planned = tuple(_with_stabilised(planned, entries))
    for method in planned:
        if method.info.dims == 3 and not config.whole:
            raise DenobenchError(
                f"Method {method.name!r} takes whole volumes: use unit: volume (--unit volume), or "
                "leave the method out."
            )
        if not any(method.runs_on(corruption) for corruption in config.noises):
            raise DenobenchError(
                f"Method {method.name!r} is made for {method.info.assumes} noise alone: add some, "
                f"such as {method.info.assumes}:0.09, or leave the method out."
            )
    return planned


def _plan_model(name: str, entry: MethodEntry, device: Device) -> PlannedMethod:
    """Return a method that is a network's file or a command."""
    try:
        about = foreign.opened(name, entry.model, entry.command, entry.parameters, device)
    except UnavailableError as error:
        return _unavailable(name, "command" if entry.command else "model(onnx)", entry, error)
    track = entry.track or about.info.tracks[0]
    _check_track(name, entry, track, about.info.tracks)
    return PlannedMethod(
        name,
        about.registered,
        track,
        entry.sigma_factor,
        about.parameters,
        about.info,
        source_digest(methods.load(about.registered)),
        training="",
        origin=methods.origin(about.registered),
        file=about.path,
        file_digest=about.digest,
        remark=about.remark,
        grid=_grid(about.info, track, entry),
    )


def _unavailable(
    name: str, registered: str, entry: MethodEntry, error: UnavailableError
) -> PlannedMethod:
    """Return a method that cannot be used here; its cells are skipped."""
    return PlannedMethod(
        name,
        registered,
        track=entry.track or "oracle",
        sigma_factor=entry.sigma_factor,
        parameters=entry.parameters,
        info=Info(registered, registered),
        source="",
        training="",
        unavailable=str(error),
        origin=methods.origin(registered),
    )


def _check_track(name: str, entry: MethodEntry, track: str, tracks: Sequence[str]) -> None:
    """Raise if a method cannot run on the track that a config asks for."""
    if track not in tracks:
        raise DenobenchError(
            f"Method {name!r} cannot run on the track {track!r}; valid: {', '.join(tracks)}."
        )
    if track == "blind" and entry.sigma_factor != 1:
        raise DenobenchError(
            f"Method {name!r} is told nothing of sigma on the track 'blind': "
            "leave sigma_factor out."
        )


def _plan_method(name: str, entry: MethodEntry, device: Device = "auto") -> PlannedMethod:
    if entry.model or entry.command:
        return _plan_model(name, entry, device)
    registered = entry.method or name
    given = entry.parameters
    levels = _levels(name, given.pop("levels", ()))
    try:
        found = methods.load(registered)
        known = {*methods.parameters(found), *MethodEntry.model_fields}
        if wrong := [key for key in given if key not in known]:
            raise unknown(f"parameter of method {name!r}", wrong[0], known)
        built = methods.build(registered, given)
    except UnavailableError as error:
        return _unavailable(name, registered, entry, error)
    parameters = {**methods.parameters(found), **given}
    info: Info = found.info
    training = built.training if isinstance(built, FittedDenoiser) else ""
    tracks = [track for track in info.tracks if track in _TRACKS.get(training, info.tracks)]
    track = entry.track or (tracks or info.tracks)[0]
    _check_track(name, entry, track, tracks)
    if levels and not training:
        raise unknown(f"parameter of method {registered!r}", "levels", parameters)
    return PlannedMethod(
        name,
        registered,
        track,
        entry.sigma_factor,
        parameters,
        info,
        source_digest(found),
        training,
        {} if training else _grid(info, track, entry),
        levels or (built.levels if isinstance(built, FittedDenoiser) else ()),
        origin=methods.origin(registered),
    )


def _levels(name: str, levels: Any) -> tuple[float, ...]:
    """Return the levels that a blind network is trained for."""
    if not isinstance(levels, list | tuple):
        raise DenobenchError(
            f"Method {name!r}: levels: must be a list, such as [0.05, 0.2] (found {shown(levels)})."
        )
    for level in levels:
        if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level <= 1:
            raise DenobenchError(
                f"Method {name!r}: levels: each must be a number above 0 and at most 1 "
                f"(found {shown(level)})."
            )
    return tuple(levels)


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
