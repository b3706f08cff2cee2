"""The contract of a metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from denobench.errors import DenobenchError, unknown
from denobench.registry import Registry

REGISTRY = Registry("denobench.metrics", "metric")

Measure = Callable[..., float]

KNOWN = ("noisy", "tumour")


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
    needs
        What else it looks at, given by keyword: ``noisy`` (the noisy image, float64, (H, W)) or
        ``tumour`` (the tumour's mask, uint8, (H, W): 1 core, 2 rim, 3 oedema). The score is NaN
        where an image has no such thing.
    settings
        What a reader must know to compute the same score, for the report.
    """

    name: str
    title: str
    unit: str
    better: str
    measure: Measure
    needs: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def regions(self) -> bool:
        """Whether the foreground is scored apart; a tumour's score has its own region."""
        return "tumour" not in self.needs

    def __call__(
        self,
        image: np.ndarray,
        denoised: np.ndarray,
        mask: np.ndarray | None = None,
        **known: np.ndarray | None,
    ) -> float:
        """Return the score on the whole image, or on the mask."""
        if image.shape != denoised.shape:
            raise DenobenchError(
                f"{self.title} compares images of one shape, not {image.shape}, {denoised.shape}."
            )
        needed = {name: known.get(name) for name in self.needs}
        if any(values is None for values in needed.values()):
            return float("nan")
        return float(
            self.measure(image.astype(np.float64), denoised.astype(np.float64), mask, **needed)
        )


def metric(
    name: str,
    *,
    title: str,
    unit: str = "",
    better: str = "higher",
    needs: tuple[str, ...] = (),
    settings: Mapping[str, Any] | None = None,
) -> Callable[[Measure], Metric]:
    """Turn a measuring function into a metric."""
    for each in needs:
        if each not in KNOWN:
            raise unknown(f"need of metric {name!r}", each, KNOWN)

    def wrap(measure: Measure) -> Metric:
        return Metric(name, title, unit, better, measure, needs, settings or {})

    return wrap


def score(
    metrics: Iterable[Metric],
    image: np.ndarray,
    denoised: np.ndarray,
    mask: np.ndarray,
    *,
    noisy: np.ndarray | None = None,
    tumour: np.ndarray | None = None,
) -> dict[str, float]:
    """Return every metric on the whole image (``NAME``) and on the mask (``NAME_foreground``).

    Scores that an image cannot have, such as a tumour's where there is none, are left out.
    """
    scores = {}
    for each in metrics:
        scores[each.name] = each(image, denoised, noisy=noisy, tumour=tumour)
        if each.regions:
            scores[f"{each.name}_foreground"] = each(
                image, denoised, mask, noisy=noisy, tumour=tumour
            )
    return {name: value for name, value in scores.items() if not np.isnan(value)}
