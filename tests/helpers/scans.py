"""DICOM files that no package carries, built by hand."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid


def values() -> np.ndarray:
    """Return a slice, (24, 20), of whole numbers that are multiples of four."""
    y, x = np.mgrid[:24, :20]
    return (400 + 4 * np.round(50 * np.sin(x / 3) * np.cos(y / 4))).astype(int)


def enhanced_mr(slopes: Sequence[float], gap: float = 3.0) -> Dataset:
    """Return an enhanced MR file: one slice, `values`, again and again, each with its own slope.

    The frames are stored from the last to the first position.
    """
    made = Dataset()
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = pydicom.uid.EnhancedMRImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid()
    made.SeriesInstanceUID, made.StudyInstanceUID = generate_uid(), generate_uid()
    made.Modality, made.PatientID, made.PatientName = "MR", "planted-7", "Planted^Person"
    made.Rows, made.Columns, made.NumberOfFrames = 24, 20, len(slopes)
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    shared = Dataset()
    shared.PlaneOrientationSequence = [_with(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]
    shared.PixelMeasuresSequence = [_with(PixelSpacing=[1.5, 1.0], SliceThickness=gap)]
    made.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for number, slope in enumerate(slopes):
        frame = Dataset()
        place = [0, 0, gap * (len(slopes) - number)]
        frame.PlanePositionSequence = [_with(ImagePositionPatient=place)]
        frame.PixelValueTransformationSequence = [
            _with(RescaleSlope=slope, RescaleIntercept=0, RescaleType="US")
        ]
        frames.append(frame)
    made.PerFrameFunctionalGroupsSequence = frames
    stored = np.stack([np.rint(values() / slope) for slope in slopes])
    made.PixelData = stored.astype("<u2").tobytes()
    return made


def _with(**elements: object) -> Dataset:
    found = Dataset()
    for name, value in elements.items():
        setattr(found, name, value)
    return found


# `small` as OpenJPH 0.21 writes it without loss: no package here writes HTJ2K.
HTJ2K = base64.b64decode(
    "/0//UQApQAAAAAAQAAAAEAAAAAAAAAAAAAAAEAAAABAAAAAAAAAAAAABjwEB/1AACAACAAAACv9SAAwAAgABAAUE"
    "BEAB/1wAEyCIkJCQkJCQkJCQkJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4zMS4wLv+QAAoAAAAAAMcAAf+TwAAl"
    "9ADHdAAAwAARwAASwAASgABjANUAh3QA8ADHdADAABUQAATQAATg7tiQ+gBClAD+qv5mswDW3FoAI5QAwAAV0AAF"
    "ZAABUoLIE/31eSBoAqSNQLYAADYSrCrkBIcDiNYAAFziQV+tSzYAwAAtuAAFswAArxTUjYBof4RX94fweiLoTe08"
    "cEN0dvdD6qRwAUDloEODMHQQ9gCQNJIDHyy3xasnHr4McAEYYAMF+vM5pZ2czdEJ3AD/2Q=="
)


def small() -> np.ndarray:
    """Return an image, (16, 16), with numbers of both signs."""
    y, x = np.mgrid[:16, :16]
    return np.round(60 * np.sin(x / 3) * np.cos(y / 4)).astype(np.int16)


def series(folder: Path, count: int = 5, patient: str = "P1", uid: str = "1.2.3") -> None:
    """Save a series whose names run against its positions."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        found = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
        found.SeriesInstanceUID, found.SOPInstanceUID = uid, f"{uid}.{number}"
        found.PatientID, found.PatientName = patient, f"Doe^{patient}"
        found.ImagePositionPatient = [0, 0, 4.0 * number]
        found.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        found.InstanceNumber = 99
        found.set_pixel_data(np.roll(found.pixel_array, number * 3, axis=0), "MONOCHROME2", 16)
        found.save_as(folder / f"im{count - number}.dcm")
