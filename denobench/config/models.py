"""What a user may write: the config, with one precise error per mistake."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from denobench.config.sections import (
    GalleryEntry,
    PairsEntry,
    SlicesEntry,
    TimingEntry,
    TuningEntry,
)
from denobench.device import Device
from denobench.errors import DenobenchError
from denobench.files import user_path
from denobench.noise import Noise
from denobench.scale import Scale
from denobench.validation import Flag, Number, Whole, shown

_LONGEST_NAME = 100


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
    model
        A network's file that is the method; the parameters then state how it is used.
    command
        A command that is the method.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    method: str | None = None
    track: Literal["oracle", "estimated", "blind"] | None = None
    sigma_factor: Number = Field(default=1.0, gt=0, le=100)
    model: Path | None = None
    command: str | None = Field(default=None, min_length=1)

    @field_validator("model", mode="before")
    @classmethod
    def _absolute(cls, path: Any) -> Any:
        return user_path(path).absolute() if isinstance(path, str | Path) else path

    @model_validator(mode="after")
    def _one_kind(self) -> MethodEntry:
        named = [name for name in ("method", "model", "command") if getattr(self, name) is not None]
        if len(named) > 1:
            raise ValueError(f"has {' and '.join(named)}, of which one says what the method is")
        return self

    @property
    def parameters(self) -> dict[str, Any]:
        """What is the method's own."""
        return dict(self.model_extra or {})


class Config(BaseModel):
    """A comparison: images, noise, methods and how they are scored.

    Attributes
    ----------
    name
        Of the run and of its folder under ``results/``.
    dataset
        ``simulated``, ``brain-tumor``, ``folder``, or ``pairs`` of noisy images and references.
    data
        Folder of the images; a relative path in a file starts at the file's folder.
    references
        Of ``dataset: pairs``, whose ``data`` are noisy: the folder of the references, or ``none``.
    pairs
        Which files of ``data`` are noisy and which are references, in place of ``references``.
    masks
        Folder of the tumours' masks, for tasks and for the tumour's metrics: of pictures with
        the images' names, or BIDS derivatives ``sub-*/..._mask.nii.gz``.
    fit
        Whether a factor and an offset between the intensities of a pair are taken out.
    scale
        How a file's values become an image: ``type`` (255 or 65535 is full scale), ``max``,
        ``percentile:99.9`` or ``[low, high]``, applied to each picture, volume or series. If left
        out, the type for pictures and ``percentile:99.9`` for MR formats.
    slices
        Which slices of volumes are images.
    unit
        What a cell is: a ``slice``, or a whole ``volume``, on which 2-D methods run slice by slice
        and 3-D methods at once.
    subjects
        ``auto`` (BIDS's ``sub-*``, DICOM's PatientID), ``none``, or which folder of a file's path
        below ``data`` is the subject, from 1.
    size
        Side in pixels, 16 to 4096, or ``native``, which keeps each image's own.
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
        Several of the form ``MODEL:LEVEL``, such as ``rician:0.09`` or ``gaussian:25/255``; for
        pairs ``measured``, or ``measured:SIGMA`` where sigma is known.
    methods
        Name -> settings; all registered methods if empty.
    stabilise
        Whether every method for Gaussian noise also meets Rician noise as ``vst(NAME)``, behind
        variance stabilisation.
    metrics
        Scores to take.
    tasks
        What is asked of every image after denoising, such as ``tumour-classification``.
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
    device
        Where networks compute and are trained: ``auto`` (an accelerator that their library can
        use, else the CPU), ``cpu`` or ``gpu``.
    executor
        ``local``, or ``dask`` for more than one machine.
    address
        The Dask scheduler's, such as ``tcp://10.0.0.1:8786``; a local cluster if left out.
    backend
        What Keras trains networks with: ``tensorflow``, ``jax`` or ``torch``.
    gallery
        Which test images are shown: how many, or see `GalleryEntry`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "run"
    dataset: str = "simulated"
    data: Path | None = None
    references: Path | Literal["none"] | None = None
    pairs: PairsEntry | None = None
    masks: Path | None = None
    fit: Flag = False
    scale: str | tuple[float, float] | None = None
    slices: SlicesEntry = Field(default_factory=SlicesEntry)
    unit: Literal["slice", "volume"] = "slice"
    subjects: Literal["auto", "none"] | Annotated[int, Field(ge=1)] = "auto"
    size: int | Literal["native"] = 224
    split: Literal["cluster", "paper", "folds", "none"] = "cluster"
    limit: Whole | None = Field(default=None, ge=1)
    seed: Whole = Field(default=0, ge=0, lt=2**32)
    realisations: Whole = Field(default=1, ge=1, le=1000)
    noise: tuple[str, ...] = ("gaussian:0.05", "gaussian:0.1", "gaussian:0.2")
    methods: dict[str, MethodEntry] = Field(default_factory=dict)
    stabilise: Flag = True
    metrics: tuple[str, ...] = ("psnr", "ssim", "nrmse")
    tasks: tuple[str, ...] = ()
    reference: str | None = None
    plugins: tuple[Path, ...] = ()
    tuning: TuningEntry = Field(default_factory=TuningEntry)
    timing: TimingEntry = Field(default_factory=TimingEntry)
    timeout: Number = Field(default=600.0, gt=0, le=1e7)
    memory: Number | None = Field(default=None, gt=0, le=1e6)
    workers: Whole | None = Field(default=None, ge=1, le=1024)
    device: Device = "auto"
    executor: Literal["local", "dask"] = "local"
    address: str | None = None
    backend: Literal["tensorflow", "jax", "torch"] = "tensorflow"
    gallery: GalleryEntry = Field(default_factory=GalleryEntry)

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        _check_name(name)
        if name.startswith(".") or "/" in name or "\\" in name:
            raise ValueError("must be the plain name of a folder, such as mine")
        return name

    @field_validator("size", mode="before")
    @classmethod
    def _size_in_range(cls, size: Any) -> Any:
        whole = isinstance(size, int) and not isinstance(size, bool)
        if size != "native" and not (whole and 16 <= size <= 4096):
            raise ValueError("must be native or between 16 and 4096")
        return size

    @field_validator("data", "masks", mode="before")
    @classmethod
    def _data_path(cls, path: Any) -> Any:
        return _path(path)

    @field_validator("references", mode="before")
    @classmethod
    def _references_path(cls, path: Any) -> Any:
        return path if path == "none" else _path(path)

    @field_validator("plugins", mode="before")
    @classmethod
    def _plugin_paths(cls, paths: Any) -> Any:
        return [_path(path) for path in _list(paths, "[my_method.py]")]

    @field_validator("scale", mode="before")
    @classmethod
    def _scale_known(cls, scale: Any) -> Any:
        try:
            return scale if scale is None else (Scale.parse(scale) and scale)
        except DenobenchError as error:
            raise SentenceError(str(error).removeprefix("scale: ")) from None

    @field_validator("metrics", mode="before")
    @classmethod
    def _names(cls, values: Any) -> Any:
        return _list(values, "[psnr, ssim]")

    @field_validator("tasks", mode="before")
    @classmethod
    def _tasks(cls, values: Any) -> Any:
        return _list(values, "[tumour-classification]")

    @field_validator("noise", mode="before")
    @classmethod
    def _texts(cls, values: Any) -> Any:
        """Say what is meant where a colon has made a mapping of a corruption."""
        for value in _list(values, "[gaussian:0.1, rician:0.05]"):
            if isinstance(value, Mapping) and len(value) == 1:
                ((name, below),) = value.items()
                raise ValueError(f"must be written without the space, {name}:{below}")
        return values

    @field_validator("metrics")
    @classmethod
    def _not_empty(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not values:
            raise ValueError("must name at least one")
        return tuple(dict.fromkeys(values))

    @field_validator("noise")
    @classmethod
    def _corruptions(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return cls._not_empty(tuple(map(str, dict.fromkeys(map(Noise.parse, values)))))
        except DenobenchError as error:
            raise SentenceError(str(error)) from None

    @field_validator("methods", mode="before")
    @classmethod
    def _entries(cls, value: Any) -> Any:
        """Accept a list of names, and names without settings."""
        if isinstance(value, list | tuple):
            for name in value:
                if not isinstance(name, str):
                    raise ValueError(
                        "a list holds names alone; with settings each method is a line of its own, "
                        "`tv: {weight: 0.3}`, without a dash"
                    )
                if value.count(name) > 1:
                    raise ValueError(f"names {name!r} twice")
            value = {name: {} for name in value}
        if not isinstance(value, Mapping):
            raise ValueError("must be names, with settings or without, such as {tv: , nlm: }")
        for name in value:
            _check_name(name)
        return {name: {} if entry is None else entry for name, entry in value.items()}

    @property
    def side(self) -> int | None:
        """The side in pixels, or None for native size."""
        return None if self.size == "native" else int(self.size)

    @property
    def whole(self) -> bool:
        """Whether cells are whole volumes."""
        return self.unit == "volume"

    @property
    def noises(self) -> tuple[Noise, ...]:
        """The corruptions, parsed."""
        return tuple(Noise.parse(text) for text in self.noise)


def _path(path: Any) -> Any:
    """Return the path that a text names."""
    try:
        return user_path(path) if isinstance(path, str | Path) else path
    except DenobenchError as error:
        raise SentenceError(str(error)) from None


def _list(values: Any, example: str) -> Any:
    if not isinstance(values, list | tuple):
        raise ValueError(f"must be a list, such as {example}")
    return values


def _check_name(name: str) -> None:
    """Raise if nothing can be called so."""
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise SentenceError(
            f"{shown(name)} is no name; it takes 1 to {_LONGEST_NAME} letters that can be printed."
        )


class SentenceError(ValueError):
    """A mistake whose message is a whole sentence already."""
