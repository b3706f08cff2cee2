"""The contract of a metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from denobench.errors import DenobenchError
from denobench.registry import Registry

REGISTRY = Registry("denobench.metrics", "metric")

Measure = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]


@dataclass(frozen=True)
class Metric:
    """A score of a denoised image.

    Attributes
    ----------
    name, title, unit
        As they stand in columns and tables.
    better
        ``higher`` or ``lower``.
    measure
        Function of the clean image, the denoised one, both float64, (H, W), in [0, 1], and the
        foreground's mask, bool, (H, W), or None for the whole image.
    """

    name: str
    title: str
    unit: str
    better: str
    measure: Measure

    def __call__(
        self, image: np.ndarray, denoised: np.ndarray, mask: np.ndarray | None = None
    ) -> float:
        """Return the score on the whole image, or on the mask."""
        if image.shape != denoised.shape:
            raise DenobenchError(
                f"{self.title} compares images of one shape, not {image.shape}, {denoised.shape}."
            )
        return float(self.measure(image.astype(np.float64), denoised.astype(np.float64), mask))


def metric(
    name: str, *, title: str, unit: str = "", better: str = "higher"
) -> Callable[[Measure], Metric]:
    """Turn a measuring function into a metric."""

    def wrap(measure: Measure) -> Metric:
        return Metric(name, title, unit, better, measure)

    return wrap


def score(
    metrics: Iterable[Metric], image: np.ndarray, denoised: np.ndarray, mask: np.ndarray
) -> dict[str, float]:
    """Return every metric on the whole image (``NAME``) and on the mask (``NAME_foreground``)."""
    scores = {}
    for each in metrics:
        scores[each.name] = each(image, denoised)
        scores[f"{each.name}_foreground"] = each(image, denoised, mask)
    return scores
