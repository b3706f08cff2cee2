"""What a user may write: the config, read from YAML, with one precise error per mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from denobench.errors import DenobenchError, unknown
from denobench.noise import Noise


class MethodEntry(BaseModel):
    """One method of a config: ``NAME: {method: ..., track: ..., PARAMETER: VALUE, ...}``.

    Attributes
    ----------
    method
        The registered method; the entry's name if left out.
    track
        What it is told of sigma; the method's first track if left out.
    sigma_factor
        It is told this multiple of the true or the estimated sigma.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    method: str | None = None
    track: Literal["oracle", "estimated", "blind"] | None = None
    sigma_factor: float = Field(default=1.0, gt=0)

    @property
    def parameters(self) -> dict[str, Any]:
        """What is the method's own."""
        return dict(self.model_extra or {})


class TimingEntry(BaseModel):
    """How runtimes are measured.

    Attributes
    ----------
    repeats
        Timed rounds; 0 leaves the timing pass out.
    threads
        Threads that a method may use.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    repeats: int = Field(default=7, ge=0)
    threads: int = Field(default=1, ge=1)


class TuningEntry(BaseModel):
    """How parameters are tuned, on validation images alone.

    Attributes
    ----------
    trials
        Settings that may be tried of each method, its defaults among them; 0 leaves the defaults.
    images
        Validation images that a trial is scored on, at most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    trials: int = Field(default=0, ge=0)
    images: int = Field(default=16, ge=1)


class Config(BaseModel):
    """A comparison: images, noise, methods and how they are scored.

    Attributes
    ----------
    name
        Of the run and of its folder under ``results/``.
    dataset
        ``simulated``, ``brain-tumor`` or ``folder``.
    data
        Folder of the images; a relative path in a file starts at the file's folder.
    size
        Side in pixels, 16 to 4096, or ``native``.
    split
        ``cluster`` keeps near-duplicates together, ``paper`` is plainly random as in the paper,
        ``folds`` tests every image once, in five folds by cluster, and ``none`` tests every image
        and leaves none to train or tune.
    limit
        Test at most so many images.
    seed
        Of split, noise and training.
    realisations
        Noise fields per image.
    noise
        Several of the form ``MODEL:LEVEL``.
    methods
        Name -> settings; all registered methods if empty.
    stabilise
        Whether every method for Gaussian noise also meets Rician noise as ``vst(NAME)``, behind
        variance stabilisation.
    metrics
        Scores to take.
    reference
        The method that others are held against in paired tests; BM3D if left out, or the first
        method where there is none.
    plugins
        Python files that define methods; relative paths as for ``data``.
    tuning
        How parameters are tuned.
    timing
        How runtimes are measured.
    timeout
        Seconds that one cell may take; then its worker is killed.
    memory
        GiB that one worker may use, then it is killed; 0.9 of the machine's memory, divided by
        the workers, if left out.
    workers
        Worker processes; all cores if left out.
    executor
        ``local``, or ``dask`` for more than one machine.
    address
        The Dask scheduler's, such as ``tcp://10.0.0.1:8786``; a local cluster if left out.
    gallery
        Test images shown in the gallery.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "run"
    dataset: str = "simulated"
    data: Path | None = None
    size: int | Literal["native"] = 224
    split: Literal["cluster", "paper", "folds", "none"] = "cluster"
    limit: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
    realisations: int = Field(default=1, ge=1)
    noise: tuple[str, ...] = ("gaussian:0.05", "gaussian:0.1", "gaussian:0.2")
    methods: dict[str, MethodEntry] = Field(default_factory=dict)
    stabilise: bool = True
    metrics: tuple[str, ...] = ("psnr", "ssim", "nrmse")
    reference: str | None = None
    plugins: tuple[Path, ...] = ()
    tuning: TuningEntry = Field(default_factory=TuningEntry)
    timing: TimingEntry = Field(default_factory=TimingEntry)
    timeout: float = Field(default=600.0, gt=0)
    memory: float | None = Field(default=None, gt=0)
    workers: int | None = Field(default=None, ge=1)
    executor: Literal["local", "dask"] = "local"
    address: str | None = None
    gallery: int = Field(default=2, ge=0)

    @field_validator("size")
    @classmethod
    def _size_in_range(cls, size: int | str) -> int | str:
        if isinstance(size, int) and not 16 <= size <= 4096:
            raise ValueError("must be native or between 16 and 4096")
        return size

    @field_validator("noise", "metrics")
    @classmethod
    def _not_empty(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not values:
            raise ValueError("must name at least one")
        return tuple(dict.fromkeys(values))

    @field_validator("methods", mode="before")
    @classmethod
    def _entries(cls, value: Any) -> Any:
        """Accept a list of names, and names without settings."""
        if isinstance(value, list | tuple):
            value = {name: {} for name in value}
        if isinstance(value, Mapping):
            return {name: {} if entry is None else entry for name, entry in value.items()}
        return value

    @property
    def side(self) -> int | None:
        """The side in pixels, or None for native size."""
        return None if self.size == "native" else int(self.size)

    @property
    def noises(self) -> tuple[Noise, ...]:
        """The corruptions, parsed."""
        return tuple(Noise.parse(text) for text in self.noise)


def shipped() -> dict[str, str]:
    """Return the configs that come with denobench: name -> YAML text."""
    folder = resources.files("denobench") / "configs"
    found = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".yaml"): file.read_text("utf-8")
        for file in found
        if file.name.endswith(".yaml")
    }


def load(source: str | Path, settings: Mapping[str, Any] | None = None) -> Config:
    """Read a config and change some of its settings.

    Parameters
    ----------
    source
        A shipped config's name, or the path of a YAML file.
    settings
        Dotted keys and values that replace what stands in the file.

    Raises
    ------
    DenobenchError
        If the config is missing or not YAML, or a key or value is wrong; the message names it.
    """
    text, origin, name = _find(str(source))
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DenobenchError(f"{origin} is not valid YAML: {error}") from None
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise DenobenchError(f"{origin} must hold `key: value` lines, such as `size: 224`.")
    tree.setdefault("name", name)
    _anchor(tree, Path(origin).parent)
    for key, value in (settings or {}).items():
        _set(tree, key, value)
    return parse(tree, origin)


def parse(tree: Mapping[str, Any], origin: str) -> Config:
    """Check a config's tree and return the config.

    Raises
    ------
    DenobenchError
        With one line per mistake: where, what, and what would be right.
    """
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise DenobenchError("\n".join(_explain(error, origin))) from None
    config.noises  # noqa: B018 - raises for a malformed one
    return config


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Read ``key=value`` texts; values are YAML, so that numbers and lists work.

    Raises
    ------
    DenobenchError
        If one has no ``=``, or a value is not YAML.
    """
    settings = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise DenobenchError(f"--set {text!r} is not of the form key=value, such as size=128.")
        try:
            settings[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise DenobenchError(f"--set {text!r}: the value is not valid YAML.") from None
    return settings


def _find(source: str) -> tuple[str, str, str]:
    """Return the text, origin and name of a config."""
    path = Path(source)
    configs = shipped()
    if path.suffix in (".yaml", ".yml") or path.is_file():
        try:
            return path.read_text("utf-8"), str(path), path.stem
        except (OSError, UnicodeDecodeError) as error:
            raise DenobenchError(f"Config {path} cannot be read: {error}") from None
    if source in configs:
        return configs[source], f"config {source}", source
    raise unknown("config", source, configs)


def _anchor(tree: dict[str, Any], folder: Path) -> None:
    """Make paths relative to the config's folder, so that it may be used from any other."""
    if isinstance(tree.get("data"), str):
        tree["data"] = str(folder / tree["data"])
    if isinstance(tree.get("plugins"), list):
        tree["plugins"] = [str(folder / str(path)) for path in tree["plugins"]]


def _set(tree: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key in a tree of dictionaries."""
    *parents, last = key.split(".")
    for parent in parents:
        below = tree.get(parent)
        if isinstance(below, list):
            below = {name: {} for name in below}
        tree[parent] = below = dict(below or {})
        tree = below
    tree[last] = value


_SECTIONS: Mapping[tuple[int | str, ...], type[BaseModel]] = {
    ("timing",): TimingEntry,
    ("tuning",): TuningEntry,
}


def _explain(error: ValidationError, origin: str) -> list[str]:
    """Turn pydantic's findings into one line each."""
    lines = []
    for found in error.errors():
        place = ".".join(str(part) for part in found["loc"])
        if found["type"] == "extra_forbidden":
            parents, name = found["loc"][:-1], str(found["loc"][-1])
            model = _SECTIONS.get(parents, Config)
            lines.append(f"{origin}: {unknown('key', name, model.model_fields)}")
        else:
            message = found["msg"].removeprefix("Value error, ")
            lines.append(f"{origin}: {place}: {message} (found {found['input']!r}).")
    return list(dict.fromkeys(lines))
