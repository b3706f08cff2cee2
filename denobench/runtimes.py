"""What ``timing.csv`` tells: shared by the engine, which writes it, and the report."""

from __future__ import annotations

import pandas as pd

_NOISY = 0.1  # quartiles so far apart, as a share of the median


def machine_noise(timing: pd.DataFrame) -> str:
    """Return what must be said of the machine that ``timing.csv`` was taken on; empty if quiet."""
    if "median_ms" not in timing:
        return ""
    spread = ((timing["high_ms"] - timing["low_ms"]) / timing["median_ms"]).median()
    if not spread > _NOISY:
        return ""
    return (
        "The machine was noisy while timing: a typical method's quartiles lie "
        f"{spread:.0%} of its median apart."
    )
