"""DICOM: single images, series sorted by position, enhanced multi-frame files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denobench.errors import DenobenchError
from denobench.readers import mosaic
from denobench.readers.base import MR_SCALE, About, File, Reader, Stack, quietly
from denobench.readers.frames import (
    Frame,
    affine_of,
    of_one_shape,
    oriented,
    spacing_of,
    volumes,
    without_copies,
)
from denobench.readers.stored import check, padding, real, stored_numbers, undecodable, whole

_PERSONAL = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "AccessionNumber",
    "ReferringPhysicianName",
    "InstitutionName",
    "StudyDate",
    "StudyID",
)
_NOBODY = re.compile(r"|anon.*|none|unknown|n/?a|removed|deidentified|x+|0+", re.IGNORECASE)


def _matches(head: bytes, name: str) -> int:  # noqa: ARG001
    if head[128:132] == b"DICM":
        return 2
    # Without the preamble: the first element is of group 2 or 8, either byte order.
    if len(head) < 16 or head[:2] not in (b"\x02\x00", b"\x08\x00", b"\x00\x08"):
        return 0
    element = int.from_bytes(head[2:4], "little" if head[1] == 0 else "big")
    length = int.from_bytes(head[4:8], "little")
    explicit = head[4:6] in (b"UL", b"UI", b"CS", b"DA", b"LO", b"SH", b"OB", b"TM")
    return 2 if element < 0x2000 and (explicit or length < 256) else 0


def _open(file: File, *, pixels: bool) -> Any:
    """Return a file's data set.

    Errors of pydicom are not passed on: they may quote the header.
    """
    import pydicom

    content = io.BytesIO(file.content())
    try:
        with quietly("pydicom"):
            found = pydicom.dcmread(content, force=True, stop_before_pixels=not pixels)
            found.get("SOPClassUID")
    except DenobenchError:
        raise
    except Exception as error:
        raise file.fault(f"a DICOM file with a damaged header ({type(error).__name__})") from None
    if not len(found):
        raise file.fault("a DICOM file without any element: truncated?")
    return found


def _about(file: File) -> About:
    """Name the series that a file belongs to, unless it is one by itself, and the patient."""
    try:
        found = _open(file, pixels=False)
        with quietly("pydicom"):
            subject = _subject(found)
            several = whole(found.get("NumberOfFrames"), 1) > 1 or mosaic.count(found) > 1
            alone = several or "Rows" not in found
            return About("" if alone else str(found.get("SeriesInstanceUID") or ""), subject)
    except Exception:
        return About()  # its fault is named where it is read


def opened(file: File) -> tuple[Any, NDArray]:
    """Return the data set of a file that `frames_of` has read, and its numbers as stored."""
    found = _open(file, pixels=True)
    check(file, found)
    with quietly("pydicom"):
        return found, stored_numbers(found)


def read(files: Sequence[File]) -> list[Stack]:
    """Read the files of one series, or one file that stands alone.

    The header's slope and intercept are applied, per frame where it says so, and MONOCHROME1 is
    turned over. Slices are sorted by their position; several images of one position become
    several volumes, and other orientations stacks of their own.

    Raises
    ------
    DenobenchError
        If no file of the series holds a grey image.
    """
    stacks, wrong, identities = frames_of(files)
    single = len(files) == 1 and sum(len(volume) for _, volume in stacks) > 1
    width = len(str(len(stacks)))
    return [
        Stack(
            lambda volume=volume: np.stack([frame.pixels for frame in volume]),  # type: ignore[misc]
            (len(volume), *volume[0].pixels.shape),  # type: ignore[arg-type]
            "DICOM",
            volume[0].mode,
            full=volume[0].full,
            rule=MR_SCALE,
            volume=len(volume) > 1,
            spacing=spacing_of(volume),
            affine=affine_of(volume),
            name=f"{number:0{width}d}" if len(stacks) > 1 else "",
            repeat=repeat,
            members=() if single else tuple(frame.file for frame in volume),
            identities=identities,
            left_out=tuple(wrong) if number == 1 else (),
        )
        for number, (repeat, volume) in enumerate(stacks, 1)
    ]


def frames_of(
    files: Sequence[File],
) -> tuple[list[tuple[int, list[Frame]]], list[tuple[int, str]], bool]:
    """Return the images of the files of one series, sorted.

    Returns
    -------
    list of (int, list of Frame)
        Volumes, each with which of several of its orientation it is, from 1.
    list of (int, str)
        Numbers of the files that cannot be used, and why.
    bool
        Whether a header names a person.

    Raises
    ------
    DenobenchError
        If there is no image among them.
    """
    frames, wrong, identities = _all_frames(files)
    if not frames:
        raise files[0].fault(wrong[0][1])
    frames, copies = without_copies(frames)
    frames, odd = of_one_shape(frames)
    found = [each for group in oriented(frames) for each in enumerate(volumes(group), 1)]
    return found, [*wrong, *copies, *odd], identities


def _all_frames(files: Sequence[File]) -> tuple[list[Frame], list[tuple[int, str]], bool]:
    """Return the images of files, what is wrong with which, and whether any names a person."""
    frames: list[Frame] = []
    wrong: list[tuple[int, str]] = []
    identities = False
    for number, file in enumerate(files):
        try:
            found = _open(file, pixels=True)
            with quietly("pydicom"):
                identities = identities or any(_filled(found, name) for name in _PERSONAL)
                frames += _frames(file, number, found)
        except DenobenchError as error:
            wrong.append((number, str(error).removeprefix(f"{file.path}: ").rstrip(".")))
        except Exception as error:  # whose message may quote the header
            wrong.append((number, f"a DICOM file with a damaged header ({type(error).__name__})"))
    return frames, wrong, identities


def _filled(found: Any, name: str) -> bool:
    return bool(str(found.get(name) or "").strip())


def _subject(found: Any) -> str:
    """Return what tells the patient, or nothing where the file is anonymous."""
    known = [str(found.get(name) or "").strip() for name in ("IssuerOfPatientID", "PatientID")]
    if not _NOBODY.fullmatch(known[1]):
        return "|".join(known)
    named = [str(found.get(name) or "").strip() for name in ("PatientName", "PatientBirthDate")]
    return "" if _NOBODY.fullmatch(named[0].strip("^ ")) else "|".join(named)


def _frames(file: File, number: int, found: Any) -> list[Frame]:
    """Return the images of one file.

    Raises
    ------
    DenobenchError
        If it holds none, or none of grey values.
    """
    check(file, found)
    try:
        pixels = stored_numbers(found)
    except Exception as error:
        raise file.fault(undecodable(found, error)) from None
    count = whole(found.get("NumberOfFrames"), 1)
    pixels = pixels.reshape(count, *pixels.shape[-2:])
    shared = _first(found.get("SharedFunctionalGroupsSequence"))
    own = list(found.get("PerFrameFunctionalGroupsSequence") or [None] * count)
    if len(own) != count:
        raise file.fault(f"its header describes {len(own)} frames, and it holds {count}")
    frames = [
        _frame(number, index, pixels[index], found, shared, own[index]) for index in range(count)
    ]
    tiles = mosaic.count(found) if count == 1 else 1
    return frames if tiles == 1 else mosaic.split(frames[0], found, tiles)


def _frame(number: int, index: int, stored: NDArray, found: Any, shared: Any, own: Any) -> Frame:
    """Return one image, its values as the header means them."""

    def look(group: str, name: str) -> Any:
        """Return an attribute of a frame: its own, the shared one, or the file's."""
        for level in (own, shared):
            place = _first(level.get(group)) if level is not None else None
            if place is not None and place.get(name) is not None:
                return place.get(name)
        return found.get(name)

    bits = whole(found.get("BitsStored"), 16)
    signed = whole(found.get("PixelRepresentation"), 0)
    slope = real(look("PixelValueTransformationSequence", "RescaleSlope"), 1.0) or 1.0
    intercept = real(look("PixelValueTransformationSequence", "RescaleIntercept"), 0.0)
    integral = stored.dtype.kind in "ui"
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    flipped = low + high if integral and _is_negative(found) else None
    values = _meant(stored, padding(stored, found), slope, intercept, flipped)
    full = max(low * slope, high * slope) + intercept
    position = _numbers(look("PlanePositionSequence", "ImagePositionPatient"), 3)
    location = real(found.get("SliceLocation"), float("nan"))
    return Frame(
        number,
        index,
        values,
        slope,
        intercept,
        flipped,
        position,  # type: ignore[arg-type]
        _numbers(look("PlaneOrientationSequence", "ImageOrientationPatient"), 6),
        location if np.isfinite(location) else None,
        _gaps(look("PixelMeasuresSequence", "PixelSpacing")),
        real(look("PixelMeasuresSequence", "SliceThickness"), 0.0),
        (*_times(look, found), float(index)),
        full if integral and full > 0 else None,
        f"{'' if signed else 'u'}int{bits}" if integral else str(stored.dtype),
    )


def _meant(
    stored: NDArray, padded: NDArray, slope: float, intercept: float, flipped: int | None
) -> NDArray:
    """Return stored numbers as the header means them, what pads them as dark as the darkest."""
    if flipped is not None:  # brighter where there is more
        stored = flipped - stored.astype(np.int32)
    values = stored if (slope, intercept) == (1.0, 0.0) else stored * slope + intercept
    if padded.any():
        values = np.where(padded, 0 if padded.all() else values[~padded].min(), values)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        values = np.where(np.isfinite(values), values, 0)
    return values


def _times(look: Callable[[str, str], Any], found: Any) -> tuple[float, ...]:
    """Return what frames of one place are ordered by: echo, time, acquisition, instance."""
    return (
        real(look("MREchoSequence", "EffectiveEchoTime"), 0.0) or real(found.get("EchoTime"), 0.0),
        real(look("FrameContentSequence", "TemporalPositionIndex"), 0.0)
        or real(found.get("TemporalPositionIdentifier"), 0.0),
        real(found.get("AcquisitionNumber"), 0.0),
        real(found.get("InstanceNumber"), 0.0),
    )


def _is_negative(found: Any) -> bool:
    return str(found.get("PhotometricInterpretation")) == "MONOCHROME1"


def _first(sequence: Any) -> Any:
    return sequence[0] if sequence else None


def _numbers(values: Any, count: int) -> tuple[float, ...] | None:
    """Return so many numbers, or None where they are missing or none."""
    try:
        found = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        return None
    return found if len(found) == count and np.isfinite(found).all() else None


def _gaps(values: Any) -> tuple[float, float] | None:
    """Return millimetres between rows and columns, or None where they cannot be right."""
    found = _numbers(values, 2)
    return (found[0], found[1]) if found and min(found) > 0 else None


DICOM = Reader(
    "dicom",
    _matches,
    read,
    _about,
    packages=("pydicom", "python-gdcm", "pillow", "pylibjpeg-openjpeg"),
)
