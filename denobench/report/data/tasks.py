"""Does a score of the image predict its use: points of methods and levels, and their ranks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from denobench.report.data.entries import Entry, Score
from denobench.report.data.summary import Summary
from denobench.scorenames import is_on_foreground
from denobench.tasks import REGIMES, scores

ASKED = tuple(regime for regime in REGIMES if regime != "random")


@dataclass(frozen=True)
class Part:
    """The rows of one run, task, model and noise model.

    Attributes
    ----------
    run, task, model, noise
        What they are of; ``several`` runs are shown together.
    rows
        Of ``tasks.csv``.
    seed
        The run's.
    """

    run: str
    task: str
    model: str
    noise: str
    several: bool
    rows: pd.DataFrame
    seed: int

    @property
    def outlines(self) -> bool:
        """Whether lesions were outlined; else images were classified."""
        return bool(self.rows["score"].isna().all())

    @property
    def names(self) -> tuple[str, ...]:
        """What files are named by."""
        return (*([self.run] if self.several else []), self.task, self.model, self.noise)


def parts(summary: Summary) -> Iterator[Part]:
    """Yield what the runs' tasks found; nothing where none was asked for."""
    for run, folder in summary.folders.items():
        rows = folder.table("tasks")
        if rows.empty:
            continue
        seed = summary.manifests[run].seed or 0
        several = len(summary.folders) > 1
        for (task, model, noise), part in rows.groupby(["task", "model", "noise"], sort=False):
            # Of an interrupted run, what was asked in every fold.
            asked = part.groupby(["regime", "level", "method"])["image"].transform("size")
            whole = part[asked == asked.max()]
            yield Part(run, str(task), str(model), str(noise), several, whole, seed)


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation with its 95 % bootstrap interval over clusters."""

    rho: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.text} {self.ends}"

    @property
    def text(self) -> str:
        """The correlation, as a table prints it."""
        return f"{self.rho:+.2f}".replace("-", "−")

    @property
    def ends(self) -> str:
        """The interval, as a table prints it."""
        return f"[{self.low:+.2f}, {self.high:+.2f}]".replace("-", "−")


@dataclass(frozen=True)
class Use:
    """A task's score over a score of images: a point per method and level.

    Attributes
    ----------
    points
        By method and level: the mean score of images, and the task's.
    overall, within
        Rank correlation over all points, and the mean of those within the levels. Positive where a
        better score of images goes with a better task's. None where there are too few points.
    """

    points: dict[tuple[str, float], tuple[float, float]]
    overall: Correlation | None
    within: Correlation | None


@dataclass(frozen=True)
class Answered:
    """What models of one regime made of the images, in every resample of clusters.

    Attributes
    ----------
    part
        What they are of.
    clusters
        Of each image, by its id.
    weights
        How often each image counts: once, and then in each resample, (K, N).
    tasks
        The task's score by method and level, (K,).
    """

    part: Part
    clusters: pd.Series
    weights: np.ndarray
    tasks: dict[tuple[str, float], np.ndarray]


def candidates(summary: Summary) -> list[Score]:
    """Return the scores of images that might predict a use: of the whole image, no estimates."""
    return [
        metric
        for metric in summary.metrics.values()
        if not (is_on_foreground(metric.name) or metric.estimate)
    ]


def answered(summary: Summary, part: Part, regime: str) -> Answered:
    """Return what a task's models of one regime made of the images."""
    own = part.rows["method"].isin(shown(summary, part)) & (part.rows["regime"] == regime)
    rows = part.rows[own]
    about = rows.drop_duplicates("image").sort_values("image").set_index("image")
    if about.empty:
        return Answered(part, about["cluster"], np.ones((1, 0)), {})
    weights = scores.resamples(about["cluster"].to_numpy(), seed=part.seed)
    weights = np.concatenate([np.ones((1, len(about))), weights])
    tasks = {
        (str(method), float(str(level))): _task(
            found.set_index("image").loc[about.index], weights, outlines=part.outlines
        )
        for (method, level), found in rows.groupby(["method", "level"], sort=False)
    }
    return Answered(part, about["cluster"], weights, tasks)


def best(part: Part, regime: str) -> float | None:
    """Return a task's score on clean images, at the lowest level; None before it was asked."""
    rows = part.rows
    own = rows[(rows["method"] == "clean") & (rows["regime"] == regime)]
    own = own[own["level"] == own["level"].min()]
    if own.empty:
        return None
    return _first(_task(own, np.ones((1, len(own))), outlines=part.outlines))


def use(summary: Summary, told: Answered, metric: Score) -> Use:
    """Return a task's score over a metric."""
    entries = shown(summary, told.part)
    found = {}
    for (method, level), task in told.tasks.items():
        image = _image(summary, entries[method], level, metric.name).reindex(told.clusters.index)
        found[method, level] = _mean(image, told.clusters, told.weights), task
    kept = {which: pair for which, pair in found.items() if np.isfinite([*map(_first, pair)]).all()}
    points = {which: (_first(one), _first(two)) for which, (one, two) in kept.items()}
    if len(kept) < 3:
        return Use(points, None, None)
    sign = 1 if metric.higher_is_better else -1
    images, tasks = (np.stack([pair[place] for pair in kept.values()]) for place in (0, 1))
    levels = np.array([level for _, level in kept])
    several = [places for level in np.unique(levels) if (places := levels == level).sum() > 2]
    inside = [_ranked(sign * images[places], tasks[places]) for places in several]
    return Use(
        points,
        _correlation(_ranked(sign * images, tasks)),
        _correlation(np.mean(inside, axis=0)) if inside else None,
    )


def shown(summary: Summary, part: Part) -> dict[str, Entry]:
    """Return the entries of a part by the names that its rows give them."""
    return {
        "noisy" if entry.identity else entry.name: entry
        for entry in summary.shown(part.noise)
        if entry.run == part.run
    }


def _first(values: np.ndarray) -> float:
    return float(values[0])


def _image(summary: Summary, entry: Entry, level: float, metric: str) -> pd.Series:
    """Return the scores of an entry's images at a level, realisations averaged."""
    rows = summary.rows
    own = rows[(rows["entry"] == entry.id) & (rows["level"] == level)]
    return own.groupby("image")[metric].mean()


def _task(rows: pd.DataFrame, weights: np.ndarray, *, outlines: bool) -> np.ndarray:
    """Return a task's score in every resample: the mean Dice, or the AUC."""
    if outlines:
        return _mean(rows["dice"], rows["cluster"], weights)
    return scores.auc(rows["label"].to_numpy(int), rows["score"].to_numpy(float), weights)


def _mean(values: pd.Series, clusters: pd.Series, weights: np.ndarray) -> np.ndarray:
    """Return the mean over clusters of their images' mean, in every resample.

    Images without such a score are left out.
    """
    there = np.isfinite(values.to_numpy(float))
    given, own = values.to_numpy(float)[there], clusters[there]
    shares = weights[:, there] / own.groupby(own).transform("size").to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return shares @ given / shares.sum(axis=1)


def _ranked(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Return the rank correlation of each column of points, (K,)."""
    first, second = (rankdata(each, axis=0) for each in (one, two))
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    spread = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (first * second).sum(axis=0) / spread


def _correlation(values: np.ndarray) -> Correlation | None:
    """Return the first value with the interval of the others; None where it is not defined."""
    if not np.isfinite(values[0]):
        return None
    return Correlation(float(values[0]), *scores.interval(values[1:]))
