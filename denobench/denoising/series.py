"""Denoise a DICOM series into a new one, which says that it is derived, and how."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denobench import __version__
from denobench.denoising.applying import Applied, Told
from denobench.files import write_into
from denobench.progress import Progress
from denobench.readers import File, dicom
from denobench.readers.stored import padding


def denoise(
    sources: Sequence[Path], targets: Sequence[Path], applied: Applied, progress: Progress
) -> tuple[Told, list[tuple[Path, str]]]:
    """Denoise the files of one series; return what was told, and which files are left out.

    Every frame keeps the slope and the intercept of its header, and what pads it.

    Raises
    ------
    DenobenchError
        If there is no grey image among them, or the answer cannot be written.
    """
    from pydicom.uid import generate_uid

    files = [File(path) for path in sources]
    stacks, wrong, _ = dicom.frames_of(files)
    volumes = [volume for _, volume in stacks]
    answers, told = applied.on(
        [np.stack([frame.pixels for frame in volume]) for volume in volumes], progress
    )
    made: dict[int, dict[int, NDArray]] = defaultdict(dict)
    for volume, answer in zip(volumes, answers, strict=True):
        for frame, values in zip(volume, answer, strict=True):
            made[frame.file][frame.index] = frame.stored(values)
    series = generate_uid()
    for number, frames in sorted(made.items()):
        _write(files[number], targets[number], frames, (series, applied.name, told))
    return told, [(sources[number], why) for number, why in wrong]


def _write(
    file: File, target: Path, frames: dict[int, NDArray], about: tuple[str, str, Told]
) -> None:
    """Write a file's answer: the file with other pixels."""
    import pydicom

    found, stored = dicom.opened(file)
    if stored.dtype.kind not in "iu" or stored.dtype.itemsize > 2:
        raise file.fault(
            f"only whole numbers of 8 and 16 bits are written into DICOM, and these are "
            f"{stored.dtype.name}"
        )
    before = stored.reshape(-1, *stored.shape[-2:])
    raw = before.copy()
    bits, signed = int(found.BitsStored), int(found.PixelRepresentation)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    for index, values in frames.items():
        whole = np.clip(np.rint(values), low, high).astype(raw.dtype)
        raw[index] = np.where(padding(before[index], found), before[index], whole)
    _derive(found, raw.reshape(stored.shape), *about)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, found, enforce_file_format=True)
    write_into(target, buffer.getvalue())


def _derive(found: Any, raw: NDArray, series: str, about: str, told: Told) -> None:
    """Turn a data set into one derived from it, with other pixels."""
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    source = Dataset()
    source.ReferencedSOPClassUID = found.get("SOPClassUID", MRImageStorage)
    source.ReferencedSOPInstanceUID = found.get("SOPInstanceUID", generate_uid())
    found.SourceImageSequence = Items([source])
    found.SOPClassUID = source.ReferencedSOPClassUID
    kind = list(found.get("ImageType") or ["", ""])
    found.ImageType = ["DERIVED", "SECONDARY", *kind[2:]]
    sigma = "" if told.sigma is None else f", sigma {told.sigma:.4g}"
    done = f"Denoised by denobench {__version__}: {about}{sigma}"
    found.DerivationDescription = done[:1024]
    found.SeriesInstanceUID = series
    found.SOPInstanceUID = generate_uid()
    described = f"{found.get('SeriesDescription', '')} denoised".strip()
    found.SeriesDescription = described[-64:]
    if isinstance(found.get("SeriesNumber"), int | str) and str(found.SeriesNumber).isdigit():
        found.SeriesNumber = int(found.SeriesNumber) + 1000
    # First, since pydicom sets no pixels of big-endian files.
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.set_pixel_data(
        np.ascontiguousarray(raw, raw.dtype.newbyteorder("<")),
        str(found.PhotometricInterpretation),
        int(found.BitsStored),
        generate_instance_uid=False,
    )
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID
    for name in ("SmallestImagePixelValue", "LargestImagePixelValue"):
        if name in found:
            del found[name]
