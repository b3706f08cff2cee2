"""DICOM: single images, series sorted by position, enhanced multi-frame files."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denobench.errors import DenobenchError
from denobench.readers.base import MR_SCALE, About, File, Reader, Stack

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


@dataclass(frozen=True)
class _Frame:
    """One image of a file: its values, and where it lies."""

    number: int  # of its file
    pixels: NDArray
    position: tuple[float, float, float] | None
    directions: tuple[float, ...] | None  # of a row and of a column, six numbers
    spacing: tuple[float, float] | None  # between rows, between columns
    thickness: float
    order: tuple[float, ...]  # where positions do not tell: echo, time, number
    full: float | None
    mode: str


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


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep pydicom's remarks, which quote headers, out of every log."""
    logger = logging.getLogger("pydicom")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _open(file: File, *, pixels: bool) -> Any:
    """Return a file's data set.

    Errors of pydicom are not passed on: they may quote the header.
    """
    import pydicom

    content = io.BytesIO(file.content())
    try:
        with _quietly():
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
        with _quietly():
            subject = _subject(found)
            alone = _whole(found.get("NumberOfFrames"), 1) > 1 or "Rows" not in found
            return About("" if alone else str(found.get("SeriesInstanceUID") or ""), subject)
    except Exception:
        return About()  # its fault is named where it is read


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
    frames, wrong, identities = _all_frames(files)
    if not frames:
        raise files[0].fault(wrong[0][1])
    frames, odd = _of_one_shape(frames)
    single = len(files) == 1 and len(frames) > 1
    stacks = [
        (repeat, volume)
        for group in _oriented(frames)
        for repeat, volume in enumerate(_volumes(group), 1)
    ]
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
            spacing=_spacing(volume),
            affine=_affine(volume),
            name=f"{number:0{width}d}" if len(stacks) > 1 else "",
            repeat=repeat,
            members=() if single else tuple(frame.number for frame in volume),
            identities=identities,
            left_out=(*wrong, *odd) if number == 1 else (),
        )
        for number, (repeat, volume) in enumerate(stacks, 1)
    ]


def _all_frames(files: Sequence[File]) -> tuple[list[_Frame], list[tuple[int, str]], bool]:
    """Return the images of files, what is wrong with which, and whether any names a person."""
    frames: list[_Frame] = []
    wrong: list[tuple[int, str]] = []
    identities = False
    for number, file in enumerate(files):
        try:
            found = _open(file, pixels=True)
            with _quietly():
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


def _frames(file: File, number: int, found: Any) -> list[_Frame]:
    """Return the images of one file.

    Raises
    ------
    DenobenchError
        If it holds none, or none of grey values.
    """
    _check(file, found)
    try:
        pixels = np.asarray(found.pixel_array)
    except Exception as error:
        raise file.fault(_undecodable(found, error)) from None
    count = _whole(found.get("NumberOfFrames"), 1)
    pixels = pixels.reshape(count, *pixels.shape[-2:])
    shared = _first(found.get("SharedFunctionalGroupsSequence"))
    own = list(found.get("PerFrameFunctionalGroupsSequence") or [None] * count)
    if len(own) != count:
        raise file.fault(f"its header describes {len(own)} frames, and it holds {count}")
    return [
        _frame(number, index, pixels[index], found, shared, own[index]) for index in range(count)
    ]


def _check(file: File, found: Any) -> None:
    """Raise if a data set holds no grey pixels."""
    kind = getattr(getattr(found.get("SOPClassUID"), "name", None), "strip", str)()
    if not any(name in found for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        if "DirectoryRecordSequence" in found:
            kind = "a DICOMDIR, the index of other files"
        what = f" ({kind})" if kind and not kind[0].isdigit() else ""
        raise file.fault(f"a DICOM file without pixel data{what}")
    colour = str(found.get("PhotometricInterpretation", ""))
    if _whole(found.get("SamplesPerPixel"), 1) > 1 or colour.startswith(("RGB", "YBR", "PALETTE")):
        raise file.fault("a DICOM image in colour, not of grey values")
    if "segmentation" in kind.lower():
        raise file.fault("a DICOM segmentation: labels, not an image")
    if "dose" in kind.lower():
        raise file.fault("a radiation dose, not an image")
    if "TransferSyntaxUID" not in getattr(found, "file_meta", {}):
        import pydicom

        # Without its file's header: implicit little endian is what the standard falls back to.
        if not hasattr(found, "file_meta"):
            found.file_meta = pydicom.dataset.FileMetaDataset()
        implicit, little = found.original_encoding
        found.file_meta.TransferSyntaxUID = (
            pydicom.uid.ImplicitVRLittleEndian
            if implicit
            else pydicom.uid.ExplicitVRLittleEndian
            if little is not False
            else pydicom.uid.ExplicitVRBigEndian
        )


def _undecodable(found: Any, error: Exception) -> str:
    """Say why pixels cannot be decoded, without a word of the header but the syntax."""
    syntax = getattr(found.file_meta.TransferSyntaxUID, "name", "")
    text = str(error).lower()
    if "missing dependencies" in text or "does not support" in text:
        return (
            f"its pixels are compressed as {syntax}, for which no decoder is installed; "
            "pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg brings one"
        )
    if any(word in text for word in ("less than expected", "length", "truncat", "unexpected end")):
        return f"its pixels ({syntax}) are truncated"
    return f"its pixels ({syntax}) cannot be decoded ({type(error).__name__})"


def _frame(number: int, index: int, stored: NDArray, found: Any, shared: Any, own: Any) -> _Frame:
    """Return one image, its values as the header means them."""

    def look(group: str, name: str) -> Any:
        """Return an attribute of a frame: its own, the shared one, or the file's."""
        for level in (own, shared):
            place = _first(level.get(group)) if level is not None else None
            if place is not None and place.get(name) is not None:
                return place.get(name)
        return found.get(name)

    bits = _whole(found.get("BitsStored"), 16)
    signed = _whole(found.get("PixelRepresentation"), 0)
    slope = _number(look("PixelValueTransformationSequence", "RescaleSlope"), 1.0) or 1.0
    intercept = _number(look("PixelValueTransformationSequence", "RescaleIntercept"), 0.0)
    integral = stored.dtype.kind in "ui"
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if integral:
        stored = _upright(stored, found, low + high)
    values = stored if (slope, intercept) == (1.0, 0.0) else stored * slope + intercept
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        values = np.where(np.isfinite(values), values, 0)
    position = _numbers(look("PlanePositionSequence", "ImagePositionPatient"), 3)
    order = (
        _number(look("MREchoSequence", "EffectiveEchoTime"), 0.0)
        or _number(found.get("EchoTime"), 0.0),
        _number(look("FrameContentSequence", "TemporalPositionIndex"), 0.0)
        or _number(found.get("TemporalPositionIdentifier"), 0.0),
        _number(found.get("AcquisitionNumber"), 0.0),
        _number(found.get("InstanceNumber"), 0.0),
        float(index),
    )
    return _Frame(
        number,
        values,
        position,  # type: ignore[arg-type]
        _numbers(look("PlaneOrientationSequence", "ImageOrientationPatient"), 6),
        _numbers(look("PixelMeasuresSequence", "PixelSpacing"), 2),  # type: ignore[arg-type]
        _number(look("PixelMeasuresSequence", "SliceThickness"), 0.0),
        order,
        high * slope + intercept if integral and high * slope + intercept > 0 else None,
        f"{'' if signed else 'u'}int{bits}" if integral else str(stored.dtype),
    )


def _upright(stored: NDArray, found: Any, ends: int) -> NDArray:
    """Return whole numbers without what pads them, brighter where there is more."""
    padding = found.get("PixelPaddingValue")
    if isinstance(padding, int) and (stored == padding).any():
        rest = stored[stored != padding]
        stored = np.where(stored == padding, rest.min() if rest.size else 0, stored)
    if str(found.get("PhotometricInterpretation")) == "MONOCHROME1":
        stored = ends - stored.astype(np.int32)
    return stored


def _first(sequence: Any) -> Any:
    return sequence[0] if sequence else None


def _number(value: Any, otherwise: float) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return otherwise
    return found if np.isfinite(found) else otherwise


def _whole(value: Any, otherwise: int) -> int:
    return int(_number(value, otherwise)) or otherwise


def _numbers(values: Any, count: int) -> tuple[float, ...] | None:
    """Return so many numbers, or None where they are missing or none."""
    try:
        found = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        return None
    return found if len(found) == count and np.isfinite(found).all() else None


def _of_one_shape(frames: list[_Frame]) -> tuple[list[_Frame], list[tuple[int, str]]]:
    """Return the frames of the commonest shape, and the files of the others."""
    counts = Counter(frame.pixels.shape for frame in frames).most_common()
    shape = counts[0][0]
    odd = {
        frame.number: f"{'x'.join(map(str, frame.pixels.shape))} pixels, and the other images of "
        f"its series have {'x'.join(map(str, shape))} (a localiser?)"
        for frame in frames
        if frame.pixels.shape != shape
    }
    return [frame for frame in frames if frame.pixels.shape == shape], list(odd.items())


def _oriented(frames: Sequence[_Frame]) -> list[list[_Frame]]:
    """Return frames of one orientation together."""
    groups: dict[Any, list[_Frame]] = defaultdict(list)
    for frame in frames:
        groups[frame.directions and tuple(np.round(frame.directions, 2) + 0.0)].append(frame)
    return list(groups.values())


def _along(frame: _Frame) -> float | None:
    """Return how far along the normal of its plane a frame lies, in millimetres."""
    if frame.position is None or frame.directions is None:
        return None
    normal = np.cross(frame.directions[:3], frame.directions[3:])
    return round(float(normal @ frame.position), 3)


def _volumes(frames: list[_Frame]) -> list[list[_Frame]]:
    """Return frames sorted by position; the n-th ones of each position are the n-th volume."""
    frames = sorted(frames, key=lambda frame: (frame.order, frame.number))
    places = [_along(frame) for frame in frames]
    if None in places or len({*places}) == 1:
        return [frames]
    by_place: dict[float, list[_Frame]] = defaultdict(list)
    for frame, place in zip(frames, places, strict=True):
        by_place[place].append(frame)  # type: ignore[index]
    count = max(map(len, by_place.values()))
    return [
        [by_place[place][number] for place in sorted(by_place) if number < len(by_place[place])]
        for number in range(count)
    ]


def _spacing(volume: Sequence[_Frame]) -> tuple[float, float, float] | None:
    first = volume[0]
    if first.spacing is None:
        return None
    places = [_along(frame) for frame in volume]
    gaps = np.diff([place for place in places if place is not None])
    between = float(np.median(np.abs(gaps))) if len(gaps) else first.thickness
    return (between or first.thickness or 1.0, *first.spacing)


def _affine(volume: Sequence[_Frame]) -> NDArray[np.float64] | None:
    """Return the map from (slice, row, column) to millimetres right, anterior and superior."""
    first, spacing = volume[0], _spacing(volume)
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


DICOM = Reader("dicom", _matches, read, _about, packages=("pydicom", "python-gdcm", "pillow"))
