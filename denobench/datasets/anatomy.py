"""Draw one simulated MR slice from the ICBM152 template.

The bundled T1, grey- and white-matter maps of nilearn (ICBM152 2009a, symmetric, 1 mm, skull stripped) are
the only anatomy here. A slice samples them on a deformed plane, then each step adds one thing that an averaged
brain lacks: `tissues` folds the cortex anew, `head` puts cerebrospinal fluid, skull and scalp around it,
`tumour` grows core, rim and oedema, `render` gives all of it a contrast, texture, vessels and a bias field.

Everything is computed in float64 from uniform and normal draws of the generator handed in, without thresholds
that could tip with the last bit of a float, so that pixels agree between machines.

References
----------
.. [1] V. Fonov, A. C. Evans, K. Botteron, C. R. Almli, R. C. McKinstry, D. L. Collins, "Unbiased average
   age-appropriate atlases for pediatric studies", NeuroImage 54(1), 313-327, 2011.
.. [2] V. S. Fonov, A. C. Evans, R. C. McKinstry, C. R. Almli, D. L. Collins, "Unbiased nonlinear average
   age-appropriate brain templates from birth to adulthood", NeuroImage 47, S102, 2009.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from denobench.errors import DenobenchError

SIZE = 224
Array = NDArray[np.float64]

# Axes of the template (0: left-right, 1: back-front, 2: down-up) as (across the slice, rows, columns).
AXES = {"axial": (2, 1, 0), "coronal": (1, 2, 0), "sagittal": (0, 2, 1)}
MIDDLE = (98.0, 117.0, 77.0)  # of the head in template voxels, 1 mm each

# Intensity of each material as (lowest, highest) that is drawn.
CONTRASTS = {
    "T1": {
        "csf": (0.06, 0.14), "gm": (0.34, 0.44), "wm": (0.50, 0.64), "bone": (0.03, 0.07), "marrow": (0.15, 0.45),
        "fat": (0.75, 1.0), "skin": (0.35, 0.5), "soft": (0.25, 0.4),
        "core": (0.14, 0.28), "rim": (0.75, 1.0), "oedema": (0.26, 0.36), "vessel": (0.4, 0.95),
    },
    "T2": {
        "csf": (0.72, 0.98), "gm": (0.40, 0.52), "wm": (0.26, 0.36), "bone": (0.03, 0.07), "marrow": (0.1, 0.35),
        "fat": (0.45, 0.85), "skin": (0.25, 0.4), "soft": (0.15, 0.3),
        "core": (0.55, 0.85), "rim": (0.35, 0.6), "oedema": (0.62, 0.82), "vessel": (0.03, 0.15),
    },
    "FLAIR": {
        "csf": (0.05, 0.12), "gm": (0.40, 0.50), "wm": (0.30, 0.37), "bone": (0.03, 0.07), "marrow": (0.1, 0.3),
        "fat": (0.5, 0.95), "skin": (0.25, 0.4), "soft": (0.2, 0.3),
        "core": (0.3, 0.6), "rim": (0.6, 0.85), "oedema": (0.65, 0.9), "vessel": (0.1, 0.6),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Template:
    """The averaged brain: maps as bytes, signed distances in mm on a coarse, padded grid."""

    gm: NDArray[np.uint8]
    wm: NDArray[np.uint8]
    t1: NDArray[np.uint8]
    brain: Array  # distance to the brain's surface, negative inside
    hull: Array  # the same for the brain with its hollows filled: the inner wall of the skull

    STEP = 2  # mm between the points of the distance grids
    PAD = 24  # points around the template on them

    def extent(self, axis: int, position: float, along: int) -> tuple[float, float]:
        """Return where the brain begins and ends along one axis in the plane at a position."""
        plane = np.take(self.t1, round(position), axis=axis)
        rest = [a for a in range(3) if a != axis]
        (inside,) = np.nonzero(plane.max(axis=1 - rest.index(along)) > 40)
        return float(inside[0]), float(inside[-1])

    def map(self, values: NDArray[np.uint8], where: Array) -> Array:
        """Return a map, scaled to [0, 1], at template coordinates of shape (3, H, W)."""
        return ndimage.map_coordinates(values, where, output=np.float64, order=1) / 255.0

    def distance(self, values: Array, where: Array) -> Array:
        """Return a distance in mm at template coordinates of shape (3, H, W)."""
        return ndimage.map_coordinates(values, where / self.STEP + self.PAD, order=1, mode="nearest")


@lru_cache(maxsize=1)
def template() -> Template:
    """Load the ICBM152 maps bundled with nilearn and measure the distances to them."""
    t1, gm, wm = (_read(name) for name in ("t1", "gm", "wm"))
    mask = np.pad(t1[:: Template.STEP, :: Template.STEP, :: Template.STEP] > 0, Template.PAD)
    return Template(gm, wm, t1, brain=_distance(_closed(mask, 4.0)), hull=_distance(_closed(mask, 14.0)))


def _read(name: str) -> NDArray[np.uint8]:
    spec = find_spec("nilearn")  # finds the package without importing it
    if spec is None or spec.origin is None:
        raise DenobenchError("The simulated dataset needs the package nilearn, which brings its anatomy.")
    file = f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz"
    path = Path(spec.origin).parent / "datasets" / "data" / file
    if not path.is_file():
        raise DenobenchError(f"{path}: not found; the installed nilearn does not bundle this ICBM152 map.")
    return np.asarray(nibabel.load(path).dataobj).astype(np.uint8)  # type: ignore[attr-defined]


def _closed(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    steps = radius / Template.STEP
    grown = ndimage.distance_transform_edt(~mask) <= steps
    return np.asarray(ndimage.distance_transform_edt(grown) > steps)


def _distance(mask: NDArray[np.bool_]) -> Array:
    signed = ndimage.distance_transform_edt(~mask) - ndimage.distance_transform_edt(mask)
    return Template.STEP * ndimage.gaussian_filter(signed, 1.0)


def _frequencies() -> Array:
    return np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None, :])


def _filtered(rng: np.random.Generator, transfer: Array) -> Array:
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((SIZE, SIZE))) * transfer, s=(SIZE, SIZE))
    return (noise - noise.mean()) / noise.std()


def smooth(rng: np.random.Generator, sigma: float) -> Array:
    """Return a random field of unit variance, smooth over `sigma` pixels."""
    return _filtered(rng, np.exp(-2.0 * (np.pi * sigma * _frequencies()) ** 2))


def banded(rng: np.random.Generator, wavelength: float) -> Array:
    """Return a random field of unit variance that waves once in about `wavelength` pixels."""
    return _filtered(rng, np.exp(-0.5 * ((_frequencies() * wavelength - 1.0) / 0.3) ** 2))


def fractal(rng: np.random.Generator, exponent: float) -> Array:
    """Return a random field of unit variance whose power falls with frequency to minus `exponent`."""
    return _filtered(rng, np.maximum(_frequencies(), 1.0 / 64.0) ** (-exponent / 2.0))


def step(x: Array, width: float = 1.0) -> Array:
    """Rise smoothly from 0 at -width to 1 at +width, exactly flat outside."""
    t = np.clip(0.5 + 0.5 * x / width, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
