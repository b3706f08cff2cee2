"""Noise models and their seeds.

Every noise field is drawn by (seed, image, realisation) and scaled by the level, so that every
method, worker and machine sees the same noise and levels are paired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import skimage as ski

from denobench import seeds, stabilisation
from denobench.errors import DenobenchError
from denobench.registry import Registry

REGISTRY = Registry("denobench.noise", "noise model")

Corruption = Callable[[np.ndarray, float, np.ndarray], np.ndarray]
Estimator = Callable[[np.ndarray], float]


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


@dataclass(frozen=True, order=True)
class Noise:
    """A noise model at a level, written ``rician:0.09``.

    Attributes
    ----------
    model
        Name of the noise model.
    level
        Sigma as a fraction of full scale, in (0, 1].
    """

    model: str
    level: float

    def __str__(self) -> str:
        return f"{self.model}:{self.level:g}"

    @classmethod
    def parse(cls, text: str) -> Noise:
        """Read ``MODEL:LEVEL``; whether the model exists is checked where the plan is made.

        Raises
        ------
        DenobenchError
            If the text has another form, or the level is not in (0, 1].
        """
        model, colon, level_text = text.strip().partition(":")
        try:
            level = float(level_text)
        except ValueError:
            level = float("nan")
        if not colon or not model or not 0 < level <= 1:
            raise DenobenchError(
                f"Noise {text!r} is not of the form MODEL:LEVEL with a level above 0 and at most 1 "
                "(a fraction of full scale), such as gaussian:0.1 or rician:0.05."
            )
        return cls(model, level)


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
