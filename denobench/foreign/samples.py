"""Images with noise of known levels, to try networks on, and what anybody gains on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from denobench import seeds

SIDE = 128  # a multiple of what most networks ask for
LEVELS = tuple(level / 255 for level in (5, 15, 25, 35, 50, 75))


class Score(NamedTuple):
    """What an answer gains and the noisy image's PSNR, in dB, and the share of noise it takes."""

    gain: float
    noisy: float
    removed: float


@dataclass(frozen=True)
class Sample:
    """A clean image with noise of one level on it.

    Attributes
    ----------
    clean, noisy
        float32, (H, W), full scale 1.0.
    level
        The noise's.
    psnr
        In dB, of what anybody has: the noisy image, or an even grey.
    colours
        The noisy image and two with other noise, (3, H, W): what a network for colour was trained
        on.
    """

    clean: np.ndarray
    noisy: np.ndarray
    level: float
    psnr: float
    colours: np.ndarray

    @classmethod
    def of(cls, clean: np.ndarray, colours: np.ndarray, level: float) -> Sample:
        """Return a sample, with its PSNR."""
        noisy = colours[0]
        even = np.full_like(clean, noisy.mean())
        return cls(clean, noisy, level, max(psnr(clean, noisy), psnr(clean, even)), colours)

    def cut(self, height: int, width: int) -> Sample:
        """Return its middle of these sides; where it is smaller, it goes on mirrored."""
        colours = np.stack([_cut(each, height, width) for each in self.colours])
        return Sample.of(_cut(self.clean, height, width), colours, self.level)


def samples() -> list[Sample]:
    """Return noisy images of two kinds, a photograph and a slice of a head, at every level."""
    from skimage import data

    from denobench.datasets import simulated

    camera = data.camera()[100:356, 120:376].astype(np.float32) / 255
    camera = camera.reshape(SIDE, 2, SIDE, 2).mean((1, 3))
    head, _ = simulated.generate(simulated.COUNT // 2)  # alone: nobody waits for the whole set
    found = []
    for number, clean in enumerate((_cut(head, SIDE, SIDE), camera)):
        fields = seeds.generator("models", number).standard_normal((3, *clean.shape))
        for level in LEVELS:
            found.append(Sample.of(clean, (clean + level * fields).astype(np.float32), level))
    return found


def psnr(clean: np.ndarray, answer: np.ndarray) -> float:
    """Return the PSNR of an answer, clipped to [0, 1], in dB; -100 where it is not finite."""
    error = float(np.mean((np.clip(answer, 0, 1) - clean) ** 2, dtype=np.float64))
    return -10 * float(np.log10(max(error, 1e-12))) if np.isfinite(error) else -100.0


def scores(answers: Iterable[np.ndarray], given: Sequence[Sample]) -> dict[float, Score]:
    """Return how the better of the two kinds of images scores, by level."""
    found: dict[float, Score] = {}
    for answer, sample in zip(answers, given, strict=True):
        removed = float(np.std(sample.noisy - answer)) / sample.level
        score = Score(psnr(sample.clean, answer) - sample.psnr, sample.psnr, removed)
        found[sample.level] = max(found.get(sample.level, score), score)
    return found


def plain(given: Sequence[Sample]) -> dict[float, float]:
    """Return what total variation gains, in dB, by level."""
    from skimage.restoration import denoise_tv_chambolle

    answers = [denoise_tv_chambolle(each.noisy, 0.8 * each.level) for each in given]
    return {level: score.gain for level, score in scores(answers, given).items()}


def _cut(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the middle of an image; where it is smaller, it goes on mirrored."""
    down, right = max(height - image.shape[0], 0), max(width - image.shape[1], 0)
    whole = np.pad(image, ((0, down), (0, right)), "symmetric")
    top, left = (
        (have - want) // 2 for have, want in zip(whole.shape, (height, width), strict=True)
    )
    return np.ascontiguousarray(whole[top : top + height, left : left + width])
