"""The manifest: what a reader needs to know of a run, checked once when it is read, never altered.

Whatever it leaves out is not known, and so is ``null``: a manifest of another version, or of
somebody's own making, is readable as long as what it says has the right types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from denobench.errors import DenobenchError


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, told: Any) -> Any:
        if not isinstance(told, Mapping):
            return told
        return {name: value for name, value in told.items() if value is not None}


class LeftOut(_Part):
    """A file of the data set that could not be read."""

    path: str
    reason: str = ""


class ResidualNoise(_Part):
    """How noisy the references are, as fractions of full scale, judged by some of the images."""

    median: float
    max: float
    images: int


class DatasetRecord(_Part):
    """The data set: how many images, how they were split, and how clean they are.

    Attributes
    ----------
    test, tested
        Images that are to be tested, and those that the run's limit leaves of them.
    tested_digest, digest
        Of the tested images and of all.
    notes
        What must be said of the set: what was left out, odd scales.
    cluster_of
        What a cluster is: ``slices`` that look alike, or ``subjects``.
    leaks
        Test images that share a slice with a training image.
    """

    name: str = ""
    licence: str = ""
    images: int | None = None
    clusters: int | None = None
    labels: Mapping[str, int] = {}
    split: str = ""
    train: int | None = None
    validation: int | None = None
    folds: int | None = None
    test: int | None = None
    tested: int | None = None
    tested_digest: str = ""
    leaks: int = 0
    unreadable: tuple[LeftOut, ...] = ()
    residual_noise: ResidualNoise | None = None
    remark: str = ""
    notes: tuple[str, ...] = ()
    cluster_of: str = "slices"
    digest: str = ""


class TrainingRecord(_Part):
    """How a method's networks were trained: seconds summed over them, the rest of the last one.

    Attributes
    ----------
    images
        How many were trained on, and how many validated with.
    parameters
        Numbers in the weights of one network.
    multiplications
        Products that its convolutions take for an image of the run's size.
    seen
        Images, or squares of them, in all steps of one training.
    stated_epochs
        Epochs that the method's source states.
    device
        What was trained on: processor and cores, a GPU, a backend other than TensorFlow.
    """

    networks: int | None = None
    epochs: int | None = None
    kept_epoch: int | None = None
    seconds: float | None = None
    images: tuple[int, ...] | None = None
    levels: tuple[float, ...] | None = None
    parameters: int | None = None
    multiplications: int | None = None
    seen: int | None = None
    stated_epochs: int | None = None
    device: str | None = None

    @field_validator("images", mode="before")
    @classmethod
    def _number_of_images(cls, told: Any) -> Any:
        return (told,) if isinstance(told, int) else told


class MethodRecord(_Part):
    """What tables and figures tell of a method.

    Attributes
    ----------
    method
        The name that it is registered under; empty where it is the config's own.
    title, registered_title
        As the config's entry and as the method itself are called.
    """

    method: str = ""
    title: str = ""
    registered_title: str = ""
    track: str = ""
    sigma_factor: float = 1.0
    parameters: Mapping[str, Any] = {}
    licence: str = ""
    reference: str = ""
    assumes: str = ""
    dims: int = 2
    notes: str = ""
    training: TrainingRecord | None = None
    remark: str = ""


class MetricRecord(_Part):
    """What tables tell of a metric; ``better`` is ``higher`` or ``lower``.

    One without ``reference`` estimates, and is not ranked.
    """

    title: str = ""
    unit: str = ""
    better: str = ""
    reference: bool = True
    settings: Mapping[str, Any] = {}
    dims: int = 2


class NoiseRecord(_Part):
    """What tables tell of a noise model."""

    title: str = ""


class Protocol(_Part):
    """How images became scores."""

    clip: tuple[float, float] | None = None
    interpolation: str | None = None
    foreground: str = ""


class Shown(_Part):
    """An image and a level whose pictures the gallery keeps, and the observation's key.

    Attributes
    ----------
    slices
        Of a volume, the numbers of the slices that are kept, from 1.
    depth
        Of a volume, how many slices it has.
    """

    image: str
    noise: str
    level: float
    observation: str = ""
    slices: tuple[int, ...] = ()
    depth: int = 1


class Hardware(_Part):
    """The machine: processor, cores and memory in GB that could be used, and system."""

    cpu: str = ""
    cores: int | None = None
    memory_gb: float | None = None
    platform: str = ""
    python: str = ""


class Git(_Part):
    """The checkout that the run came from."""

    commit: str
    dirty: bool = False


class Stages(_Part):
    """Seconds that the stages took, and the share of the cores' time that cells had."""

    training_s: float | None = None
    tuning_s: float | None = None
    cells_s: float | None = None
    core_share: float | None = None
    timing_s: float | None = None

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by the stage's name, of those that are known."""
        times = {
            "training": self.training_s,
            "tuning": self.tuning_s,
            "cells": self.cells_s,
            "timing": self.timing_s,
        }
        return {name: value for name, value in times.items() if value is not None}


class TuningSettings(_Part):
    """What the config says of tuning."""

    trials: int = 0


class Settings(_Part):
    """What of the config is asked for without its being parsed as one."""

    split: str = ""
    unit: str = "slice"
    reference: str | None = None
    plugins: tuple[str, ...] = ()
    tuning: TuningSettings = TuningSettings()


class Manifest(_Part):
    """All that is recorded of a run beside its rows.

    Attributes
    ----------
    config
        As the user gave it, defaults filled in; ``settings`` are
        what of it is asked for.
    size
        Side of the tested images in pixels, or ``native``.
    gallery
        What pictures were kept of.
    share
        Whether a report may show them: the licence of the images is known, or the config says so.
    versions
        By library.
    models
        Names of the copies of weights below ``models/``.
    """

    name: str = ""
    created: str = ""
    config: Mapping[str, Any] = {}
    settings: Settings = Field(default=Settings(), validation_alias="config", exclude=True)
    seed: int | None = None
    size: int | str | None = None
    realisations: int | None = None
    dataset: DatasetRecord = DatasetRecord()
    methods: Mapping[str, MethodRecord] = {}
    metrics: Mapping[str, MetricRecord] = {}
    protocol: Protocol = Protocol()
    noise_models: Mapping[str, NoiseRecord] = {}
    gallery: tuple[Shown, ...] = ()
    share: bool = True
    versions: Mapping[str, str] = {}
    hardware: Hardware = Hardware()
    git: Git | None = None
    models: tuple[str, ...] = ()
    stages: Stages = Stages()

    def but(self, **changes: Any) -> Manifest:
        """Return the manifest with other values of some fields."""
        return self.model_copy(update=changes)

    def took(self, **seconds: float) -> Manifest:
        """Return the manifest with how long stages took."""
        return self.but(stages=self.stages.model_copy(update=seconds))

    def record(self) -> dict[str, Any]:
        """Return it as JSON-ready values, for `parse`."""
        return self.model_dump()


def parse(told: Any, origin: str) -> Manifest:
    """Return the manifest that JSON values make.

    Parameters
    ----------
    told
        What was read.
    origin
        Where, for the error.

    Raises
    ------
    DenobenchError
        If a value has the wrong type; names the key, what was found and what would be right.
    """
    try:
        return Manifest.model_validate(told)
    except ValidationError as error:
        found = error.errors()[0]
        key = ".".join(map(str, found["loc"])) or "all of it"
        value = repr(found["input"])
        shown = value if len(value) <= 60 else f"{value[:60]}…"
        raise DenobenchError(f"{origin}: {key}: {found['msg']} (found {shown}).") from None
