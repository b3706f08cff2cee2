"""The cell, the smallest unit of work, and the key of what it may give."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from denobench.datasets import Item
from denobench.files import digest_of
from denobench.noise import Noise

# Changes with anything in the protocol that changes scores: resizing, clipping, masks, metrics.
PROTOCOL = 3


@dataclass(frozen=True)
class Cell:
    """One method on one realisation of one image at one level: all that a worker has to know."""

    method: str
    registered: str
    track: str
    sigma_factor: float
    parameters: str
    source: str
    noise: Noise
    realisation: int
    item: Item
    size: int | None
    seed: int
    metrics: tuple[str, ...]
    picture: bool
    foreign: bool = False
    protocol: str = ""
    weights: Path | None = None
    weights_digest: str = ""

    @property
    def setting(self) -> tuple[str, str, float]:
        """The method with its parameters and its multiple of sigma."""
        return self.method, self.parameters, self.sigma_factor

    @property
    def stranger(self) -> str:
        """The method where it is not of denobench's own distribution, else empty."""
        return self.registered if self.foreign else ""

    @property
    def _corruption(self) -> str:
        """The noise model and the level, unless this is an estimate, which other images change."""
        if self.noise.estimated:
            return self.noise.model
        return f"{self.noise.model}:{self.noise.level!r}"

    @cached_property
    def observation(self) -> str:
        """Digest of everything that can change the clean or the noisy image."""
        image = (self.item.id, self.item.digest, self.item.reading, self.size)
        noise = (self._corruption, self.seed, self.realisation)
        return digest_of([PROTOCOL, self.protocol, *image, *noise])

    @cached_property
    def key(self) -> str:
        """Digest of everything that can change the answer or its scores."""
        parts = [
            PROTOCOL,
            self.registered,
            self.track,
            self.sigma_factor,
            self.parameters,
            self.source,
            self._corruption,
            self.realisation,
            self.item.digest,
            self.item.reading,
            self.size,
            self.seed,
            self.metrics,
            self.weights_digest,
            # The same method under two names, or one file at two places, are two rows.
            self.method,
            self.item.id,
            # Of what reads, corrupts and scores: versions, and the sources of strangers'.
            self.protocol,
        ]
        return digest_of(parts)
