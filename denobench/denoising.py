"""Denoise files as people have them: NIfTI volumes, DICOM series, pictures, folders of these."""

from __future__ import annotations

import gzip
import io
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denobench import __version__, noise, readers
from denobench.datasets import listing
from denobench.errors import DenobenchError
from denobench.files import write_bytes
from denobench.progress import Progress
from denobench.readers import File

# Function of a noisy image, float32, (H, W), and its sigma; returns the answer in [0, 1].
Denoise = Callable[[NDArray[np.float32], float], NDArray[np.float32]]
_SAMPLE = 15  # slices that sigma is estimated in
_NIFTI = (".nii", ".nii.gz")


@dataclass(frozen=True)
class Written:
    """What was denoised: the file or folder, and the sigma that the method was told.

    Attributes
    ----------
    target
        Where the answer lies.
    sigma
        As a fraction of full scale, which is the volume's or series' highest value.
    estimated
        Whether it was estimated.
    """

    target: Path
    sigma: float
    estimated: bool


def takes(source: Path) -> bool:
    """Tell whether a path is a folder or a volume, and not a picture."""
    return source.is_dir() or readers.identify(File(source)) in ("neuro", "dicom")


def denoise_path(
    source: Path,
    target: Path,
    denoise: Denoise,
    *,
    about: str,
    sigma: float | None = None,
    progress: Progress,
) -> list[Written]:
    """Denoise a volume, a DICOM series or a folder of files into another.

    Slices are denoised as they are stored, all with one sigma, by all cores. NIfTI keeps affine,
    header, type and scaling. DICOM gets new UIDs and says that it is derived, and how; the rest of
    its header, the patient's data included, stays as DICOM asks.

    Parameters
    ----------
    source, target
        Two files, or two folders.
    denoise
        The method.
    about
        Its name and parameters, for the header.
    sigma
        Of the noise, as a fraction of the volume's highest value; estimated if left out.
    progress
        Told how many slices of how many are denoised.

    Raises
    ------
    DenobenchError
        If a file cannot be read or written, or the target is not of the source's kind.
    """
    if source.is_dir():
        if target.exists() and not target.is_dir():
            raise DenobenchError(f"{target}: IN is a folder, and OUT must be one, too.")
        found = listing.look(source).paths
        jobs = list(_jobs(found, source, target))
        if not jobs:
            raise DenobenchError(f"{source} holds no NIfTI volume and no DICOM image.")
    else:
        jobs = [(readers.identify(File(source)), [source], [target])]
    written = []
    for number, (reader, sources, targets) in enumerate(jobs):

        def step(done: float, total: float, text: str = "", number: int = number) -> None:
            progress(number + done / total, len(jobs), text)

        job = _nifti if reader == "neuro" else _dicom
        written.append(job(sources, targets, denoise, about, sigma, step))
    return written


def _jobs(
    paths: Sequence[Path], source: Path, target: Path
) -> Iterator[tuple[str, list[Path], list[Path]]]:
    """Yield what belongs together: a volume, or the files of one series."""
    series: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in paths:
        try:
            reader = readers.identify(File(path))
        except DenobenchError:
            continue
        if reader == "neuro" and path.name.endswith(_NIFTI):
            yield reader, [path], [target / path.relative_to(source)]
        elif reader == "dicom":
            group = readers.REGISTRY.load("dicom").about(File(path)).group
            series[path.parent, group or path.name].append(path)
    for files in series.values():
        yield "dicom", files, [target / path.relative_to(source) for path in files]


def _apply(
    stack: NDArray[np.float64], denoise: Denoise, sigma: float | None, progress: Progress
) -> tuple[NDArray[np.float64], float]:
    """Return a stack of slices denoised, in its own values, and the sigma that was told."""
    low, high = min(0.0, float(stack.min())), float(stack.max())
    span = high - low if high > low else 1.0
    scaled = ((stack - low) / span).astype(np.float32)
    told = sigma or _estimate(scaled)
    answer = np.empty_like(stack)

    def one(index: int) -> None:
        image = np.ascontiguousarray(scaled[index])
        # A slice without any structure, such as one of zeros, is left as it is.
        answer[index] = denoise(image, told) if np.ptp(image) > 0 else image

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(one, range(len(stack))), 1):
            progress(done, len(stack))
    return answer * span + low, told


def _estimate(scaled: NDArray[np.float32]) -> float:
    """Return the median of the sigmas of the slices that hold most."""
    energy = scaled.reshape(len(scaled), -1).mean(1)
    chosen = np.argsort(-energy)[: max(1, len(scaled) // 2)][::-1]
    step = -(-len(chosen) // _SAMPLE)
    estimate = noise.REGISTRY.load(noise.MEASURED).estimate
    found = [estimate(scaled[index]) for index in chosen[::step]]
    sigma = float(np.median([value for value in found if np.isfinite(value)] or [0.0]))
    if not 0 < sigma <= 1:
        raise DenobenchError("No noise can be estimated in the volume: give its --sigma.")
    return sigma


def _nifti(
    sources: Sequence[Path],
    targets: Sequence[Path],
    denoise: Denoise,
    about: str,  # noqa: ARG001  NIfTI's free text is short, and the user's own
    sigma: float | None,
    progress: Progress,
) -> Written:
    """Denoise a NIfTI volume; affine, header, type and scaling stay."""
    import nibabel

    (source,), (target,) = sources, targets
    if not target.name.endswith(_NIFTI):
        raise DenobenchError(f"{target}: a NIfTI volume becomes one; end its name in .nii.gz.")
    readers.read([File(source)], "neuro")  # says what is wrong with it
    image: Any = nibabel.load(source)
    values = np.asarray(image.dataobj, np.float64)
    if values.ndim < 2 or image.get_data_dtype().kind not in "iuf":
        raise DenobenchError(f"{source}: only volumes of real numbers are denoised.")
    values = np.where(np.isfinite(values), values, 0)
    # Slices by the third axis, of every volume.
    stack = np.moveaxis(values.reshape(*values.shape[:2], -1), -1, 0)
    answer, told = _apply(stack, denoise, sigma, progress)
    answer = np.moveaxis(answer, 0, -1).reshape(values.shape)
    header = image.header.copy()
    stored = image.get_data_dtype()
    if stored.kind in "iu":
        slope, intercept = image.dataobj.slope, image.dataobj.inter
        ends = np.iinfo(stored)
        raw = np.clip(np.rint((answer - intercept) / slope), ends.min, ends.max)
        # With slope and intercept set, nibabel writes what it is given.
        made = type(image)(raw.astype(stored), image.affine, header)
        made.set_data_dtype(stored)
        made.header.set_slope_inter(slope, intercept)
    else:
        made = type(image)(answer.astype(stored), image.affine, header)
        made.set_data_dtype(stored)
    content = made.to_bytes()
    _into(target, gzip.compress(content, 6) if target.suffix == ".gz" else content)
    return Written(target, told, sigma is None)


def _into(target: Path, content: bytes) -> None:
    """Write a file whole or not at all; folders are made."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(target, content)
    except OSError as error:
        raise DenobenchError(f"{target}: cannot be written ({error.strerror}).") from None


def _dicom(
    sources: Sequence[Path],
    targets: Sequence[Path],
    denoise: Denoise,
    about: str,
    sigma: float | None,
    progress: Progress,
) -> Written:
    """Denoise the files of one series into a new series."""
    import pydicom
    from pydicom.uid import generate_uid

    stacks = readers.read([File(path) for path in sources], "dicom")  # says what is wrong
    wrong = {sources[number]: why for stack in stacks for number, why in stack.left_out}
    kept = [pair for pair in zip(sources, targets, strict=True) if pair[0] not in wrong]
    found = [pydicom.dcmread(source, force=True) for source, _ in kept]
    stored = [np.asarray(each.pixel_array) for each in found]
    frames = [each.reshape(-1, *each.shape[-2:]) for each in stored]
    scalings = [
        (float(each.get("RescaleSlope", 1) or 1), float(each.get("RescaleIntercept", 0) or 0))
        for each in found
    ]
    values = [f * slope + offset for f, (slope, offset) in zip(frames, scalings, strict=True)]
    answer, told = _apply(np.concatenate(values).astype(np.float64), denoise, sigma, progress)
    series, start = generate_uid(), 0
    for each, part, pixels, (slope, offset), (_, target) in zip(
        found, frames, stored, scalings, kept, strict=True
    ):
        own = (answer[start : start + len(part)] - offset) / slope
        start += len(part)
        bits, signed = int(each.BitsStored), int(each.PixelRepresentation)
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        raw = np.clip(np.rint(own), low, high).astype(pixels.dtype).reshape(pixels.shape)
        _derive(each, raw, series, about, told)
        buffer = io.BytesIO()
        each.save_as(buffer, enforce_file_format=True)
        _into(target, buffer.getvalue())
    folder = kept[0][1] if len(kept) == 1 else kept[0][1].parent
    return Written(folder, told, sigma is None)


def _derive(found: Any, raw: NDArray, series: str, about: str, sigma: float) -> None:
    """Turn a data set into one derived from it, with other pixels."""
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    source = Dataset()
    source.ReferencedSOPClassUID = found.SOPClassUID
    source.ReferencedSOPInstanceUID = found.SOPInstanceUID
    found.SourceImageSequence = Items([source])
    kind = list(found.get("ImageType") or ["", ""])
    found.ImageType = ["DERIVED", "SECONDARY", *kind[2:]]
    told = f"Denoised by denobench {__version__}: {about}, sigma {sigma:.4g}"
    found.DerivationDescription = told[:1024]
    found.SeriesInstanceUID = series
    found.SOPInstanceUID = generate_uid()
    described = f"{found.get('SeriesDescription', '')} denoised".strip()
    found.SeriesDescription = described[-64:]
    if isinstance(found.get("SeriesNumber"), int | str) and str(found.SeriesNumber).isdigit():
        found.SeriesNumber = int(found.SeriesNumber) + 1000
    found.set_pixel_data(
        np.ascontiguousarray(raw),
        str(found.PhotometricInterpretation),
        int(found.BitsStored),
        generate_instance_uid=False,
    )
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    for name in ("SmallestImagePixelValue", "LargestImagePixelValue"):
        if name in found:
            del found[name]
