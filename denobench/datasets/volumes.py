"""Stacks of slices: decoded once into the cache, then read slice by slice in any plane."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denobench import readers
from denobench.cache import cache_folder, writing
from denobench.files import damaged, digest_of, write_bytes, write_text
from denobench.readers import File, Stack

VERSION = 2  # of what the cache holds: changes with what readers make of files
UNUSED_DAYS = 30  # after which decoded volumes are forgotten
PLANES = ("acquired", "axial", "coronal", "sagittal")
# Directions (right, anterior, superior) that slices, rows and columns run in, by plane: seen from
# the feet and from the front, the patient's right is on the left; from the side, the nose is.
_SHOWN = {
    "axial": ((2, 1), (1, -1), (0, -1)),
    "coronal": ((1, 1), (2, -1), (0, -1)),
    "sagittal": ((0, 1), (2, -1), (1, -1)),
}


def stacks(files: Sequence[File], reader: str) -> Sequence[Stack]:
    """Return the stacks of files that belong together; those of several slices come from the cache.

    Raises
    ------
    DenobenchError
        If the files cannot be read, or the cache cannot be written.
    """
    if not all(file.digest for file in files):
        return readers.read(files, reader)
    place = _place(files, reader)
    known = _known(place)
    if known:
        with suppress(OSError):  # of a cache that may only be read
            (place / "stacks.json").touch()  # used today
        return known
    forget([each for each, _, days in kept() if days > UNUSED_DAYS])
    found = readers.read(files, reader)
    return _keep(found, files[0], place) if any(stack.shape[0] > 1 for stack in found) else found


def kept() -> list[tuple[Path, int, float]]:
    """Return the folders of decoded volumes, their bytes, and the days since they were used."""
    found = []
    for place in sorted((cache_folder() / "volumes").glob("*")):
        try:
            size = sum(path.stat().st_size for path in place.iterdir())
            last = max(path.stat().st_mtime for path in place.iterdir())
        except (OSError, ValueError):  # another process forgets it, or has just begun it
            continue
        found.append((place, size, (time.time() - last) / 86400))
    return found


def forget(places: Iterable[Path]) -> None:
    """Remove decoded volumes from the cache; who needs them decodes them again."""
    for place in places:
        shutil.rmtree(place, ignore_errors=True)


def _place(files: Sequence[File], reader: str) -> Path:
    packages = readers.REGISTRY.load(reader).packages
    versions = {package: _version(package) for package in packages}
    key = digest_of([VERSION, reader, versions, [file.digest for file in files]])
    return cache_folder() / "volumes" / key


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _known(place: Path) -> list[Stack]:
    """Return what the cache holds; nothing where something is missing or damaged."""
    try:
        entries = json.loads((place / "stacks.json").read_text("utf-8"))
        found = []
        for number, entry in enumerate(entries):
            path = place / f"{number}.npy"
            if _mapped(path).shape != tuple(entry["shape"]):
                return []
            entry["affine"] = None if entry["affine"] is None else np.array(entry["affine"])
            entry["left_out"] = tuple(map(tuple, entry["left_out"]))
            for name in ("shape", "spacing", "members"):
                entry[name] = None if entry[name] is None else tuple(entry[name])
            found.append(Stack(load=_mapping(path), **entry))
        return found
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _keep(found: Sequence[Stack], file: File, place: Path) -> list[Stack]:
    """Write stacks into the cache, values in as few bytes as hold them, and return them from it."""
    written, entries = [], []
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
    for number, stack in enumerate(found):
        path = place / f"{number}.npy"
        values = np.ascontiguousarray(readers.load(stack, file))
        if values.dtype.kind == "f" or values.dtype.itemsize > 4:
            values = values.astype(np.float32)
        if values.dtype.byteorder == ">":
            values = values.astype(values.dtype.newbyteorder("="))
        content = io.BytesIO()
        np.save(content, values, allow_pickle=False)
        with writing(path):
            write_bytes(path, content.getvalue())
        written.append(replace(stack, load=_mapping(path)))
        entries.append(_entry(stack))
    with writing(place):
        write_text(place / "stacks.json", json.dumps(entries))
    return written


def _entry(stack: Stack) -> dict[str, Any]:
    """Return a stack without its pixels, ready for JSON; there is nothing of a person in it."""
    names = ("format", "mode", "full", "rule", "volume", "name", "repeat", "identities")
    return {
        **{name: getattr(stack, name) for name in names},
        "shape": [int(side) for side in stack.shape],
        "spacing": None if stack.spacing is None else [float(gap) for gap in stack.spacing],
        "affine": None if stack.affine is None else stack.affine.tolist(),
        "members": [int(number) for number in stack.members],
        "left_out": stack.left_out,
    }


def _mapping(path: Path) -> Any:
    return lambda: _mapped(path)


def _mapped(path: Path) -> NDArray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise damaged(path, error) from None


@lru_cache(maxsize=4)
def _opened(files: tuple[File, ...], reader: str) -> Sequence[Stack]:
    return stacks(files, reader)


def values(files: tuple[File, ...], reader: str, number: int, plane: str, index: int) -> NDArray:
    """Return one slice as its file holds it, (H, W).

    Parameters
    ----------
    files, reader
        What is read by what.
    number
        Of the stack among those of the files.
    plane, index
        The plane and the slice in it, as `slices` orders them.

    Raises
    ------
    DenobenchError
        If the files cannot be read, or are no longer those that were looked at.
    """
    found = _opened(files, reader)[number]
    return np.array(slices(found.load(), found.affine, plane)[index])


def slices(pixels: NDArray, affine: NDArray[np.float64] | None, plane: str = "acquired") -> NDArray:
    """Return a view of a stack, (slices, H, W), along a plane.

    Parameters
    ----------
    pixels
        (D, H, W).
    affine
        From (slice, row, column) to millimetres right, anterior and superior. Without one the
        stack is returned as it is.
    plane
        One of `PLANES`. ``acquired`` keeps the slices that the file has. Slices run from the feet
        to the head, from the back to the front, from the left to the right; they are shown with
        the head or the nose upwards and the patient's right on the left.
    """
    if affine is None:
        return pixels
    axes, signs = _orientation(affine)
    shown = _SHOWN[plane if plane != "acquired" else _nearest(affine)]
    if plane == "acquired":
        # The stored slices, from first to last.
        turned = [axes.index(direction) for direction, _ in shown]
        order = [0, *(axis for axis in turned if axis != 0)]
        steps = [slice(None)]
    else:
        order = [axes.index(direction) for direction, _ in shown]
        sign = shown[0][1]
        steps = [slice(None, None, sign * signs[order[0]])]
    wanted = dict(shown)
    steps += [slice(None, None, wanted[axes[axis]] * signs[axis]) for axis in order[1:]]
    return pixels.transpose(order)[tuple(steps)]


def spacing_in(stack: Stack, plane: str) -> tuple[float, float] | None:
    """Return the millimetres between rows and between columns of a stack's slices in a plane."""
    if stack.spacing is None:
        return None
    if stack.affine is None:
        return stack.spacing[1], stack.spacing[2]
    axes, _ = _orientation(stack.affine)
    shown = _SHOWN[plane if plane != "acquired" else _nearest(stack.affine)]
    order = [axes.index(direction) for direction, _ in shown]
    if plane == "acquired":
        order = [0, *(axis for axis in order if axis != 0)]
    return stack.spacing[order[1]], stack.spacing[order[2]]


def orientation(affine: NDArray[np.float64]) -> str:
    """Return the plane in which a stack was acquired, and ``oblique`` where it is tilted."""
    turned = np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    tilted = np.sort(turned, axis=0)[-1].min() < np.cos(np.deg2rad(5))
    return f"{_nearest(affine)}{', oblique' if tilted else ''}"


def _nearest(affine: NDArray[np.float64]) -> str:
    axes, _ = _orientation(affine)
    return ("sagittal", "coronal", "axial")[axes[0]]


def _orientation(affine: NDArray[np.float64]) -> tuple[list[int], list[int]]:
    """Return for each axis of a stack the direction that it follows most, and its sign."""
    from nibabel.orientations import io_orientation

    found = io_orientation(affine)
    return [int(axis) for axis in found[:, 0]], [int(sign) for sign in found[:, 1]]
