"""What a method's answer has to be: one check for runs, the contract's suite and single files."""

from __future__ import annotations

import numpy as np

from denobench.errors import DenobenchError

CLIP = (0.0, 1.0)


class BadAnswerError(DenobenchError):
    """A method broke its contract; the message says how, beginning with a verb."""


def checked(answer: object, noisy: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return a method's answer, as it is but for its class.

    Parameters
    ----------
    answer
        What the method returned.
    noisy
        The image, (H, W).
    given
        The copy of it that the method was given.

    Returns
    -------
    numpy.ndarray
        Floating point, (H, W), finite, not clipped.

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
