"""The simulated default dataset: 253 slices of one averaged anatomy, free of noise.

Each slice is drawn by `denobench.datasets.anatomy` from the ICBM152 T1, grey- and white-matter maps
that nilearn bundles (ICBM 152 nonlinear symmetric 2009a, Fonov et al. 2009, 2011). Sampled on
smoothly deformed planes in three orientations, it is given freshly folded cortex, fluid, skull and
scalp, T1-, T2- or FLAIR-like contrast, texture and a bias field, and in 155 slices a tumour, whose
mask is kept.

The template is cut into slabs with gaps between them, those for tests into thinner ones. Training,
validation and test slices come from different slabs of their orientation, and its slab is a slice's
cluster. All the same it is one averaged anatomy: it demonstrates the tool and ranks nothing.

The template is copyright (C) 1993-2004 Louis Collins, McConnell Brain Imaging Centre, Montreal
Neurological Institute, McGill University, who permit use, copying, modification and distribution
for any purpose without fee, provided that this notice appears in all copies.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from denobench import seeds
from denobench.cache import cache_folder, writing
from denobench.datasets import anatomy
from denobench.errors import DenobenchError
from denobench.files import damaged, replacing

VERSION = 1  # enters the seeds: goes up with any change of training slices' pixels
TEST_VERSION = 2  # goes up with any change of test slices' pixels
SIZE = anatomy.SIZE
COUNT = 253
TUMOURS = 155
TEST = 50
GAP = 2.0  # mm between slabs
# Lowest and highest template coordinate across the slices, in mm, and the number of slabs between.
# Sagittal slabs lie on one side only: the template is symmetric, the other shows the same again.
RANGES = {"axial": (50.0, 140.0, 25), "coronal": (52.0, 182.0, 10), "sagittal": (101.0, 149.0, 5)}
# Thinner slabs that a test slab is cut into, with the same gap: a dozen clusters are tested.
CUTS = {"axial": 1, "coronal": 3, "sagittal": 2}
# What networks are validated on, the shipped weights among them.
VALIDATION = ("axial-03", "axial-09", "axial-13", "axial-16", "axial-24", "sagittal-03")


@dataclass(frozen=True)
class Slice:
    """What one simulated slice shows, without its pixels."""

    index: int
    label: str  # "yes" or "no": whether it holds a tumour
    orientation: str
    contrast: str
    slab: str  # cluster: slices of a slab show the same anatomy
    part: str  # "train", "validation" or "test"

    @property
    def name(self) -> str:
        """Return the slice's identifier."""
        return f"simulated-{self.index:03d}"


def slabs() -> dict[str, tuple[float, float]]:
    """Return each slab's name and its lowest and highest coordinate across its slices, in mm."""
    found: dict[str, tuple[float, float]] = {}
    for orientation, (low, high, count) in RANGES.items():
        for i, (start, stop) in enumerate(_cut(low, high, count)):
            name = f"{orientation}-{i:02d}"
            if i % 5 == 2:  # every fifth slab of each orientation is tested
                thin = _cut(start, stop, CUTS[orientation])
                found |= {
                    f"{name}{letter}": each for letter, each in zip("abc", thin, strict=False)
                }
            else:
                found[name] = (start, stop)
    return found


def _cut(low: float, high: float, count: int) -> list[tuple[float, float]]:
    """Divide a range into slabs with gaps between them."""
    pitch = (high - low + GAP) / count
    return [(low + i * pitch, low + (i + 1) * pitch - GAP) for i in range(count)]


def _is_test(slab: str) -> bool:
    return slab[-1].isalpha()


@lru_cache(maxsize=8)
def slices(seed: int = 0) -> tuple[Slice, ...]:
    """Describe all slices, in an order in which any run of indices mixes what there is.

    Parameters
    ----------
    seed
        Which of the simulated sets; 0 is the default one.

    Returns
    -------
    tuple of Slice
        253 slices, 155 with a tumour; 50 of them in part ``"test"``, 31 of these with a tumour, and
        37 in part ``"validation"``.
    """
    rng = _generator(seed, COUNT)
    queues = {"train": _queue("train", rng), "test": _queue("test", rng)}
    in_test = _share(TEST, TUMOURS, COUNT)
    totals = {"train": (TUMOURS - in_test, COUNT - TEST), "test": (in_test, TEST)}
    taken = {"train": 0, "test": 0}
    found = []
    for index in range(COUNT):
        part = "test" if _share(index + 1, TEST, COUNT) > _share(index, TEST, COUNT) else "train"
        i = taken[part]
        diseased, total = totals[part]
        label = "yes" if _share(i + 1, diseased, total) > _share(i, diseased, total) else "no"
        slab = queues[part][i]
        contrast = tuple(anatomy.CONTRASTS)[i % 3]
        held = "validation" if slab in VALIDATION else part
        found.append(Slice(index, label, slab.rpartition("-")[0], contrast, slab, held))
        taken[part] += 1
    return tuple(found)


def digest(which: Slice, seed: int = 0) -> str:
    """Return what stands for a slice's pixels in seeds and keys."""
    version = TEST_VERSION if which.part == "test" else VERSION
    return f"simulated:{version}:{seed}:{which.index}"


def _share(i: int, wanted: int, total: int) -> int:
    """Return how many of the first `i` are taken when `wanted` of `total` are, evenly spread."""
    return (2 * i * wanted + total) // (2 * total)


def _queue(part: str, rng: np.random.Generator) -> list[str]:
    """Return slabs of a part, each about as often, in rounds shuffled anew."""
    names = [name for name in slabs() if _is_test(name) == (part == "test")]
    rounds = -(-COUNT // len(names))
    return [
        names[i]
        for _ in range(rounds)
        for i in np.argsort(rng.uniform(size=len(names)), kind="stable")
    ]


def _generator(seed: int, stream: int) -> np.random.Generator:
    if seed < 0:
        raise DenobenchError(f"seed {seed} of the simulated dataset: must be 0 or more.")
    return seeds.numbered(VERSION, seed, stream)


def generate(index: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Draw one slice, independently of all others.

    Parameters
    ----------
    index
        Which slice, 0 to 252.
    seed
        Which of the simulated sets.

    Returns
    -------
    image, mask
        float32 in [0, 1] and uint8 (0 none, 1 core, 2 enhancing rim, 3 oedema), both (224, 224).

    Raises
    ------
    DenobenchError
        If there is no slice of that index, or the anatomy is not installed.
    """
    if not 0 <= index < COUNT:
        raise DenobenchError(
            f"Simulated slice {index} does not exist: valid indices are 0 to {COUNT - 1}."
        )
    which = slices(seed)[index]
    rng = _generator(seed, index)
    return anatomy.draw(
        which.orientation, which.contrast, slabs()[which.slab], which.label == "yes", rng
    )


def read(index: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return one slice from the cache, into which it is drawn the first time.

    Parameters
    ----------
    index, seed
        As of `generate`, which also says what is returned and raised.

    Raises
    ------
    DenobenchError
        If the cache folder cannot be written, or the cached file is damaged.
    """
    version = f"simulated-{VERSION}.{TEST_VERSION}-{seed}"
    path = cache_folder() / version / f"{index:03d}.npz"
    if not path.is_file():
        image, mask = generate(index, seed)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.savez(file, image=image, mask=mask)
        return image, mask
    try:
        with np.load(path, allow_pickle=False) as kept:
            return kept["image"], kept["mask"]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise damaged(path, error) from None
