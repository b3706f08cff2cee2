"""What every method must keep to, as a suite that anybody can run on theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from denobench import methods, seeds
from denobench.answers import BadAnswerError, checked
from denobench.errors import DenobenchError, reason
from denobench.methods import Denoiser, FittedDenoiser

SIGMA = 0.1


@dataclass(frozen=True)
class Finding:
    """One check of the suite: what it asks, and the fault found, empty if it passed."""

    check: str
    fault: str


class _FaultError(Exception):
    """A method did not keep to the contract."""


def check(name: str) -> list[Finding]:
    """Run the suite on a method that needs no training, with its default parameters.

    Raises
    ------
    DenobenchError
        If the method is unknown, cannot be imported, or has to be trained first.
    """
    method = methods.build(name)
    if isinstance(method, FittedDenoiser):
        raise DenobenchError(
            f"Method {name!r} has to be trained; the suite checks methods that only denoise."
        )
    return list(_findings(method))


def _findings(method: Denoiser) -> Iterator[Finding]:
    for text, test in _CHECKS.items():
        try:
            test(method)
        except _FaultError as fault:
            yield Finding(text, str(fault))
        except Exception as error:
            yield Finding(text, f"raised {reason(error)}")
        else:
            yield Finding(text, "")


def _noisy(height: int, width: int) -> np.ndarray:
    """Return a noisy disc on a dark ground, float32, with values outside [0, 1]."""
    y, x = np.mgrid[:height, :width]
    radius = np.hypot(y - height / 2, x - width / 2)
    clean = np.where(radius < min(height, width) / 3, 0.7, 0.05)
    rng = seeds.numbered(7)
    return (clean + SIGMA * rng.standard_normal((height, width))).astype(np.float32)


def _denoise(method: Denoiser, noisy: np.ndarray) -> np.ndarray:
    sigma = SIGMA if method.info.tracks[0] != "blind" else None
    given = noisy.copy()
    try:
        return checked(method.denoise(given, sigma), noisy, given)
    except BadAnswerError as fault:
        raise _FaultError(f"{fault} (an image of {noisy.shape})") from None


def _check_output(method: Denoiser) -> None:
    _denoise(method, _noisy(64, 64))


def _check_scale(method: Denoiser) -> None:
    answer = _denoise(method, _noisy(64, 64))
    if not -1 < float(answer.mean()) < 2:
        raise _FaultError(f"mean {answer.mean():.3g} is far from full scale 1.0; scaled to 255?")


def _check_repeat(method: Denoiser) -> None:
    noisy = _noisy(48, 48)
    if not np.array_equal(_denoise(method, noisy.copy()), _denoise(method, noisy.copy())):
        raise _FaultError("two calls with the same image gave different answers")


def _check_odd(method: Denoiser) -> None:
    for height, width in ((37, 53), (64, 31), (101, 17)):
        _denoise(method, _noisy(height, width))


def _check_tiny(method: Denoiser) -> None:
    for side in (16, 11):
        _denoise(method, _noisy(side, side))


def _check_constant(method: Denoiser) -> None:
    for value in (0.0, 0.5, 1.0):
        answer = _denoise(method, np.full((32, 32), value, np.float32))
        if abs(float(answer.mean()) - value) > 0.02:
            raise _FaultError(
                f"turned a constant image of {value} into one of mean {answer.mean():.3f}"
            )


_CHECKS: dict[str, Callable[[Denoiser], None]] = {
    "returns a finite floating-point array of the image's shape, input unchanged": _check_output,
    "keeps to full scale 1.0": _check_scale,
    "gives the same answer twice": _check_repeat,
    "takes odd and oblong sizes": _check_odd,
    "takes tiny images, down to 11 x 11": _check_tiny,
    "keeps a constant image": _check_constant,
}
