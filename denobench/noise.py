"""Noise models and their seeds.

Every noise field is drawn by (seed, image, realisation) and scaled by the level, so that every
method, worker and machine sees the same noise and levels are paired.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import skimage as ski

from denobench import seeds, stabilisation
from denobench.errors import DenobenchError
from denobench.registry import Registry

Corruption = Callable[[np.ndarray, float, np.ndarray], np.ndarray]
Estimator = Callable[[np.ndarray], float]


MEASURED = "measured"  # the noise model that is not drawn
_SAMPLE = 15  # slices of a volume that sigma is estimated in


def wavelet_sigma(noisy: np.ndarray) -> float:
    """Estimate the sigma of white Gaussian noise from the finest wavelet coefficients.

    References
    ----------
    D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika
    81(3), 1994; as scikit-image computes it.
    """
    return float(ski.restoration.estimate_sigma(noisy))


@dataclass(frozen=True)
class NoiseModel:
    """How an image is corrupted.

    Attributes
    ----------
    name
        As written in a config.
    title
        As written in a figure.
    fields
        How many standard-normal fields one realisation draws.
    corrupt
        Function of the image (H, W), the level (a fraction of full scale) and the fields
        (fields, H, W), all float64; returns the noisy image (H, W).
    estimate
        Function of the noisy image (H, W) that estimates the level: what every method is told on
        the track ``estimated``.
    """

    name: str
    title: str
    fields: int
    corrupt: Corruption
    estimate: Estimator = wavelet_sigma


REGISTRY = Registry(
    "denobench.noise",
    "noise model",
    lambda found: (found.name, found.corrupt) if isinstance(found, NoiseModel) else None,
)


def noise_model(
    name: str, *, title: str, fields: int = 1, estimate: Estimator = wavelet_sigma
) -> Callable[[Corruption], NoiseModel]:
    """Turn a corruption function into a noise model."""

    def wrap(corrupt: Corruption) -> NoiseModel:
        return NoiseModel(name, title, fields, corrupt, estimate)

    return wrap


@noise_model("gaussian", title="Gaussian")
def gaussian(image: np.ndarray, level: float, fields: np.ndarray) -> np.ndarray:
    """Add white Gaussian noise; the result is not clipped."""
    return image + level * fields[0]


@noise_model("gaussian-clipped", title="Gaussian, clipped")
def gaussian_clipped(image: np.ndarray, level: float, fields: np.ndarray) -> np.ndarray:
    """Add white Gaussian noise and clip to [0, 1], as an 8-bit file would."""
    return np.clip(image + level * fields[0], 0.0, 1.0)


@noise_model("rician", title="Rician", fields=2, estimate=stabilisation.estimate)
def rician(image: np.ndarray, level: float, fields: np.ndarray) -> np.ndarray:
    """Take the magnitude of the image with Gaussian noise in both complex channels.

    References
    ----------
    H. Gudbjartsson and S. Patz, "The Rician distribution of noisy MRI data", Magnetic Resonance
    in Medicine 34(6), 1995.
    """
    return np.hypot(image + level * fields[0], level * fields[1])


def _measured_sigma(noisy: np.ndarray) -> float:
    """Estimate sigma as of magnitudes, or as of Gaussian noise where there are negative values."""
    return wavelet_sigma(noisy) if noisy.min() < 0 else stabilisation.estimate(noisy)


@noise_model(MEASURED, title="Measured", fields=0, estimate=_measured_sigma)
def measured(image: np.ndarray, level: float, fields: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """Draw no noise: the scanner made it."""
    return image


# A number, or a fraction of two: levels of 8-bit images are known as 25/255.
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_LEVEL = re.compile(rf"({_NUMBER})(?:\s*/\s*({_NUMBER}))?", re.ASCII)
_LEAST = 1e-6


def estimated(noisy: np.ndarray, model: NoiseModel) -> float:
    """Return the estimate of the noise level of an image, (H, W), or a volume, (D, H, W).

    Of a volume it is the median over some slices of the half that holds most: the others may hold
    nothing to tell it by, such as zeros outside of a mask.

    Raises
    ------
    DenobenchError
        If the image gives none: it is constant, or has too few pixels.
    """
    slices = [noisy] if noisy.ndim == 2 else _telling(noisy)
    found = [float(model.estimate(each)) for each in slices]
    sigma = float(np.median([each for each in found if math.isfinite(each)] or [math.nan]))
    if not (math.isfinite(sigma) and sigma > 0):
        what = "image" if noisy.ndim == 2 else "volume"
        raise DenobenchError(
            f"No noise can be estimated in the {what}, of {' x '.join(map(str, noisy.shape))} "
            f"pixels (its sigma would be {sigma:g}): give its sigma."
        )
    return sigma


def _telling(volume: np.ndarray) -> list[np.ndarray]:
    """Return slices of a volume that sigma is estimated in."""
    means = volume.reshape(len(volume), -1).mean(1)
    fuller = np.sort(np.argsort(-means, kind="stable")[: -(-len(volume) // 2)])
    return [volume[index] for index in fuller[:: -(-len(fuller) // _SAMPLE)]]


@dataclass(frozen=True, order=True)
class Noise:
    """A noise model at a level, written ``rician:0.09`` or ``gaussian:25/255``.

    Attributes
    ----------
    model
        Name of the noise model.
    level
        Sigma as a fraction of full scale, in (0, 1].
    label
        The level as it was written, such as ``25/255``; two that differ in it alone are equal.
    """

    model: str
    level: float
    label: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", written(self.level))

    def __str__(self) -> str:
        return f"{self.model}:{self.label}"

    @property
    def estimated(self) -> bool:
        """Whether the level is no one's choice but an estimate of what was measured."""
        return self.model == MEASURED and self.label.startswith("~")

    @classmethod
    def of_measured(cls, level: float) -> Noise:
        """Return measured noise of an estimated level."""
        return cls(MEASURED, level, f"~{level:.2g}")

    @classmethod
    def parse(cls, text: str) -> Noise:
        """Read ``MODEL:LEVEL``; whether the model exists is checked where the plan is made.

        ``measured`` stands for noise that was not drawn, and ``measured:LEVEL`` for such noise of a
        known level.

        Raises
        ------
        DenobenchError
            If the text has another form, or the level is not in (0, 1].
        """
        model, _, label = (part.strip() for part in text.partition(":"))
        if model == MEASURED and (not label or label.startswith("~")):
            known = float(label[1:]) if _LEVEL.fullmatch(label[1:]) else 1.0
            return cls(MEASURED, known, label or "~")
        found = _LEVEL.fullmatch(label)
        level = 0.0
        if found and float(found[2] or 1):
            level = float(found[1]) / float(found[2] or 1)
        if not model or not _LEAST <= level <= 1:
            raise DenobenchError(
                f"Noise {text!r} is not of the form MODEL:LEVEL with a level above 0 and at most 1 "
                "(a fraction of full scale), such as gaussian:0.1, gaussian:25/255 or rician:0.05."
            )
        return cls(model, level, "".join(label.split()))


# Full scales of 8, 10, 12 and 16 bits, that levels are given as fractions of.
_SCALES = (255, 1023, 4095, 65535)


def written(level: float) -> str:
    """Return a level as people write it: ``0.1``, or ``25/255`` where it is such a fraction.

    Examples
    --------
    >>> written(0.1), written(25 / 255)
    ('0.1', '25/255')
    """
    short = f"{level:g}"
    if float(short) == level:
        return short
    fractions = ((round(level * scale), scale) for scale in _SCALES)
    found = (f"{count}/{scale}" for count, scale in fractions if count / scale == level)
    return next(found, repr(float(level)))


def draw_fields(
    shape: tuple[int, ...], *, seed: int, image: str, realisation: int, stream: str = "test"
) -> np.ndarray:
    """Draw the standard-normal fields of one realisation of one image.

    Parameters
    ----------
    shape
        (fields, H, W).
    seed
        The run's seed.
    image
        The image's digest: its file's SHA-256, or generator, version, seed and index.
    realisation
        Number of the noise field, from 0; in training, the epoch.
    stream
        Keeps the fields of tests and of training apart.

    Returns
    -------
    numpy.ndarray
        float64, of the given shape; the same on every machine.
    """
    return seeds.generator("noise", stream, seed, image, realisation).standard_normal(shape)


def corrupt(image: np.ndarray, model: NoiseModel, level: float, fields: np.ndarray) -> np.ndarray:
    """Return the noisy image (H, W) as float32, computed in float64."""
    return model.corrupt(image.astype(np.float64), level, fields).astype(np.float32)
