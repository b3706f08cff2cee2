"""The sections of a config."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from denobench.validation import Flag, Whole


class PairsEntry(BaseModel):
    """Which files of ``data`` are noisy, and which are their references.

    Attributes
    ----------
    noisy, reference
        Paths below ``data`` with names in braces, such as ``sub-{subject}/noisy_{run}.nii.gz``, or
        BIDS's entities, such as ``{acq: fast}``. Files belong together whose names agree in all
        that the reference's leaves open; what only the noisy ones have tells realisations apart.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    noisy: str | dict[str, str | int]
    reference: str | dict[str, str | int]


class SlicesEntry(BaseModel):
    """Which slices of volumes are images.

    Attributes
    ----------
    plane
        ``axial``, ``coronal`` or ``sagittal``, by the file's orientation, or ``acquired``.
    every
        Every n-th slice only.
    empty
        Whether slices with next to nothing in them are kept, too.
    volumes
        Of a 4-D file or series: ``first``, ``all``, or their numbers from 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    plane: Literal["acquired", "axial", "coronal", "sagittal"] = "acquired"
    every: Whole = Field(default=1, ge=1)
    empty: Flag = False
    volumes: Literal["first", "all"] | tuple[Annotated[int, Field(ge=1)], ...] = "first"


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

    repeats: Whole = Field(default=7, ge=0, le=1000)
    threads: Whole = Field(default=1, ge=1, le=1024)


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

    trials: Whole = Field(default=0, ge=0, le=10_000)
    images: Whole = Field(default=16, ge=1)


class GalleryEntry(BaseModel):
    """Which images are shown in the report, ``gallery: 2`` or ``gallery: {images: 2, ...}``.

    Attributes
    ----------
    images
        So many of the test images, the first of them.
    names
        And these, by their names.
    show
        And the ``worst``, the ``median`` or the ``best`` image by the first metric: by how far its
        scores are from the mean of the same method and level over all images.
    share
        Whether pictures stand in the report although the licence of the images is not known: a
        report travels.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    images: Whole = Field(default=2, ge=0)
    names: tuple[str, ...] = ()
    show: tuple[Literal["worst", "median", "best"], ...] = ()
    share: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        return value if isinstance(value, dict | GalleryEntry) else {"images": value}

    @field_validator("names", "show", mode="before")
    @classmethod
    def _list(cls, values: Any) -> Any:
        if not isinstance(values, list | tuple):
            raise ValueError("must be a list, such as [worst]")
        return tuple(dict.fromkeys(values)) if all(isinstance(v, str) for v in values) else values
