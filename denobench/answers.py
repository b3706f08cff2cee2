"""A method's answer: how it is asked for, and what it has to be, wherever methods are called."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from denobench.errors import DenobenchError
from denobench.methods import Denoiser

CLIP = (0.0, 1.0)

# Function of a noisy image or volume and of sigma that returns a method's answer, as `ask` does.
Asking = Callable[[np.ndarray, float | None], "Answer"]


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
        Wall and processor time of the method's calls alone, summed over a volume's slices.
    """

    pixels: np.ndarray
    seconds: float
    cpu_seconds: float


def parts(method: Denoiser, noisy: np.ndarray) -> Sequence[np.ndarray]:
    """Return what a method is called with, one after the other.

    The image; of a volume, (D, H, W), every slice, unless the method takes volumes.
    """
    return [*noisy] if noisy.ndim == 3 and method.info.dims == 2 else [noisy]


def ask(method: Denoiser, noisy: np.ndarray, sigma: float | None, *, lanes: int = 1) -> Answer:
    """Return a method's answer on an image, (H, W), or a volume, (D, H, W).

    Parameters
    ----------
    method
        With its parameters and weights.
    noisy, sigma
        As `Denoiser.denoise` takes them, or a volume for a method of slices.
    lanes
        How many slices of a volume it may be asked for at a time.

    Raises
    ------
    BadAnswerError
        See `checked`.
    """
    given = noisy.copy()

    def call(part: np.ndarray) -> tuple[object, float]:
        started = time.perf_counter()
        answer = method.denoise(part, sigma)
        return answer, time.perf_counter() - started

    cpu = time.process_time()
    called = parts(method, given)
    if min(lanes, len(called)) > 1:
        with ThreadPoolExecutor(lanes) as pool:
            found = [*pool.map(call, called)]
    else:
        found = [*map(call, called)]
    cpu = time.process_time() - cpu
    pairs = zip(found, parts(method, noisy), called, strict=True)
    right = [checked(answer, part, own) for (answer, _), part, own in pairs]
    pixels = right[0] if right[0].ndim == noisy.ndim else np.stack(right)
    return Answer(pixels, sum(seconds for _, seconds in found), cpu)


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
