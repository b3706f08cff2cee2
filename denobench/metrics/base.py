"""The contract of a metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from denobench.errors import DenobenchError, reason, unknown
from denobench.registry import Registry
from denobench.scorenames import is_on_foreground, metric_of, on_foreground

Measure = Callable[..., Any]
Reduce = Callable[[Any, "np.ndarray | None"], float]

KNOWN = ("noisy", "tumour", "sigma", "divergence")
_LONGEST = 500  # letters of a reason that are kept


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
        Function of the clean image and the denoised one, both float64, (H, W), in [0, 1] and not
        to be written to. With a ``reduce`` it returns what the scores of all regions are taken
        from, such as a map; it is then called once per answer. Without one it is called once per
        region, with the region's mask as a third argument, and returns the score.
    reduce
        Function of what ``measure`` returned and of a region's mask, bool, (H, W), or None for the
        whole image; returns the score.
    needs
        What else ``measure`` looks at, given by keyword: ``noisy`` (the noisy image, float64,
        (H, W)), ``tumour`` (the tumour's mask, uint8, (H, W): 1 core, 2 rim, 3 oedema), ``sigma``
        (of the noise: the true one, or estimated), or ``divergence`` (float64, (H, W): how each
        pixel of the answer follows its noisy one, by one random probe). The score is NaN where an
        image has no such thing.
    reference
        Whether it looks at the clean image. One that does not is given None in its place, and
        estimates: it is never called by the name of a score that does.
    settings
        What a reader must know to compute the same score, for the report.
    dims
        3 if all of this holds for volumes, (D, H, W), too, whose score is then taken over all
        voxels. Else 2, and a volume's score is the mean of its slices', on the foreground weighted
        by how much of it they show.
    """

    name: str
    title: str
    unit: str
    better: str
    measure: Measure
    reduce: Reduce | None = None
    needs: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    reference: bool = True
    dims: int = 2

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
        double = (image.astype(np.float64), denoised.astype(np.float64))
        (found,) = self.over([mask], *double, known)
        return found

    def over(
        self,
        masks: Iterable[np.ndarray | None],
        image: np.ndarray | None,
        denoised: np.ndarray,
        known: Mapping[str, np.ndarray | float | None],
    ) -> list[float]:
        """Return the score on every region of float64 images, what they share computed once."""
        masks = [*masks]
        if denoised.ndim > self.dims:
            return self._over_slices(masks, image, denoised, known)
        needed = {name: known.get(name) for name in self.needs}
        if any(values is None for values in needed.values()) or (self.reference and image is None):
            return [float("nan")] * len(masks)
        if self.reduce is None:
            return [float(self.measure(image, denoised, mask, **needed)) for mask in masks]
        measured = self.measure(image, denoised, **needed)
        return [float(self.reduce(measured, mask)) for mask in masks]

    def _over_slices(
        self,
        masks: list[np.ndarray | None],
        volume: np.ndarray | None,
        denoised: np.ndarray,
        known: Mapping[str, np.ndarray | float | None],
    ) -> list[float]:
        """Return the means of the slices' scores; those that have none do not count."""
        sums, weights = np.zeros(len(masks)), np.zeros(len(masks))
        for index, answer in enumerate(denoised):
            shares = [1.0 if mask is None else float(np.mean(mask[index])) for mask in masks]
            shown = [place for place, share in enumerate(shares) if share]
            scores = self.over(
                [None if (mask := masks[place]) is None else mask[index] for place in shown],
                None if volume is None else volume[index],
                answer,
                {n: each[index] if isinstance(each, np.ndarray) else each
                 for n, each in known.items()},
            )  # fmt: skip
            for place, found in zip(shown, scores, strict=True):
                if not np.isnan(found):
                    sums[place] += shares[place] * found
                    weights[place] += shares[place]
        return [float(s / w) if w else float("nan") for s, w in zip(sums, weights, strict=True)]


REGISTRY = Registry(
    "denobench.metrics",
    "metric",
    lambda found: (found.name, found.measure) if isinstance(found, Metric) else None,
)


def metric(
    name: str,
    *,
    title: str,
    unit: str = "",
    better: str = "higher",
    reduce: Reduce | None = None,
    needs: tuple[str, ...] = (),
    settings: Mapping[str, Any] | None = None,
    reference: bool = True,
    dims: int = 2,
) -> Callable[[Measure], Metric]:
    """Turn a measuring function into a metric; see `Metric` for what each part means."""
    if is_on_foreground(name):
        raise DenobenchError(
            f"A metric cannot be called {name!r}: so its score on the foreground is; call it "
            f"{metric_of(name)!r}."
        )
    for each in needs:
        if each not in KNOWN:
            raise unknown(f"need of metric {name!r}", each, KNOWN)

    def wrap(measure: Measure) -> Metric:
        return Metric(
            name, title, unit, better, measure, reduce, needs, settings or {}, reference, dims
        )

    return wrap


@dataclass(frozen=True)
class Scores:
    """What an answer scored.

    Attributes
    ----------
    values
        By name: every metric on the whole image (``NAME``) and on the foreground
        (``NAME_foreground``). Scores that an image cannot have, such as a tumour's where there is
        none, are left out.
    missing
        Why a metric has no score although it was to have one, by the metric's name.
    """

    values: dict[str, float]
    missing: dict[str, str] = field(default_factory=dict)


def score(
    metrics: Iterable[Metric],
    image: np.ndarray | None,
    denoised: np.ndarray,
    mask: np.ndarray,
    *,
    noisy: np.ndarray | None = None,
    tumour: np.ndarray | None = None,
    sigma: float | None = None,
    divergence: np.ndarray | None = None,
) -> Scores:
    """Return every metric on the whole image and on the mask.

    A metric that raises, whose it may be, has no score, and the others keep theirs.
    """
    clean = None if image is None else _read_only(image.astype(np.float64))
    answer = _read_only(denoised.astype(np.float64))
    arrays = {"noisy": noisy, "tumour": tumour, "divergence": divergence}
    known: dict[str, np.ndarray | float | None] = {"sigma": sigma}
    known |= {name: None if each is None else _read_only(each) for name, each in arrays.items()}
    values: dict[str, float] = {}
    missing: dict[str, str] = {}
    for each in metrics:
        names = [each.name, *([on_foreground(each.name)] if each.regions else [])]
        masks = [None, _read_only(mask)][: len(names)]
        try:
            found = each.over(masks, clean, answer, known)
        except DenobenchError as error:
            missing[each.name] = str(error)[:_LONGEST]
        except (Exception, SystemExit) as error:
            missing[each.name] = reason(error)[:_LONGEST]
        else:
            values |= {name: v for name, v in zip(names, found, strict=True) if not np.isnan(v)}
    return Scores(values, missing)


def _read_only(values: np.ndarray) -> np.ndarray:
    """Return a view that a metric cannot write to: the others look at the same image."""
    view = values.view()
    view.flags.writeable = False
    return view
