"""The sections of a config."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

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
