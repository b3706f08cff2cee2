"""One file, or files that belong together, looked at once: its images, their scale, their heads."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from denobench import readers
from denobench.datasets import clusters, volumes
from denobench.datasets.base import FileItem
from denobench.errors import DenobenchError
from denobench.files import digest_of
from denobench.readers import File, Stack
from denobench.scale import Scale, to_full_scale

EMPTY = 0.02  # of a slice's pixels above a tenth of full scale: fewer, and it is left out
_BIDS = re.compile(r"sub-[A-Za-z0-9+]+")
_PLACES = re.compile(r"sub-.*|ses-.*|anat|func|dwi|fmap|perf|derivatives|rawdata|sourcedata")


@dataclass(frozen=True)
class Reading:
    """How the files of a folder become images.

    Attributes
    ----------
    scale
        The rule for all of them; each format's own if left out. Pictures of 8 bits keep 255.
    plane
        One of `volumes.PLANES`.
    every
        Only every n-th slice of a volume that is not empty.
    empty
        Whether slices with next to nothing in them are kept, too.
    volumes
        Which of the volumes of a 4-D file or series, from 1; all if empty.
    subjects
        ``auto`` (BIDS's ``sub-*``, DICOM's PatientID), ``none``, or which folder of a file's path
        is the subject, from 1.
    whole
        Whether all slices of volumes are kept, to be stacked again.
    """

    scale: Scale | None = None
    plane: str = "acquired"
    every: int = 1
    empty: bool = False
    volumes: tuple[int, ...] = (1,)
    subjects: str | int = "auto"
    whole: bool = False


# Told of every image that is kept, with its pixels in full scale and the stack that it comes from.
Look = Callable[[FileItem, NDArray[np.float32], Stack], None]


@dataclass(frozen=True)
class Seen:
    """A file whose format is known, before its pixels are read.

    Attributes
    ----------
    file, reader
        What is read by which reader.
    name
        Of the file below the data's folder, as it is shown.
    group
        What it belongs to, or empty.
    subject
        What tells the person, or empty: never written.
    """

    file: File
    reader: str
    name: str
    group: str
    subject: str


@dataclass(frozen=True)
class Survey:
    """What is kept of files that belong together, once they were read.

    Attributes
    ----------
    seen
        The files.
    items
        Their images; clusters are still to be named.
    heads
        What is compared to find near-duplicates, by the item's digest.
    subject
        What tells the person, or empty: never written.
    volume
        Whether the images are slices of one volume.
    empty, further
        Slices that were left out with next to nothing in them, and volumes that were not asked for.
    bits
        Of a 16-bit picture, how many its highest value needs; else 0.
    wrong
        Names of files that cannot be used, and why.
    """

    seen: tuple[Seen, ...]
    items: tuple[FileItem, ...] = ()
    heads: tuple[tuple[str, clusters.Head], ...] = ()
    subject: str = ""
    volume: bool = False
    empty: int = 0
    further: int = 0
    bits: int = 0
    wrong: tuple[tuple[str, str], ...] = ()


def survey(
    seen: Sequence[Seen], reading: Reading, *, compare: bool = True, look: Look | None = None
) -> Survey:
    """Read files that belong together.

    Parameters
    ----------
    seen
        The files of one series, a header and its values, or one file.
    reading
        How they become images.
    compare
        Whether heads are wanted.
    look
        Told of every image.
    """
    seen = tuple(seen)
    found = Survey(seen, subject=_subject(seen[0], reading))
    try:
        stacks = volumes.stacks([each.file for each in seen], seen[0].reader)
        chosen = [
            number
            for number, stack in enumerate(stacks)
            if not reading.volumes or stack.repeat in reading.volumes
        ]
        if not chosen:
            raise seen[0].file.fault(f"has {len(stacks)} volumes, and none of those asked for")
        for number in chosen:
            found = _with_stack(found, stacks, number, reading, compare=compare, look=look)
    except DenobenchError as error:
        why = str(error)
        for each in seen:
            why = why.removeprefix(f"{each.file.path}: ")
        return Survey(seen, wrong=tuple((each.name, why.removesuffix(".")) for each in seen))
    wrong = tuple((seen[n].name, why) for stack in stacks for n, why in stack.left_out)
    return replace(found, further=len(stacks) - len(chosen), wrong=wrong)


def _with_stack(
    found: Survey,
    stacks: Sequence[Stack],
    number: int,
    reading: Reading,
    *,
    compare: bool,
    look: Look | None,
) -> Survey:
    """Add the images of one stack to a survey."""
    stack, reader = stacks[number], found.seen[0].reader
    values = readers.load(stack, found.seen[0].file)
    low, high = (scale := _rule(stack, reading, reader)).limits(values, stack.full)
    plane = reading.plane if stack.shape[0] > 1 else "acquired"
    shown = volumes.slices(values, stack.affine, plane)
    first = replace(
        _first_item(found.seen, stacks, number, plane),
        low=low, high=high, scale=str(scale),
        clipped=float(np.mean((values < low) | (values > high))),
        spacing=_spacing(stack, plane, reader),
        shape=shown.shape[1:], volume=stack.volume,
    )  # fmt: skip
    kept = _kept(shown, low, high, reading) if stack.volume else [*range(len(shown))]
    chosen = kept[:: reading.every if stack.volume else 1]
    compared = _to_compare(chosen, stack) if compare and not found.subject else []
    used = [*range(len(shown))] if reading.whole else chosen
    parts = (replace(first, index=n, empty=n not in kept) for n in used)
    items = {part.index: _item(part, found.seen, stacks, len(shown)) for part in parts}
    heads = [
        (items[n].digest, clusters.head_of(to_full_scale(shown[n], low, high))) for n in compared
    ]
    for n, item in items.items() if look else ():
        look(item, to_full_scale(shown[n], low, high), stack)  # type: ignore[misc]
    return replace(
        found,
        items=(*found.items, *items.values()),
        heads=(*found.heads, *heads),
        volume=found.volume or stack.volume,
        empty=found.empty + (0 if reading.whole else len(shown) - len(kept)),
        bits=max(found.bits, _bits(stack, values, reader)),
    )


def _to_compare(used: Sequence[int], stack: Stack) -> Sequence[int]:
    """Return which images are compared with others: of a volume the middle one."""
    return used[len(used) // 2 :][:1] if stack.volume else used


def _bits(stack: Stack, values: np.ndarray, reader: str) -> int:
    """Return how many bits a picture of 16 uses; 0 for any other."""
    sixteen = stack.full == 65535 and reader == "pictures"
    return int(values.max()).bit_length() if sixteen else 0


def _rule(stack: Stack, reading: Reading, reader: str) -> Scale:
    """Return the rule for a stack: pictures of 8 bits keep theirs."""
    own = Scale.parse(stack.rule)
    if reading.scale is None or (reader == "pictures" and not stack.mode.startswith(("I", "F"))):
        return own
    return reading.scale


def _spacing(stack: Stack, plane: str, reader: str) -> tuple[float, float] | None:
    """Return the shape of pixels that resizing keeps; None for pictures, which are stretched."""
    if reader == "pictures":
        return None
    found = volumes.spacing_in(stack, plane)
    return (float(found[0]), float(found[1])) if found else (1.0, 1.0)


def _kept(shown: NDArray, low: float, high: float, reading: Reading) -> list[int]:
    """Return the slices that are not empty."""
    if reading.empty or len(shown) == 1:
        return list(range(len(shown)))
    bright = low + 0.1 * (high - low)
    return [index for index in range(len(shown)) if np.mean(shown[index] > bright) >= EMPTY]


def _first_item(seen: Sequence[Seen], stacks: Sequence[Stack], number: int, plane: str) -> FileItem:
    stack, name = stacks[number], seen[0].name
    return FileItem(
        id=name,
        label=_label(name, volume=stack.volume),
        cluster="",
        digest=seen[0].file.digest,
        files=tuple(each.file for each in seen),
        reader=seen[0].reader,
        stack=number,
        plane=plane,
        whole="#".join(filter(None, (name, "-".join(_place(stacks, stack, plane))))),
    )


def _place(stacks: Sequence[Stack], stack: Stack, plane: str) -> list[str]:
    """Return what tells a stack from others of its file: volume or array, and the plane."""
    # Of a 4-D file the volume, unless it is the first, which stands for the file.
    first = stack.repeat == 1 == sum(each.repeat == 1 for each in stacks)
    part = "" if first and stack.volume else stack.name
    return [*filter(None, (part, plane if stack.volume and plane != "acquired" else ""))]


def _item(first: FileItem, seen: Sequence[Seen], stacks: Sequence[Stack], count: int) -> FileItem:
    """Return the item of a slice or page, named and seeded by file and place."""
    stack, index = stacks[first.stack], first.index
    if stack.members and first.plane == "acquired":
        own = seen[stack.members[index]]
        return replace(first, id=own.name, digest=own.file.digest)
    if count == 1 and len(stacks) == 1:
        return first
    whole = first.digest if len(seen) == 1 else digest_of([each.file.digest for each in seen])
    place = [f"{index + 1:0{len(str(count))}d}"] if count > 1 else []
    return replace(
        first,
        id=f"{first.id}#{'-'.join([*_place(stacks, stack, first.plane), *place]) or '1'}",
        digest=":".join((whole, str(first.stack), first.plane, str(index))),
    )


def _label(name: str, *, volume: bool) -> str:
    """Return the label that the place of a file says; of a volume, without subject and session."""
    parts = PurePosixPath(name).parts[:-1]
    return "/".join(part for part in parts if not (volume and _PLACES.fullmatch(part)))


def _subject(seen: Seen, reading: Reading) -> str:
    """Return what tells the person in a file's place or header; empty if nothing does."""
    parts = PurePosixPath(seen.name).parts
    if isinstance(reading.subjects, int):
        if reading.subjects >= len(parts):
            raise DenobenchError(
                f"subjects: {reading.subjects}: {seen.name} lies in {len(parts) - 1} folders; "
                "give the number of the folder that is the subject, from 1."
            )
        return "/".join(parts[: reading.subjects])
    if reading.subjects == "none":
        return ""
    bids = _BIDS.match(parts[-1]) or next(filter(None, map(_BIDS.fullmatch, parts)), None)
    return bids.group() if bids else seen.subject
