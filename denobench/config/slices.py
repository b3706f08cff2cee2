"""Which slices of volumes a config asks for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from denobench.validation import Flag, Whole


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
