"""Draw one simulated MR slice from the ICBM152 template.

The bundled T1, grey- and white-matter maps of nilearn (ICBM152 2009a, symmetric, 1 mm, skull
stripped) are the only anatomy here. `plane` lays a deformed slice through them; then each step adds
what an averaged brain lacks: `head` puts fluid, skull and scalp around it, `tissues` folds the
cortex anew, `Tumour` grows core, rim and oedema, `render` gives all of it a contrast, texture, a
bias field and a window.

Everything is computed in float64 from uniform and normal draws of the generator handed in, and
without thresholds that could tip with the last bit of a float: pixels agree between machines.

References
----------
.. [1] V. Fonov, A. C. Evans, K. Botteron, C. R. Almli, R. C. McKinstry, D. L. Collins, "Unbiased
   average age-appropriate atlases for pediatric studies", NeuroImage 54(1), 313-327, 2011.
.. [2] V. S. Fonov, A. C. Evans, R. C. McKinstry, C. R. Almli, D. L. Collins, "Unbiased nonlinear
   average age-appropriate brain templates from birth to adulthood", NeuroImage 47, S102, 2009.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from denobench.errors import DenobenchError

SIZE = 224
Array = NDArray[np.float64]

# Axes of the template (0 left-right, 1 back-front, 2 down-up): across the slice, rows, columns.
AXES = {"axial": (2, 1, 0), "coronal": (1, 2, 0), "sagittal": (0, 2, 1)}
MIDDLE = (98.0, 117.0, 77.0)  # of the head in template voxels, 1 mm each

# Intensity of each material as (lowest, highest) that is drawn.
CONTRASTS = {
    "T1": {
        "csf": (0.06, 0.14), "gm": (0.34, 0.44), "wm": (0.50, 0.64),
        "bone": (0.03, 0.07), "marrow": (0.15, 0.45), "fat": (0.75, 1.0), "skin": (0.35, 0.5),
        "soft": (0.25, 0.4), "core": (0.14, 0.28), "rim": (0.75, 1.0), "oedema": (0.26, 0.36),
        "vessel": (0.4, 0.95),
    },
    "T2": {
        "csf": (0.72, 0.98), "gm": (0.40, 0.52), "wm": (0.26, 0.36),
        "bone": (0.03, 0.07), "marrow": (0.1, 0.35), "fat": (0.45, 0.85), "skin": (0.25, 0.4),
        "soft": (0.15, 0.3), "core": (0.55, 0.85), "rim": (0.35, 0.6), "oedema": (0.62, 0.82),
        "vessel": (0.03, 0.15),
    },
    "FLAIR": {
        "csf": (0.05, 0.12), "gm": (0.40, 0.50), "wm": (0.30, 0.37),
        "bone": (0.03, 0.07), "marrow": (0.1, 0.3), "fat": (0.5, 0.95), "skin": (0.25, 0.4),
        "soft": (0.2, 0.3), "core": (0.3, 0.6), "rim": (0.6, 0.85), "oedema": (0.65, 0.9),
        "vessel": (0.1, 0.6),
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

    STEP = 3  # mm between the points of the distance grids
    PAD = 14  # points around the template on them

    def extent(self, axis: int, position: float, along: int) -> tuple[float, float]:
        """Return where the brain begins and ends along one axis in the plane at a position."""
        plane = np.moveaxis(self.t1, axis, 0)[round(position)]
        rest = [a for a in range(3) if a != axis]
        (inside,) = np.nonzero(plane.max(axis=1 - rest.index(along)) > 40)
        return float(inside[0]), float(inside[-1])

    def sample(self, values: NDArray[np.uint8], where: Array) -> Array:
        """Return a map, scaled to [0, 1], at template coordinates of shape (3, H, W)."""
        return scipy.ndimage.map_coordinates(values, where, output=np.float64, order=1) / 255.0

    def distance(self, values: Array, where: Array) -> Array:
        """Return a distance in mm at template coordinates of shape (3, H, W)."""
        return scipy.ndimage.map_coordinates(
            values, where / self.STEP + self.PAD, order=1, mode="nearest"
        )


@lru_cache(maxsize=1)
def template() -> Template:
    """Load the ICBM152 maps bundled with nilearn and measure the distances to them."""
    t1, gm, wm = (_read(name) for name in ("t1", "gm", "wm"))
    mask = np.pad(t1[:: Template.STEP, :: Template.STEP, :: Template.STEP] > 0, Template.PAD)
    return Template(
        gm, wm, t1, brain=_distance(_closed(mask, 4.0)), hull=_distance(_closed(mask, 14.0))
    )


def _read(name: str) -> NDArray[np.uint8]:
    spec = find_spec("nilearn")  # finds the package without importing it
    if spec is None or spec.origin is None:
        raise DenobenchError(
            "The simulated dataset needs the package nilearn, which brings its anatomy."
        )
    file = f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz"
    path = Path(spec.origin).parent / "datasets" / "data" / file
    if not path.is_file():
        raise DenobenchError(
            f"{path}: not found; the installed nilearn does not bundle this ICBM152 map."
        )
    import nibabel  # here, because listing and help need not wait for it

    return np.asarray(nibabel.load(path).dataobj).astype(np.uint8)  # type: ignore[attr-defined]


def _closed(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    steps = radius / Template.STEP
    grown = scipy.ndimage.distance_transform_edt(~mask) <= steps
    return np.asarray(scipy.ndimage.distance_transform_edt(grown) > steps)


def _distance(mask: NDArray[np.bool_]) -> Array:
    signed = scipy.ndimage.distance_transform_edt(~mask) - scipy.ndimage.distance_transform_edt(
        mask
    )
    return Template.STEP * scipy.ndimage.gaussian_filter(signed, 1.0)


@lru_cache(maxsize=1)
def _frequencies() -> Array:
    return np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None, :])


def _filtered(rng: np.random.Generator, transfer: Array) -> Array:
    noise = np.fft.irfft2(
        np.fft.rfft2(rng.standard_normal((SIZE, SIZE))) * transfer, s=(SIZE, SIZE)
    )
    return (noise - noise.mean()) / noise.std()


@lru_cache(maxsize=16)
def _blur(sigma: float) -> Array:
    return np.exp(-2.0 * (np.pi * sigma * _frequencies()) ** 2)


def smooth(rng: np.random.Generator, sigma: float) -> Array:
    """Return a random field of unit variance, smooth over `sigma` pixels."""
    return _filtered(rng, _blur(sigma))


def banded(rng: np.random.Generator, wavelength: float) -> Array:
    """Return a random field of unit variance that waves once in about `wavelength` pixels."""
    return _filtered(rng, np.exp(-0.5 * ((_frequencies() * wavelength - 1.0) / 0.3) ** 2))


def fractal(rng: np.random.Generator, exponent: float) -> Array:
    """Return a random field of unit variance, power falling as frequency to minus `exponent`."""
    return _filtered(rng, np.maximum(_frequencies(), 1.0 / 64.0) ** (-exponent / 2.0))


def step(x: Array, width: float = 1.0) -> Array:
    """Rise smoothly from 0 at -width to 1 at +width, exactly flat outside."""
    t = np.clip(0.5 + 0.5 * x / width, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@dataclass(frozen=True)
class Tumour:
    """A tumour's place and size in pixels, and the fields that make it irregular."""

    row: float
    column: float
    radius: float
    shape: Array
    spread: Array

    def polar(self) -> tuple[Array, Array, Array]:
        """Return each pixel's offsets from the centre and its distance to it."""
        rows, columns = np.indices((SIZE, SIZE), dtype=np.float64)
        rows, columns = rows - self.row, columns - self.column
        return rows, columns, np.sqrt(rows**2 + columns**2 + 1e-6)

    def push(self) -> tuple[Array, Array]:
        """Return the displacement, in pixels, by which the growing mass pushes the brain aside."""
        rows, columns, distance = self.polar()
        pull = -0.45 * np.exp(-0.5 * (distance / (1.3 * self.radius)) ** 2)
        return rows * pull, columns * pull

    def weights(self, wm: Array, inside: Array) -> dict[str, Array]:
        """Return how much of each pixel is core, rim and oedema."""
        _, _, distance = self.polar()
        edge = distance - self.radius * (1.0 + 0.2 * self.shape)
        thickness = 0.7 + 0.16 * self.radius * (1.0 + 0.8 * np.tanh(self.spread))
        mass = step(-edge, 1.2) * inside
        core = step(-edge - thickness, 1.3) * inside
        swelling = distance - self.radius * (1.5 + 0.35 * self.spread + 0.6 * (wm - 0.5))
        oedema = step(-swelling, 0.25 * self.radius) * inside * (0.3 + 0.7 * wm)
        return {"core": core, "rim": mass - core, "oedema": (1.0 - mass) * oedema}


def draw(
    orientation: str,
    contrast: str,
    slab: tuple[float, float],
    diseased: bool,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Draw one slice out of a slab of the template.

    Parameters
    ----------
    orientation
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    contrast
        ``"T1"``, ``"T2"`` or ``"FLAIR"``.
    slab
        Lowest and highest template coordinate across the slice, in mm; no sample lies outside.
    diseased
        Whether to grow a tumour.
    rng
        Source of everything random.

    Returns
    -------
    image, mask
        float32 in [0, 1] and uint8 (0 none, 1 core, 2 rim, 3 oedema), both of shape (224, 224).
    """
    materials = compose(orientation, slab, diseased, rng)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    if diseased:
        lesion = [materials[name] for name in ("core", "rim", "oedema")]
        healthy = np.minimum(1.0 - np.sum(lesion, axis=0), 0.6)
        mask = np.argmax(np.stack([healthy, *lesion]), axis=0).astype(np.uint8)
    return render(materials, contrast, rng).astype(np.float32), mask


def compose(
    orientation: str, slab: tuple[float, float], diseased: bool, rng: np.random.Generator
) -> dict[str, Array]:
    """Return how much of each pixel each material is, in [0, 1], before it has a contrast."""
    tumour = grow(rng) if diseased else None
    where = plane(orientation, slab, tumour, rng)
    materials = head(where, rng)
    for axis in AXES[orientation][1:]:
        where[axis] += 1.1 * smooth(rng, 5.0)  # only the folds, not the skull, wander this finely
    materials |= tissues(where, rng)
    if tumour is not None:
        materials |= tumour.weights(materials["wm"], materials["brain"])
    return materials


def grow(rng: np.random.Generator) -> Tumour:
    """Draw a tumour's place, size and shape."""
    angle, reach = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(22.0, 50.0)
    return Tumour(
        row=SIZE / 2 + 1.15 * reach * np.sin(angle),
        column=SIZE / 2 + 0.9 * reach * np.cos(angle),
        radius=rng.uniform(11.0, 25.0),
        shape=0.8 * smooth(rng, 8.0) + 0.3 * smooth(rng, 3.0),
        spread=smooth(rng, 7.0),
    )


def plane(
    orientation: str, slab: tuple[float, float], tumour: Tumour | None, rng: np.random.Generator
) -> Array:
    """Return the template coordinates, shape (3, 224, 224), of a slice's pixels.

    The field of view follows the brain's extent; scale, aspect, turn and shift vary, and a smooth
    deformation makes another subject of the template.
    """
    across, down, right = AXES[orientation]
    middle = 0.5 * (slab[0] + slab[1])
    rows, columns = np.indices((SIZE, SIZE), dtype=np.float64) - (SIZE - 1) / 2
    if tumour is not None:
        push = tumour.push()
        rows, columns = rows + push[0], columns + push[1]
    rows = rows + rng.uniform(2.0, 4.5) * smooth(rng, 40.0)
    columns = columns + rng.uniform(2.0, 4.5) * smooth(rng, 40.0)
    turn = 0.07 * np.tanh(rng.standard_normal())
    rows, columns = (
        np.cos(turn) * rows - np.sin(turn) * columns,
        np.sin(turn) * rows + np.cos(turn) * columns,
    )
    fill = rng.uniform(0.80, 1.0) * (
        1.0 + 0.45 * rng.uniform() ** 6
    )  # of the frame by the head; few are cropped
    where = np.empty((3, SIZE, SIZE))
    for axis, offsets in ((down, -rows), (right, columns)):
        low, high = template().extent(across, middle, axis)
        scale = (high - low + 28.0) / (SIZE * fill * rng.uniform(0.86, 1.0))
        cut = 9.0 if axis == 2 else 0.0  # below the brain the template has nothing to show
        where[axis] = 0.5 * (low + high) + cut + rng.uniform(-3.0, 3.0) + scale * offsets
    half = 0.5 * (slab[1] - slab[0])
    tilt = rng.uniform(-0.5, 0.5) + 0.3 * smooth(rng, 40.0)
    where[across] = middle + half * np.tanh(tilt)
    return where


def tissues(where: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Return how much of each pixel is brain, csf, gm, wm and vessel, with newly folded borders."""
    t = template()
    gm, wm = t.sample(t.gm, where), t.sample(t.wm, where)
    depth = -t.distance(t.brain, where)
    brain = step(depth, 1.0)
    cortex = step(14.0 - depth, 8.0)
    fold = banded(rng, 15.0)
    sulcus = np.exp(-((fold / 0.2) ** 2)) * cortex
    ripple = fractal(rng, 2.6)
    fluid = np.clip(1.0 - gm - wm, 0.0, 1.0)
    csf = step(fluid + 0.30 * sulcus * gm + 0.06 * ripple - rng.uniform(0.30, 0.42), 0.16)
    white = step(wm - 0.5 + 0.16 * cortex * fold - 0.1 * sulcus + 0.06 * ripple, 0.28)
    vessel = np.exp(-((banded(rng, 36.0) / 0.10) ** 2)) * step(smooth(rng, 6.0) - 1.6, 0.4)
    return {
        "brain": brain,
        "csf": csf * brain,
        "wm": (1.0 - csf) * white * brain,
        "gm": (1.0 - csf) * (1.0 - white) * brain,
        "vessel": vessel * (1.0 - csf) * brain,
    }


def head(where: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Return how much of each pixel is the head, and each of what it holds around the brain."""
    t = template()
    wall = t.distance(t.hull, where)
    gap = t.distance(t.brain, where)
    uneven = smooth(rng, 30.0)
    bone_to = rng.uniform(4.0, 6.5) + 0.6 * uneven
    scalp = rng.uniform(3.5, 6.5) + 0.6 * smooth(rng, 30.0)
    x, y, z = (w - c for w, c in zip(where, MIDDLE, strict=True))
    face = 60.0 * (
        1.0 - np.sqrt((x / 68.0) ** 2 + ((y - 42.0) / 58.0) ** 2 + ((z + 72.0) / 82.0) ** 2 + 1e-6)
    )
    neck = 60.0 * (
        1.0 - np.sqrt((x / 66.0) ** 2 + ((y + 4.0) / 74.0) ** 2 + 1e-6)
    ) - 0.6 * np.maximum(z + 58.0, 0.0)
    skull, below = bone_to + scalp - wall, np.maximum(face, neck)
    depth = 0.5 * (skull + below + np.sqrt((skull - below) ** 2 + 60.0)) - 0.4  # a rounded maximum
    clump = smooth(rng, 5.0) + 0.3 * fractal(rng, 2.6)
    return {
        "head": step(depth, 0.8),
        "lard": 0.45 * step(clump - 0.9, 0.6),
        "air": step(-clump - 1.7, 0.3) * step(depth - 14.0, 4.0),
        "bone": step(bone_to - wall, 1.0),
        "marrow": step(
            0.25 * bone_to - np.abs(wall - 0.55 * bone_to + 0.3 * smooth(rng, 4.0)), 1.2
        ),
        "fat": step(depth - 1.0, 0.7) * step(scalp - 0.8 - depth, 1.2),
        "skin": step(1.0 - depth, 0.7),
        "fluid": step(0.5 + rng.uniform(0.0, 1.2) + 0.5 * uneven - gap, 0.8),
    }


def render(materials: dict[str, Array], contrast: str, rng: np.random.Generator) -> Array:
    """Return the image of the materials: intensities, texture, bias field, blur and window."""
    level = {name: rng.uniform(low, high) for name, (low, high) in CONTRASTS[contrast].items()}
    grain = fractal(rng, 2.25)
    image = np.full((SIZE, SIZE), level["soft"]) * (1.0 + 0.12 * grain)

    def over(name: str, weight: Array, texture: Array) -> None:
        image[...] += weight * (level[name] * (1.0 + texture) - image)

    over("fat", materials["lard"], 0.15 * grain)
    over("bone", materials["air"], 0.1 * grain)
    over("bone", materials["bone"], 0.2 * grain)
    over("marrow", materials["bone"] * materials["marrow"], 0.3 * grain)
    over("fat", materials["fat"], 0.1 * grain)
    over("skin", materials["skin"], 0.2 * grain)
    over("csf", materials["fluid"], 0.05 * grain)
    image *= 1.0 - materials["brain"]
    for name in ("csf", "gm", "wm"):
        image += materials[name] * level[name] * (1.0 + 0.09 * grain)
    over("vessel", materials["vessel"], 0.1 * grain)
    if "core" in materials:
        patches = 0.2 * fractal(rng, 3.0)
        over("oedema", materials["oedema"], 0.08 * grain)
        over("rim", materials["rim"], 0.5 * patches)
        over("core", materials["core"], patches)
    image *= np.exp(rng.uniform(0.04, 0.14) * smooth(rng, 60.0))
    image = np.maximum(image, 0.0) ** rng.uniform(0.85, 1.25) * materials["head"]
    image = scipy.ndimage.gaussian_filter(image, rng.uniform(0.36, 0.66), truncate=4.0)
    veil = 0.16 * rng.uniform() ** 20  # a few are windowed so that air is not black
    return np.clip(veil + (1.0 - veil) * image, 0.0, 1.0)
