"""The images of DICOM files in space: which make a volume, in which order, where it lies."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TURNED = 0.01  # by which directions of one stack may differ


@dataclass(frozen=True)
class Frame:
    """One image of a file: its values, and where it lies.

    Attributes
    ----------
    file, index
        Number of its file, and of the image in it.
    pixels
        (H, W), as the header means them.
    slope, intercept
        What makes values of stored numbers.
    flipped
        What stored numbers are subtracted from first, where more means darker; else None.
    position, directions
        Of the first pixel in millimetres; of a row and of a column, six numbers.
    location
        Where the scanner says that the slice lies along the stack, in millimetres.
    spacing, thickness
        Millimetres between rows and between columns; of the slice.
    order
        Where positions do not tell: echo, time, number.
    full, mode
        See `Stack`.
    """

    file: int
    index: int
    pixels: NDArray
    slope: float
    intercept: float
    flipped: int | None
    position: tuple[float, float, float] | None
    directions: tuple[float, ...] | None
    location: float | None
    spacing: tuple[float, float] | None
    thickness: float
    order: tuple[float, ...]
    full: float | None
    mode: str

    def stored(self, values: NDArray) -> NDArray:
        """Return the numbers that the header makes these values of."""
        numbers = (values - self.intercept) / self.slope
        return numbers if self.flipped is None else self.flipped - numbers


def without_copies(frames: Sequence[Frame]) -> tuple[list[Frame], list[tuple[int, str]]]:
    """Return frames without those that another file holds, too, and the files of these."""
    known: dict[tuple[object, ...], list[Frame]] = defaultdict(list)
    copies: dict[int, str] = {}
    for frame in frames:
        alike = known[frame.position, frame.directions, frame.location, frame.order]
        others = (other for other in alike if other.file != frame.file)
        if any(np.array_equal(other.pixels, frame.pixels) for other in others):
            copies[frame.file] = "a copy of another image of its series"
        else:
            alike.append(frame)
    return [frame for frame in frames if frame.file not in copies], list(copies.items())


def of_one_shape(frames: list[Frame]) -> tuple[list[Frame], list[tuple[int, str]]]:
    """Return the frames of the commonest shape, and the files of the others."""
    counts = Counter(frame.pixels.shape for frame in frames).most_common()
    shape = counts[0][0]
    odd = {
        frame.file: f"{'x'.join(map(str, frame.pixels.shape))} pixels, and the other images of "
        f"its series have {'x'.join(map(str, shape))} (a localiser?)"
        for frame in frames
        if frame.pixels.shape != shape
    }
    return [frame for frame in frames if frame.pixels.shape == shape], list(odd.items())


def oriented(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Return frames of one orientation together."""
    groups: list[list[Frame]] = []
    for frame in frames:
        known = (group for group in groups if _parallel(group[0], frame))
        group = next(known, None)
        if group is None:
            groups.append(group := [])
        group.append(frame)
    return groups


def _parallel(one: Frame, other: Frame) -> bool:
    if one.directions is None or other.directions is None:
        return one.directions is other.directions
    return bool(np.allclose(one.directions, other.directions, rtol=0, atol=_TURNED))


def _along(frame: Frame) -> float | None:
    """Return how far along the normal of its plane a frame lies, in millimetres."""
    if frame.position is None or frame.directions is None:
        return None
    normal = np.cross(frame.directions[:3], frame.directions[3:])
    return round(float(normal @ frame.position), 3)


def volumes(frames: list[Frame]) -> list[list[Frame]]:
    """Return frames sorted by position; the n-th ones of each position are the n-th volume.

    Where positions are missing, or one for all, the scanner's slice locations count; without any,
    the images are a stack in their own order.
    """
    frames = sorted(frames, key=lambda frame: (frame.order, frame.file))
    known = ([_along(frame) for frame in frames], [frame.location for frame in frames])
    told = [places for places in known if None not in places]
    places = next((places for places in told if len({*places}) > 1), None)
    if places is None:
        files = len({frame.file for frame in frames})
        if len(told) < len(known) or files < len(frames):
            return [frames]
        places = told[0]  # one slice, again and again
    by_place: dict[float, list[Frame]] = defaultdict(list)
    for frame, place in zip(frames, places, strict=True):
        by_place[place].append(frame)  # type: ignore[index]
    count = max(map(len, by_place.values()))
    return [
        [by_place[place][number] for place in sorted(by_place) if number < len(by_place[place])]
        for number in range(count)
    ]


def spacing_of(volume: Sequence[Frame]) -> tuple[float, float, float] | None:
    """Return millimetres between slices, rows and columns, or None where they are not known."""
    first = volume[0]
    if first.spacing is None:
        return None
    places = [_along(frame) for frame in volume]
    gaps = np.diff([place for place in places if place is not None])
    between = float(np.median(np.abs(gaps))) if len(gaps) else first.thickness
    return (between or first.thickness or 1.0, *first.spacing)


def affine_of(volume: Sequence[Frame]) -> NDArray[np.float64] | None:
    """Return the map from (slice, row, column) to millimetres right, anterior and superior."""
    first, spacing = volume[0], spacing_of(volume)
    if first.position is None or first.directions is None or spacing is None:
        return None
    along_row, along_column = np.array(first.directions[:3]), np.array(first.directions[3:])
    affine = np.eye(4)
    affine[:3, 0] = np.cross(along_row, along_column) * spacing[0]
    affine[:3, 1] = along_column * spacing[1]  # from one row to the next
    affine[:3, 2] = along_row * spacing[2]
    affine[:3, 3] = first.position
    affine[:2] *= -1  # DICOM counts to the left and to the back
    return affine if abs(np.linalg.det(affine)) > 1e-9 else None
