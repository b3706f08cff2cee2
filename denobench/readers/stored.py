"""What a DICOM file stores: its numbers, once its header says enough of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from denobench.readers.base import File

_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def check(file: File, found: Any) -> None:
    """Raise if a data set holds no grey pixels; add what its header leaves out of them."""
    kind = getattr(getattr(found.get("SOPClassUID"), "name", None), "strip", str)()
    if not any(name in found for name in _PIXELS):
        if "DirectoryRecordSequence" in found:
            kind = "a DICOMDIR, the index of other files"
        what = f" ({kind})" if kind and not kind[0].isdigit() else ""
        raise file.fault(f"a DICOM file without pixel data{what}")
    if not any(found.get(name) for name in _PIXELS):
        raise file.fault("a DICOM file whose pixel data are empty")
    needed = ("Rows", "Columns", "BitsAllocated")
    if lacking := [name for name in needed if name not in found]:
        raise file.fault(f"a DICOM file whose header lacks {', '.join(lacking)}")
    colour = str(found.get("PhotometricInterpretation", ""))
    if whole(found.get("SamplesPerPixel"), 1) > 1 or colour.startswith(("RGB", "YBR", "PALETTE")):
        raise file.fault("a DICOM image in colour, not of grey values")
    if "segmentation" in kind.lower():
        raise file.fault("a DICOM segmentation: labels, not an image")
    if "dose" in kind.lower():
        raise file.fault("a radiation dose, not an image")
    _complete(found)


def _complete(found: Any) -> None:
    """Add what old and broken headers leave out, where only one thing can be meant."""
    meant = {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelRepresentation": 0,
        "BitsStored": found.BitsAllocated,
    }
    for name, value in meant.items():
        if found.get(name) in (None, ""):
            setattr(found, name, value)
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


def stored_numbers(found: Any) -> NDArray:
    """Return the numbers that a file stores.

    Old scanners left the lowest bits unused, and not the highest, as is right since 2004.
    """
    bits = whole(found.get("BitsStored"), 16)
    unused = whole(found.get("HighBit"), bits - 1) + 1 - bits
    if unused <= 0 or found.file_meta.TransferSyntaxUID.is_compressed:
        return np.asarray(found.pixel_array)
    found.BitsStored = bits + unused
    pixels = np.asarray(found.pixel_array)
    found.BitsStored = bits
    if (pixels % 2**unused).any():  # the header is wrong, and they are used
        return np.asarray(found.pixel_array)
    return pixels >> unused


def padding(stored: NDArray, found: Any) -> NDArray[np.bool_]:
    """Return where whole numbers only fill the picture up to its shape, as the header says."""
    ends = [found.get(name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    if not isinstance(ends[0], int) or stored.dtype.kind not in "iu":
        return np.zeros(stored.shape, bool)
    bits = 8 * stored.dtype.itemsize
    # Headers give numbers with and without a sign, whichever the pixels have.
    first, last = (
        int(np.array(end % 2**bits, f"u{bits // 8}").astype(stored.dtype))
        for end in (ends[0], ends[1] if isinstance(ends[1], int) else ends[0])
    )
    return (stored >= min(first, last)) & (stored <= max(first, last))


def undecodable(found: Any, error: Exception) -> str:
    """Say why pixels cannot be decoded, without a word of the header but the syntax."""
    syntax = getattr(found.file_meta.TransferSyntaxUID, "name", "")
    text = str(error).lower()
    if "missing dependencies" in text or "does not support" in text:
        return (
            f"its pixels are compressed as {syntax}, for which no decoder is installed; "
            "pip install pylibjpeg-libjpeg (GPL) brings one"
        )
    if any(word in text for word in ("less than expected", "length", "truncat", "unexpected end")):
        return f"its pixels ({syntax}) are truncated"
    return f"its pixels ({syntax}) cannot be decoded ({type(error).__name__})"


def real(value: Any, otherwise: float) -> float:
    """Return an element's value as a number, or another where it is none or not finite."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return otherwise
    return found if np.isfinite(found) else otherwise


def whole(value: Any, otherwise: int) -> int:
    """Return an element's value as a whole number, or another where it is none or 0."""
    return int(real(value, otherwise)) or otherwise
