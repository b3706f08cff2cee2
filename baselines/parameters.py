"""The values that parameters may have: annotations, which are held against what a config sets."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

Multiple = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
"""A multiple of sigma, above 0 and at most 100."""

Pixels = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
"""A length in pixels, above 0 and at most 100."""

Count = Annotated[int, Field(ge=1, le=1000)]
"""How often, 1 to 1000."""

Side = Annotated[int, Field(ge=1, le=101)]
"""A whole number of pixels, 1 to 101."""


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("must be odd")
    return value


Odd = Annotated[Side, AfterValidator(_odd)]
"""An odd number of pixels, 1 to 101."""


def _orthogonal(name: str) -> str:
    import pywt  # here, because listing and help need not wait for it

    if name not in pywt.wavelist(kind="discrete"):
        raise ValueError("must be a wavelet of PyWavelets, such as db2, sym4 or bior1.5")
    return name


Wavelet = Annotated[str, AfterValidator(_orthogonal)]
"""The name of an orthogonal or biorthogonal wavelet of PyWavelets."""
