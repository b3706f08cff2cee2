"""A method on the volumes of a file: one scale and one sigma for all, slices on all cores."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from denobench import noise
from denobench.answers import BadAnswerError, ask, clipped
from denobench.errors import DenobenchError, reason
from denobench.methods import Denoiser, FunctionDenoiser
from denobench.noise import NoiseModel
from denobench.progress import Progress


@dataclass(frozen=True)
class Told:
    """The sigma that a method was told: a fraction of full scale, or None where it wants none."""

    sigma: float | None
    estimated: bool = False


@dataclass(frozen=True)
class Applied:
    """A method ready to be applied.

    Attributes
    ----------
    name
        As the user named it, with its parameters, for messages and headers.
    method
        With its parameters and weights.
    sigma
        Of the noise, as a fraction of full scale; estimated if None, for a method whose first
        track is not the blind one.
    """

    name: str
    method: Denoiser
    sigma: float | None = None

    def __post_init__(self) -> None:
        if self.sigma is not None and not 0 < self.sigma <= 1:
            raise DenobenchError(
                f"sigma {self.sigma:g} must be above 0 and at most 1, of full scale."
            )

    def tell(self, noisy: NDArray[np.float32], model: NoiseModel) -> Told:
        """Return what the method is told of the noise of an image or volume.

        Raises
        ------
        DenobenchError
            If it cannot be estimated.
        """
        tracks = self.method.info.tracks
        if self.sigma is not None and {*tracks} != {"blind"}:
            return Told(self.sigma)
        if tracks[0] == "blind":
            return Told(None)
        return Told(noise.estimated(noisy, model), estimated=True)

    def answer(self, noisy: NDArray[np.float32], sigma: float | None) -> NDArray[np.float32]:
        """Return the answer on an image or volume, in [0, 1].

        Raises
        ------
        DenobenchError
            If the method fails or breaks its contract.
        """
        if self.method.info.dims == 3 and noisy.ndim == 2:
            raise DenobenchError(f"Method {self.name!r} takes volumes, and this is a single image.")
        try:
            return clipped(ask(self.method, noisy, sigma).pixels).astype(np.float32)
        except BadAnswerError as fault:
            raise DenobenchError(f"Method {self.name!r} {fault}.") from None
        except DenobenchError:
            raise
        except Exception as error:
            raise DenobenchError(f"Method {self.name!r} failed: {reason(error)}") from error

    def on(
        self, volumes: Sequence[NDArray], progress: Progress, *, full: float | None = None
    ) -> tuple[list[NDArray[np.float64]], Told]:
        """Return volumes denoised, in their own values, and what the method was told.

        Parameters
        ----------
        volumes
            (D, H, W), real numbers.
        progress
            Told how many slices of how many are denoised.
        full
            Which value is full scale; the highest if None.
        """
        low = min(0.0, *(float(volume.min()) for volume in volumes))
        high = full or max(float(volume.max()) for volume in volumes)
        span = high - low if high > low else 1.0
        # Bit by bit: of a volume there are copies enough.
        scaled = [np.empty(volume.shape, np.float32) for volume in volumes]
        for one, other in zip(scaled, volumes, strict=True):
            for index, values in enumerate(other):
                one[index] = (values.astype(np.float64) - low) / span
        told = self._tell_all(scaled)
        jobs = [(one, part) for one in scaled for part in self._parts(len(one))]
        ends = np.cumsum([0, *(part.stop - part.start for _, part in jobs)])

        def work(job: tuple[NDArray[np.float32], slice]) -> None:
            one, part = job
            given = one[part] if self.method.info.dims == 3 else one[part][0]
            # A slice without any structure, such as one of zeros, is left as it is.
            if np.ptp(given) > 0:
                one[part] = self.answer(np.ascontiguousarray(given), told.sigma)

        threads = os.cpu_count() if isinstance(self.method, FunctionDenoiser) else 1
        with ThreadPoolExecutor(threads) as pool:
            done = zip(pairwise(ends), pool.map(work, jobs), strict=True)
            for (_, end), _ in done:
                progress(float(end), float(ends[-1]))
        return [one * np.float64(span) + low for one in scaled], told

    def _parts(self, depth: int) -> list[slice]:
        """Return what of a volume is given to the method at once."""
        step = depth if self.method.info.dims == 3 else 1
        return [slice(start, start + step) for start in range(0, depth, step)]

    def _tell_all(self, volumes: Sequence[NDArray[np.float32]]) -> Told:
        """Return one sigma for all volumes: the median of theirs."""
        model = noise.REGISTRY.load(noise.MEASURED)
        step = -(-len(volumes) // 5)
        told = [self.tell(volume, model) for volume in volumes[::step]]
        if not told[0].estimated:
            return told[0]
        return Told(float(np.median([each.sigma for each in told if each.sigma])), estimated=True)
