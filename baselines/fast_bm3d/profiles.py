"""What the two stages of BM3D are told, by profile."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Stage:
    """The parameters of one of the two stages.

    Attributes
    ----------
    step
        Pixels between reference blocks, 1 to 8.
    radius
        Furthest offset of a compared block in pixels, along each axis, at most 22.
    blocks
        Most blocks of a group, a power of two.
    likeness, noise_likeness
        Blocks are alike if their mean squared difference is below ``likeness`` (full scale
        squared) plus ``noise_likeness`` times the noise's variance.
    noise_floor
        Blocks are equally alike if it is below ``noise_floor`` times that variance.
    strength
        The hard threshold as a multiple of sigma; in the Wiener stage, what the noise's variance is
        multiplied by.
    beta
        Of the Kaiser window that weighs a block's pixels.
    """

    step: int
    radius: int
    blocks: int
    likeness: float
    noise_likeness: float
    noise_floor: float
    strength: float
    beta: float


# Hard threshold, then Wiener.
_HARD = Stage(
    step=3,
    radius=19,
    blocks=16,
    likeness=3000 / 255**2,
    noise_likeness=3.0,
    noise_floor=1.7,
    strength=2.7,
    beta=2.0,
)
_WIENER = Stage(
    step=3,
    radius=19,
    blocks=32,
    likeness=400 / 255**2,
    noise_likeness=0.3,
    noise_floor=0.02,
    strength=0.9,
    beta=2.0,
)
PROFILES = {
    "normal": (_HARD, _WIENER),
    "fast": (replace(_HARD, step=4, radius=9), replace(_WIENER, step=4, radius=9, blocks=16)),
}
