"""What every method must keep to, as a suite that anybody can run on theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from denobench import methods, seeds
from denobench.answers import BadAnswerError, checked
from denobench.config import MethodEntry
from denobench.datasets import Item
from denobench.errors import DenobenchError, reason
from denobench.methods import Denoiser, FittedDenoiser, TrainingSet, check_history

SIGMA = 0.1


@dataclass(frozen=True)
class Finding:
    """One check of the suite: what it asks, and the fault found, empty if it passed."""

    check: str
    fault: str


class _FaultError(Exception):
    """A method did not keep to the contract."""


def check(name: str) -> list[Finding]:
    """Run the suite on a method with its default parameters.

    One that has to be trained is first fitted to a few small images, for one epoch where it has a
    parameter ``epochs``, and written and read again.

    Raises
    ------
    DenobenchError
        If the method is unknown or cannot be imported.
    """
    method = methods.build(name)
    found = methods.load(name)
    named = _findings(found, {"has parameters that a config can set": _check_names})
    if not isinstance(method, FittedDenoiser):
        return [*named, *check_method(method)]
    if "epochs" in methods.parameters(found):
        method = methods.build(name, {"epochs": 1})
    assert isinstance(method, FittedDenoiser)
    with TemporaryDirectory() as folder:
        fitting = [*named, *_findings(method, _fitting(Path(folder)))]
    if any(finding.fault for finding in fitting):
        return fitting
    # How well a constant image is kept is up to the training.
    shared = {text: test for text, test in _CHECKS.items() if test not in _OF_QUALITY}
    return [*fitting, *_findings(method, shared)]


def check_method(method: Denoiser) -> list[Finding]:
    """Run the suite on a method that is ready to denoise."""
    return list(_findings(method, _CHECKS))


def _findings(method: Any, checks: Mapping[str, Callable[[Any], None]]) -> Iterator[Finding]:
    for text, test in checks.items():
        try:
            test(method)
        except (_FaultError, DenobenchError) as fault:
            yield Finding(text, str(fault))
        except Exception as error:
            yield Finding(text, f"raised {reason(error)}")
        else:
            yield Finding(text, "")


def _clean(*shape: int) -> np.ndarray:
    """Return a disc, or a ball in a volume, on a dark ground, float32."""
    places = np.indices(shape)
    squares = [(place - side / 2) ** 2 for place, side in zip(places, shape, strict=True)]
    return np.where(np.sqrt(sum(squares)) < min(shape) / 3, 0.7, 0.05).astype(np.float32)


def _noisy(*shape: int) -> np.ndarray:
    """Return a noisy disc or ball on a dark ground, float32, with values outside [0, 1]."""
    noise = seeds.numbered(7).standard_normal(shape)
    return (_clean(*shape) + SIGMA * noise).astype(np.float32)


def _sized(method: Denoiser, depth: int, height: int, width: int) -> tuple[int, ...]:
    """Return the shape of a slice, or of a volume where the method takes volumes."""
    return (depth, height, width)[-method.info.dims :]


def _denoise(method: Denoiser, noisy: np.ndarray) -> np.ndarray:
    sigma = SIGMA if method.info.tracks[0] != "blind" else None
    given = noisy.copy()
    try:
        return checked(method.denoise(given, sigma), noisy, given)
    except BadAnswerError as fault:
        raise _FaultError(f"{fault} (an image of {noisy.shape})") from None


def _check_names(found: Any) -> None:
    for name in methods.parameters(found):
        if name in MethodEntry.model_fields:
            raise _FaultError(f"the parameter {name!r} has the name of a key of every method")


def _check_output(method: Denoiser) -> None:
    _denoise(method, _noisy(*_sized(method, 12, 64, 64)))


def _check_scale(method: Denoiser) -> None:
    answer = _denoise(method, _noisy(*_sized(method, 12, 64, 64)))
    if not -1 < float(answer.mean()) < 2:
        raise _FaultError(f"mean {answer.mean():.3g} is far from full scale 1.0; scaled to 255?")


def _check_repeat(method: Denoiser) -> None:
    noisy = _noisy(*_sized(method, 12, 48, 48))
    if not np.array_equal(_denoise(method, noisy.copy()), _denoise(method, noisy.copy())):
        raise _FaultError("two calls with the same image gave different answers")


def _check_odd(method: Denoiser) -> None:
    for shape in ((9, 37, 53), (24, 64, 31), (13, 101, 17)):
        _denoise(method, _noisy(*_sized(method, *shape)))


def _check_tiny(method: Denoiser) -> None:
    for side in (16, 11):
        _denoise(method, _noisy(*_sized(method, side, side, side)))


def _check_constant(method: Denoiser) -> None:
    for value in (0.0, 0.5, 1.0):
        answer = _denoise(method, np.full(_sized(method, 12, 32, 32), value, np.float32))
        if abs(float(answer.mean()) - value) > 0.02:
            raise _FaultError(
                f"turned a constant image of {value} into one of mean {answer.mean():.3f}"
            )


@dataclass(frozen=True)
class _Disc(Item):
    """A disc to be fitted on, or a ball for a method that takes volumes."""

    shape: tuple[int, ...] = (64, 64)

    def read(self, size: int | None = None) -> np.ndarray:
        """Return the disc, moved by its number."""
        sides = (*self.shape[:-2], size or 64, size or 64)
        return np.roll(_clean(*sides), int(self.id), (-2, -1))


def _fitting(folder: Path) -> dict[str, Callable[[FittedDenoiser], None]]:
    """Return the checks that fit a method, in their order."""

    def fit(method: FittedDenoiser) -> None:
        shape = _sized(method, 12, 64, 64)
        discs = tuple(_Disc(str(n), "", str(n), f"disc {n}", shape=shape) for n in range(8))
        model = method.info.assumes or "gaussian"
        training = TrainingSet(discs[:6], discs[6:], 64, model, (SIGMA,), 0)
        (folder / "checkpoints").mkdir()
        history = method.fit(training, folder=folder / "checkpoints", progress=_silent)
        check_history(method, history)

    def store(method: FittedDenoiser) -> None:
        noisy = _noisy(*_sized(method, 12, 64, 64))
        before = _denoise(method, noisy)
        method.save(folder / "weights.npz")
        method.load(folder / "weights.npz")
        if not np.array_equal(before, _denoise(method, noisy)):
            raise _FaultError("gave another answer after save() and load()")

    return {
        "can be fitted, and tells the history of it": fit,
        "writes what it has fitted, and reads it again": store,
    }


def _silent(done: float, total: float, text: str = "") -> None:
    """Watch a fitting that takes a moment."""


_OF_QUALITY = (_check_scale, _check_constant)
_CHECKS: dict[str, Callable[[Denoiser], None]] = {
    "returns a finite floating-point array of the image's shape, input unchanged": _check_output,
    "keeps to full scale 1.0": _check_scale,
    "gives the same answer twice": _check_repeat,
    "takes odd and oblong sizes": _check_odd,
    "takes tiny images, down to 11 pixels a side": _check_tiny,
    "keeps a constant image": _check_constant,
}
