"""Denoise a volume as neuroimaging has it: affine, header, type and scaling stay."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denobench.denoising.applying import Applied, Told
from denobench.errors import DenobenchError
from denobench.files import write_into
from denobench.progress import Progress
from denobench.readers import File, decoding, neuro

_NIFTI = (".nii", ".nii.gz")
_MGH = (".mgh", ".mgz")
SUFFIXES = (*_NIFTI, *_MGH)


def target_of(name: str) -> str:
    """Return what the answer to a volume's file is called in a folder of answers."""
    if name.lower().endswith(SUFFIXES):
        return name
    plain = name.removesuffix(".gz").removesuffix(".bz2")
    return f"{plain.rpartition('.')[0] or plain}.nii.gz"


def denoise(sources: Sequence[Path], target: Path, applied: Applied, progress: Progress) -> Told:
    """Denoise a volume, all the volumes of a 4-D file with one sigma.

    NIfTI stays NIfTI and MGH stays MGH where the target's name says so; else it becomes NIfTI.

    Raises
    ------
    DenobenchError
        If it cannot be read or written, or the target is not named as a volume.
    """
    name = target.name.lower()
    files = [File(path) for path in sources]
    neuro.read(files)  # says what is wrong with it
    image = neuro.opened(files)
    stored = np.dtype(image.get_data_dtype())
    if stored.kind not in "iuf":
        raise files[0].fault("only volumes of real numbers are denoised")
    if not name.endswith(_NIFTI) and not (name.endswith(_MGH) and _is_mgh(image)):
        right = ".mgz or .nii.gz" if _is_mgh(image) else ".nii.gz"
        raise DenobenchError(f"{target}: a volume becomes one; end its name in {right}.")
    with decoding(files[0]):
        values = np.asarray(image.dataobj)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        values = np.where(np.isfinite(values), values, 0)
    # Slices by the third axis, of every volume; in the order of memory, whatever the further axes.
    flat = values.reshape(*values.shape[:2], -1, order="F")
    depth = values.shape[2] if values.ndim > 2 else 1
    volumes = np.moveaxis(flat, -1, 0).reshape(-1, depth, *values.shape[:2])
    answers, told = applied.on([*volumes], progress)
    made = np.moveaxis(np.concatenate(answers), 0, -1).reshape(values.shape, order="F")
    content = _made(image, made, stored, mgh=name.endswith(_MGH))
    if name.endswith((".gz", ".mgz")):
        content = gzip.compress(content, 1, mtime=0)
    write_into(target, content)
    return told


def _is_mgh(image: Any) -> bool:
    return type(image).__name__ == "MGHImage"


def _made(image: Any, answer: NDArray[np.float64], stored: np.dtype, *, mgh: bool) -> bytes:
    """Return the file of an image with other values."""
    import nibabel

    kind = type(image).__name__
    if mgh:
        return nibabel.MGHImage(_rounded(answer, stored), image.affine, image.header).to_bytes()
    slope, intercept = _scaling(image)
    two = kind.startswith("Nifti2")
    nifti = nibabel.Nifti2Image if two else nibabel.Nifti1Image
    header = image.header.copy() if kind.startswith("Nifti") else None
    if stored.kind == "f" or slope is None:
        raw: NDArray = answer.astype(stored if stored.kind == "f" else np.float32)
        made = nifti(raw, image.affine, header)
        made.set_data_dtype(raw.dtype)
        return made.to_bytes()
    made = nifti(_rounded((answer - intercept) / slope, stored), image.affine, header)
    made.set_data_dtype(stored)
    # With slope and intercept set, nibabel writes what it is given.
    made.header.set_slope_inter(slope, intercept)
    return made.to_bytes()


def _scaling(image: Any) -> tuple[float | None, float]:
    """Return slope and intercept, or None where they differ from slice to slice."""
    slope, intercept = (getattr(image.dataobj, name, d) for name, d in (("slope", 1), ("inter", 0)))
    if np.size(slope) != 1 or np.size(intercept) != 1:
        return None, 0.0
    return float(np.ravel(slope)[0]), float(np.ravel(intercept)[0])


def _rounded(values: NDArray[np.float64], stored: np.dtype) -> NDArray:
    """Return values as their file stores them."""
    if stored.kind == "f":
        return values.astype(stored)
    ends = np.iinfo(stored)
    return np.clip(np.rint(values), ends.min, ends.max).astype(stored)
