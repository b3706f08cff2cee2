"""Compute one cell: read, corrupt, denoise, score."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from denobench import images, methods, metrics, noise
from denobench.datasets import Item
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.sources import source_digest
from denobench.errors import DenobenchError, UnavailableError, reason
from denobench.methods import Denoiser, FittedDenoiser
from denobench.metrics import Metric
from denobench.noise import Noise
from denobench.rows import Row

CLIP = (0.0, 1.0)


class BadOutputError(Exception):
    """A method broke its contract."""


@dataclass(frozen=True)
class Computed:
    """What a worker sends home.

    Attributes
    ----------
    row
        The cell's record.
    pictures
        For the gallery, by name: ``clean``, ``noisy`` and the method's answer; or empty.
    seconds
        Wall time of the whole cell: reading, noise, the call and scoring.
    """

    row: Row
    pictures: Mapping[str, np.ndarray] = field(default_factory=dict)
    seconds: float = 0.0


def compute(cell: Cell) -> Computed:
    """Compute a cell; a method that raises or breaks its contract gives a failed row.

    A method that says that it is unavailable on this machine gives a skipped one.
    """
    started = time.perf_counter()
    field_digest = ""
    try:
        clean, mask, tumour = _clean(cell.item, cell.size)
        noisy, field_digest = _noisy(cell.item, cell.size, cell.noise, cell.seed, cell.realisation)
        _check_source(cell.registered, cell.source)
        method = load_method(cell.registered, cell.parameters, cell.weights)
        sigma = told_sigma(cell, noisy)
        given = noisy.copy()
        wall, cpu = time.perf_counter(), time.process_time()
        answer = method.denoise(given, sigma)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        denoised = checked(answer, noisy, given)
    except UnavailableError as error:
        return Computed(row(cell, "skipped", str(error), field_digest=field_digest))
    except Exception as error:
        return Computed(row(cell, "failed", reason(error), field_digest=field_digest))
    chosen, unloaded = _metrics(cell.metrics)
    scores = metrics.score(chosen, clean, denoised, mask, noisy=noisy, tumour=tumour)
    found = row(
        cell,
        "ok",
        metrics=scores.values,
        missing=unloaded | scores.missing,
        seconds=wall,
        cpu_seconds=cpu,
        sigma=sigma,
        field_digest=field_digest,
    )
    pictures = {"clean": clean, "noisy": noisy, cell.method: denoised} if cell.picture else {}
    return Computed(found, pictures, time.perf_counter() - started)


def _metrics(names: Iterable[str]) -> tuple[list[Metric], dict[str, str]]:
    """Return the metrics of these names, and why others cannot be loaded where this runs."""
    chosen, missing = [], {}
    for name in names:
        try:
            chosen.append(metrics.REGISTRY.load(name))
        except DenobenchError as error:
            missing[name] = str(error)
    return chosen, missing


def row(cell: Cell, status: str, error: str = "", **measured: object) -> Row:
    """Return the row of a cell with what is known of it."""
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
        source_digest=cell.source,
        weights_digest=cell.weights_digest,
        **measured,  # type: ignore[arg-type]
    )


def told_sigma(cell: Cell, noisy: np.ndarray) -> float | None:
    """Return what the cell's track tells of sigma; all methods share one estimate."""
    if cell.track == "blind":
        return None
    true = cell.track == "oracle"
    sigma = cell.noise.level if true else noise.REGISTRY.load(cell.noise.model).estimate(noisy)
    return cell.sigma_factor * sigma


def checked(answer: object, noisy: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return a method's answer clipped to [0, 1], float64.

    Raises
    ------
    BadOutputError
        If it is no floating-point array of the image's shape with finite values, or the method
        changed its input.
    """
    if not isinstance(answer, np.ndarray):
        raise BadOutputError(f"returned {type(answer).__name__}, not a numpy array")
    if isinstance(answer, np.ma.MaskedArray):
        raise BadOutputError("returned a masked array; fill it")
    answer = np.asarray(answer)  # a subclass might take part in its own scoring
    if answer.shape != noisy.shape:
        raise BadOutputError(f"returned shape {answer.shape}, not {noisy.shape}")
    if not np.issubdtype(answer.dtype, np.floating):
        raise BadOutputError(f"returned dtype {answer.dtype}, not floating point in full scale 1.0")
    if not np.isfinite(answer).all():
        raise BadOutputError("returned NaN or infinity")
    if not np.array_equal(noisy, given):
        raise BadOutputError("changed its input; denoise a copy")
    return np.clip(answer.astype(np.float64), *CLIP)


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
def load_method(name: str, parameters: str, weights: Path | None) -> Denoiser:
    """Return a method with its parameters and weights, kept for the process's next cells."""
    method = methods.build(name, json.loads(parameters))
    if isinstance(method, FittedDenoiser):
        assert weights is not None
        method.load(weights)
    return method


@lru_cache(maxsize=4)
def _clean(item: Item, size: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return the clean image, its foreground's mask and, where it is known, its tumour's."""
    clean = item.read(size)
    return clean, images.foreground(clean), item.mask(size)


@lru_cache(maxsize=4)
def _noisy(
    item: Item, size: int | None, corruption: Noise, seed: int, realisation: int
) -> tuple[np.ndarray, str]:
    """Return the noisy image and the digest of its noise fields."""
    clean, _, _ = _clean(item, size)
    model = noise.REGISTRY.load(corruption.model)
    shape = (model.fields, *clean.shape)
    fields = noise.draw_fields(shape, seed=seed, image=item.digest, realisation=realisation)
    digest = sha256(fields.tobytes()).hexdigest()
    return noise.corrupt(clean, model, corruption.level, fields), digest


def noisy_image(cell: Cell) -> np.ndarray:
    """Return the noisy image of a cell, float32, (H, W)."""
    noisy, _ = _noisy(cell.item, cell.size, cell.noise, cell.seed, cell.realisation)
    return noisy
