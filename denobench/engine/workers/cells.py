"""Compute one cell: read, corrupt, denoise, score."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from denobench import methods, metrics, noise
from denobench.answers import Asking, BadAnswerError, ask, clipped
from denobench.datasets import Item
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.sources import source_digest
from denobench.engine.workers import observations, probing
from denobench.errors import DenobenchError, UnavailableError, reason
from denobench.files import digest
from denobench.gallery import Pictures
from denobench.methods import Denoiser, FileDenoiser, FittedDenoiser, FunctionDenoiser
from denobench.metrics import Metric
from denobench.rows import HARNESS, Row


class HarnessError(Exception):
    """What went wrong around a method, and is not charged to it; the message says where."""


@dataclass(frozen=True)
class Computed:
    """What a worker sends home.

    Attributes
    ----------
    row
        The cell's record.
    pictures
        For the gallery, if the cell is shown there.
    seconds
        Wall time of the whole cell: reading, noise, the call and scoring.
    """

    row: Row
    pictures: Pictures | None = None
    seconds: float = 0.0


def compute(cell: Cell, lanes: int = 1) -> Computed:
    """Compute a cell; whatever raises gives a row that says so.

    Its status is ``failed`` where the method raises or breaks its contract, `HARNESS` where the
    reading, the noise or its estimate fails, and ``skipped`` where a method says that it
    is unavailable on this machine.

    Parameters
    ----------
    cell
        What to compute.
    lanes
        How many slices of a volume may be denoised at a time: of a function of denobench's own,
        whose answers do not depend on it.
    """
    started = time.perf_counter()
    field_digest = ""
    try:
        with _not_the_method_s("reading"):
            clean = observations.clean(cell.item, cell.size)
        with _not_the_method_s("noise"):
            noisy, field_digest = observations.noisy(cell)
        _check_source(cell.registered, cell.source)
        method = load_method(
            cell.registered, cell.parameters, cell.weights, cell.weights_digest, cell.source
        )
        sigma = told_sigma(cell, noisy)
        own = isinstance(method, FunctionDenoiser) and not cell.stranger
        asking = partial(ask, method, lanes=lanes if own else 1)
        answer = asking(noisy, sigma)
        denoised = clipped(answer.pixels)
    except UnavailableError as error:
        return Computed(row(cell, "skipped", str(error), field_digest=field_digest))
    except HarnessError as error:
        return Computed(row(cell, HARNESS, str(error), field_digest=field_digest))
    except BadAnswerError as error:
        return Computed(row(cell, "failed", str(error), field_digest=field_digest))
    except Exception as error:
        return Computed(row(cell, "failed", reason(error), field_digest=field_digest))
    values, missing = _scores(cell, asking, clean, noisy, sigma, denoised)
    found = row(
        cell,
        "ok",
        metrics=values,
        missing=missing,
        seconds=answer.seconds,
        cpu_seconds=answer.cpu_seconds,
        sigma=sigma,
        field_digest=field_digest,
    )
    shown = noisy if clean.image is None else clean.image
    pictures = _pictures(cell.item, clean.tumour, shown, noisy, denoised) if cell.picture else None
    return Computed(found, pictures, time.perf_counter() - started)


def _pictures(
    item: Item, tumour: np.ndarray | None, clean: np.ndarray, noisy: np.ndarray, answer: np.ndarray
) -> Pictures:
    """Return what the gallery keeps: of a volume, (S, H, W), the slices that are shown."""
    chosen: Any = [*item.shown] or slice(None)
    mask = None if tumour is None else tumour[chosen]
    return Pictures(clean[chosen], noisy[chosen], answer[chosen], mask)


def _scores(
    cell: Cell,
    asking: Asking,
    clean: observations.Clean,
    noisy: np.ndarray,
    sigma: float | None,
    denoised: np.ndarray,
) -> tuple[Mapping[str, float], Mapping[str, str]]:
    """Return a cell's scores, and why any of them are missing."""
    chosen, unloaded = _metrics(cell.metrics)
    needed = {need for each in chosen for need in each.needs}
    moved = (cell, asking, noisy, sigma, denoised)
    found = metrics.score(
        chosen,
        clean.image,
        denoised,
        clean.foreground,
        noisy=noisy,
        tumour=clean.tumour,
        sigma=probing.true_sigma(cell, noisy) if "sigma" in needed else None,
        divergence=probing.divergence(*moved) if "divergence" in needed else None,
    )
    return found.values, unloaded | found.missing


def _metrics(names: Iterable[str]) -> tuple[list[Metric], dict[str, str]]:
    """Return the metrics of these names, and why others cannot be loaded where this runs."""
    chosen, missing = [], {}
    for name in names:
        try:
            chosen.append(metrics.REGISTRY.load(name))
        except DenobenchError as error:
            missing[name] = str(error)
    return chosen, missing


@contextmanager
def _not_the_method_s(what: str) -> Iterator[None]:
    """Turn any exception into a `HarnessError`."""
    try:
        yield
    except DenobenchError as error:
        raise HarnessError(f"{what} failed: {error}") from error
    except Exception as error:
        raise HarnessError(f"{what} failed: {reason(error)}") from error


def row(cell: Cell, status: str, error: str = "", **measured: object) -> Row:
    """Return the row of a cell with what is known of it."""
    scaling = cell.item.scaling
    return Row(
        key=cell.key,
        method=cell.method,
        parameters=cell.parameters,
        track=cell.track,
        noise=cell.noise.model,
        level=cell.noise.level,
        realisation=cell.realisation,
        image=cell.item.id,
        label=cell.item.label,
        cluster=cell.item.cluster,
        status=status,
        error=error[:2000],
        sigma_factor=cell.sigma_factor,
        image_digest=cell.item.digest,
        scale=scaling.rule if scaling else "",
        scale_low=scaling.low if scaling else None,
        scale_high=scaling.high if scaling else None,
        clipped=cell.item.clipped,
        source_digest=cell.source,
        weights_digest=cell.weights_digest,
        **measured,  # type: ignore[arg-type]
    )


def told_sigma(cell: Cell, noisy: np.ndarray) -> float | None:
    """Return what the cell's track tells of sigma; all methods share one estimate.

    Raises
    ------
    HarnessError
        If it cannot be estimated.
    """
    if cell.track == "blind":
        return None
    if cell.track == "oracle":
        return cell.sigma_factor * cell.noise.level
    with _not_the_method_s("estimating sigma"):
        return cell.sigma_factor * noise.estimated(noisy, noise.REGISTRY.load(cell.noise.model))


@lru_cache(maxsize=64)
def _check_source(name: str, planned: str) -> None:
    """Raise if a method is not here what it was where the cells were planned."""
    if source_digest(methods.load(name)) != planned:
        raise DenobenchError(
            f"the source of {name}, or the version of a library that it declares, is not the one "
            "that was planned: it was edited while the run went on, or differs between machines; "
            "run again, with the same versions everywhere"
        )


@lru_cache(maxsize=16)
def load_method(
    name: str,
    parameters: str,
    weights: Path | None,
    weights_digest: str,
    source: str = "",  # noqa: ARG001  another source is another method
) -> Denoiser:
    """Return a method with its parameters and weights, kept for the process's next cells.

    Raises
    ------
    DenobenchError
        If the file of weights is not the one that was planned.
    """
    method = methods.build(name, json.loads(parameters))
    if isinstance(method, FittedDenoiser | FileDenoiser):
        assert weights is not None
        _check_file(method, weights, weights_digest)
        try:
            method.load(weights)
        finally:  # what was read is what was planned, or nothing
            _check_file(method, weights, weights_digest)
    return method


def _check_file(method: Denoiser, path: Path, planned: str) -> None:
    """Raise if a method's file is not the one that was planned."""
    found = method.digest(path) if isinstance(method, FileDenoiser) else digest(path)
    if found != planned:
        raise DenobenchError(
            f"{path} is not the file that was planned: it was replaced while the run went on, or "
            "differs between machines; run again"
        )
