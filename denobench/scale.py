"""How the values of a file become an image: what is 0 and what is full scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denobench.errors import DenobenchError

_RIGHT = "type, max, percentile:99.9 or [low, high], such as [0, 4095]"


@dataclass(frozen=True)
class Scale:
    """A rule for the values of a whole data set, applied to each volume, series or picture.

    Attributes
    ----------
    kind
        ``type`` (255 or 65535 is full scale), ``max``, ``percentile`` or ``range``.
    percentile
        What lies above it is clipped.
    low, high
        The values that become 0 and 1, of a ``range``.
    """

    kind: str
    percentile: float = 100.0
    low: float = 0.0
    high: float = 0.0

    def __str__(self) -> str:
        if self.kind == "percentile":
            return f"percentile:{self.percentile:g}"
        return f"[{self.low:g}, {self.high:g}]" if self.kind == "range" else self.kind

    @classmethod
    def parse(cls, written: str | Sequence[float]) -> Scale:
        """Read what a config says.

        Raises
        ------
        DenobenchError
            If it is no rule.
        """
        if isinstance(written, str):
            kind, colon, number = written.strip().partition(":")
            if kind in ("type", "max") and not colon:
                return cls(kind)
            try:
                percentile = float(number)
            except ValueError:
                percentile = float("nan")
            if kind == "percentile" and 50 < percentile <= 100:
                return cls(kind, percentile)
        elif _is_range(written):
            return cls("range", low=float(written[0]), high=float(written[1]))
        raise DenobenchError(f"scale: {written!r} is no rule; right is {_RIGHT}.")

    def limits(self, values: NDArray, full: float | None) -> tuple[float, float]:
        """Return the values that become 0 and 1.

        Negative values are kept where they belong to the image: 0 stays 0 unless the lowest value
        (of a percentile, the one that as many lie below as above the highest) is negative.

        Parameters
        ----------
        values
            Of the whole volume, series or picture.
        full
            What their type calls full scale, or None.

        Raises
        ------
        DenobenchError
            If the type has no full scale, or values lie outside of it.
        """
        if self.kind == "range":
            return self.low, self.high
        if self.kind == "type":
            if full is None:
                raise DenobenchError("its type has no full scale; use scale: percentile:99.9")
            if values.dtype.kind == "f" and (values.min() < 0 or values.max() > full):
                raise DenobenchError(
                    f"values outside the full scale of its type, {full:g}: they reach from "
                    f"{values.min():g} to {values.max():g}; use scale: percentile:99.9, or "
                    "scale: [low, high]"
                )
            return 0.0, full
        if self.kind == "max":
            low, high = float(values.min()), float(values.max())
        else:
            low, high = (
                float(value)
                for value in np.percentile(values, [100 - self.percentile, self.percentile])
            )
            if high <= 0 or high <= low:  # nearly all is background
                low, high = float(values.min()), float(values.max())
        low = min(low, 0.0)
        return low, high if high > low else low + 1.0


@dataclass(frozen=True)
class Scaling:
    """The rule by which values became an image, and the values that became 0 and 1."""

    rule: str
    low: float
    high: float


def _is_range(written: object) -> bool:
    return (
        isinstance(written, list | tuple)
        and len(written) == 2
        and all(isinstance(end, int | float) and np.isfinite(end) for end in written)
        and written[0] < written[1]
    )


def to_full_scale(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return values as an image: ``low`` becomes 0, ``high`` 1, and the rest is clipped.

    Parameters
    ----------
    values
        Real numbers, of any shape.
    low, high
        See `Scale`.

    Returns
    -------
    numpy.ndarray
        float32, in [0, 1].
    """
    shifted = np.asarray(values, np.float64) - low if low else np.asarray(values, np.float64)
    return np.ascontiguousarray(np.clip(shifted / (high - low), 0, 1), np.float32)
