"""A method's answer: how it is asked for, and what it has to be, wherever methods are called."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from denobench.errors import DenobenchError
from denobench.methods import Denoiser

CLIP = (0.0, 1.0)


class BadAnswerError(DenobenchError):
    """A method broke its contract; the message says how, beginning with a verb."""


@dataclass(frozen=True)
class Answer:
    """What a method made of an image or a volume.

    Attributes
    ----------
    pixels
        Floating point, of the image's shape, finite, not clipped.
    seconds, cpu_seconds
        Wall and processor time of the method's calls alone.
    """

    pixels: np.ndarray
    seconds: float
    cpu_seconds: float


def parts(method: Denoiser, noisy: np.ndarray) -> Sequence[np.ndarray]:
    """Return what a method is called with, one after the other.

    The image; of a volume, (D, H, W), every slice, unless the method takes volumes.
    """
    return [*noisy] if noisy.ndim == 3 and method.info.dims == 2 else [noisy]


def ask(method: Denoiser, noisy: np.ndarray, sigma: float | None) -> Answer:
    """Return a method's answer on an image, (H, W), or a volume, (D, H, W).

    Raises
    ------
    BadAnswerError
        See `checked`.
    """
    given = noisy.copy()
    wall, cpu = time.perf_counter(), time.process_time()
    found = [method.denoise(part, sigma) for part in parts(method, given)]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    pairs = zip(found, parts(method, noisy), parts(method, given), strict=True)
    right = [checked(*each) for each in pairs]
    pixels = right[0] if right[0].ndim == noisy.ndim else np.stack(right)
    return Answer(pixels, wall, cpu)


def checked(answer: object, noisy: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return a method's answer, as it is but for its class.

    Parameters
    ----------
    answer
        What the method returned.
    noisy
        The image, (H, W), or volume, (D, H, W).
    given
        The copy of it that the method was given.

    Returns
    -------
    numpy.ndarray
        Floating point, of the image's shape, finite, not clipped.

    Raises
    ------
    BadAnswerError
        If it is no floating-point array of the image's shape with finite values, or the method
        changed its input.
    """
    if not isinstance(answer, np.ndarray):
        raise BadAnswerError(f"returned {type(answer).__name__}, not a numpy array")
    if isinstance(answer, np.ma.MaskedArray):
        raise BadAnswerError("returned a masked array; fill it")
    answer = np.asarray(answer)  # a subclass might take part in its own scoring
    if answer.shape != noisy.shape:
        raise BadAnswerError(f"returned shape {answer.shape}, not {noisy.shape}")
    if not np.issubdtype(answer.dtype, np.floating):
        raise BadAnswerError(f"returned dtype {answer.dtype}, not floating point in full scale 1.0")
    if not np.isfinite(answer).all():
        raise BadAnswerError("returned NaN or infinity")
    if not np.array_equal(noisy, given):
        raise BadAnswerError("changed its input; denoise a copy")
    return answer


def clipped(answer: np.ndarray) -> np.ndarray:
    """Return an answer clipped to full scale, float64."""
    return np.clip(answer.astype(np.float64), *CLIP)
