"""Volumes as neuroimaging has them: NIfTI, MGH, MINC, Analyze, AFNI, PAR/REC, by nibabel."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denobench.readers.base import MR_SCALE, About, File, Reader, Stack, quietly

# Suffixes of one volume's header and values, where they are two files.
_HEADERS = {".hdr": ".img", ".head": ".brik", ".par": ".rec"}
_VALUES = {values: header for header, values in _HEADERS.items()}
_PERSONAL = ("descrip", "db_name", "aux_file")  # NIfTI's fields of free text


def _matches(head: bytes, name: str) -> int:
    sizes = [int.from_bytes(head[:4], order) for order in ("little", "big")]  # type: ignore[arg-type]
    if head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0"):
        return 2
    if 348 in sizes and len(head) >= 348:
        return 2 if name.endswith(".hdr") else 1
    suffix = _suffix(name)
    if suffix == ".head":
        return 2 if b"DATASET_RANK" in head or b"type  =" in head or b"type =" in head else 0
    if suffix == ".par":
        return 2 if b"DATA DESCRIPTION FILE" in head else 0
    if head.startswith((b"CDF\x01", b"CDF\x02")):
        return 2 if b"image" in head else 0
    if head.startswith(b"MATRIX7"):
        return 2
    if int.from_bytes(head[:4], "big") == 1 and name.endswith((".mgh", ".mgz")):
        return 2
    # Values without a header of their own: read with it, and named where it is missing.
    return 2 if suffix in _VALUES and name.endswith((".img", ".brik", ".rec", ".gz")) else 0


def _suffix(name: str) -> str:
    return Path(name.removesuffix(".gz")).suffix.lower()


def _about(file: File) -> About:
    """Name what a header and its values share; nothing for a volume in one file."""
    suffix = _suffix(file.path.name)
    if suffix not in _HEADERS and suffix not in _VALUES:
        return About()
    name = file.path.name.removesuffix(".gz")
    return About(f"{file.path.parent}/{name[: -len(suffix)]}{_VALUES.get(suffix, suffix)}")


def read(files: Sequence[File]) -> list[Stack]:
    """Read a volume, each of the volumes of a 4-D file being a stack.

    Raises
    ------
    DenobenchError
        If a header has no values or values have no header, the file is truncated, or it holds
        colours or no image.
    """
    return _stacks(files[0], opened(files))


def opened(files: Sequence[File]) -> Any:
    """Return the image that nibabel makes of a volume's files, its values still to be read.

    Raises
    ------
    DenobenchError
        As `read` does.
    """
    if len(files) == 1 and not _about(files[0]).group:
        content = files[0].content()
        return _opened(files[0], lambda: _single(content))
    by_suffix = {_suffix(file.path.name): file for file in files}
    header = next((by_suffix[suffix] for suffix in by_suffix if suffix in _HEADERS), None)
    values = next((by_suffix[suffix] for suffix in by_suffix if suffix in _VALUES), None)
    if header is None:
        raise files[0].fault(
            f"values whose header is missing; put the "
            f"{_VALUES[_suffix(files[0].path.name)]} file beside it"
        )
    if values is None:
        raise files[0].fault(
            f"a header without its values; put the {_HEADERS[_suffix(header.path.name)]} file "
            "beside it"
        )
    return _opened(header, lambda: _pair(header, values))


def read_content(file: File, content: bytes) -> list[Stack]:
    """Read a volume of one file from its unpacked bytes."""
    return _stacks(file, _opened(file, lambda: _single(content)))


def _opened(file: File, open_: Callable[[], Any]) -> Any:
    """Return what nibabel opens, with one error for whatever a header leads it to."""
    import nibabel

    try:
        with quietly("nibabel.global"):
            return open_()
    except nibabel.filebasedimages.ImageFileError as error:
        raise file.fault(f"cannot be read as a volume ({error})") from None
    except Exception as error:
        raise file.fault(f"its header is damaged ({error})") from None


def _single(content: bytes) -> Any:
    import nibabel

    sizes = [int.from_bytes(content[:4], order) for order in ("little", "big")]  # type: ignore[arg-type]
    if 540 in sizes:
        return nibabel.Nifti2Image.from_bytes(content)
    if 348 in sizes:
        return nibabel.Nifti1Image.from_bytes(content)
    opened = {"image": nibabel.FileHolder(fileobj=io.BytesIO(content))}
    if content.startswith(b"MATRIX7"):
        image = nibabel.ecat.EcatImage.from_file_map(opened | {"header": opened["image"]})
        values: Any = np.asarray(image.dataobj, np.float32)
        return nibabel.spatialimages.SpatialImage(values, image.affine)
    if content.startswith(b"CDF"):
        return nibabel.Minc1Image.from_file_map(opened)
    if content.startswith(b"\x89HDF"):
        # nibabel opens this one by its name alone.
        with tempfile.NamedTemporaryFile(suffix=".mnc") as file:
            file.write(content)
            file.flush()
            image = nibabel.Minc2Image.from_filename(file.name)
            array: Any = np.asarray(image.dataobj)
            return nibabel.Minc2Image(array, image.affine)
    return nibabel.MGHImage.from_bytes(content)


def _pair(header: File, values: File) -> Any:
    import nibabel
    from nibabel.brikhead import AFNIImage
    from nibabel.parrec import PARRECImage

    about, content = header.content(), values.content()
    if header.path.suffix.lower() == ".par":
        kind: Any = PARRECImage
        about = about.decode("utf-8", "replace").encode()
        opened: Any = {
            "header": nibabel.FileHolder(fileobj=io.StringIO(about.decode())),
            "image": nibabel.FileHolder(fileobj=io.BytesIO(content)),
        }
        return kind.from_file_map(opened, permit_truncated=False, scaling="dv")
    if header.path.suffix.upper() == ".HEAD":
        opened = {
            "header": nibabel.FileHolder(fileobj=io.StringIO(about.decode("latin-1"))),
            "image": nibabel.FileHolder(fileobj=io.BytesIO(content)),
        }
        return AFNIImage.from_file_map(opened)
    sizes = [int.from_bytes(about[:4], order) for order in ("little", "big")]  # type: ignore[arg-type]
    nifti = about[344:347] == b"ni1"
    kind = nibabel.Nifti2Pair if 540 in sizes else nibabel.Nifti1Pair
    if not nifti and 348 in sizes:
        kind = nibabel.Spm2AnalyzeImage
    opened = {
        "header": nibabel.FileHolder(fileobj=io.BytesIO(about)),
        "image": nibabel.FileHolder(fileobj=io.BytesIO(content)),
        "mat": nibabel.FileHolder(fileobj=io.BytesIO()),  # which SPM writes beside both
    }
    return kind.from_file_map(opened)


def _stacks(file: File, image: Any) -> list[Stack]:
    """Return a stack for each volume of an image that nibabel has opened."""
    kind = type(image).__name__
    stored = np.dtype(image.get_data_dtype())
    if stored.names:
        raise file.fault("colour (RGB), not grey values")
    intent = _intent(image)
    if kind.startswith("Cifti") or intent in _CIFTI:
        raise file.fault("CIFTI: values on a surface, not an image")
    slowest_first = kind.startswith("Minc")  # of all others the first axis is the fastest
    sizes, further = _axes(file, image, slowest_first)
    if intent in _SEVERAL and np.prod(further) > 1:
        raise file.fault(f"{_SEVERAL[intent]} in every voxel, not grey values")

    def load(number: int) -> NDArray:
        index = tuple(map(int, np.unravel_index(number, further))) if further else ()
        whole = (*index, ...) if slowest_first else (..., *index)
        chosen = np.asarray(image.dataobj[whole] if index else image.dataobj).reshape(sizes)
        if chosen.dtype.kind == "c":
            chosen = np.abs(chosen)
        if chosen.dtype.kind == "f" and not np.isfinite(chosen).all():
            chosen = np.where(np.isfinite(chosen), chosen, 0)  # what lies outside a mask
        return chosen if slowest_first else chosen.transpose(2, 1, 0)

    affine = _affine(image, slowest_first)
    count = int(np.prod(further))
    return [
        Stack(
            lambda number=number: load(number),  # type: ignore[misc]
            sizes if slowest_first else sizes[::-1],  # type: ignore[arg-type]
            _FORMATS.get(kind, kind.removesuffix("Image")),
            f"{stored.name}{', magnitude' if stored.kind == 'c' else ''}",
            full=_full(image, stored),
            rule=MR_SCALE,
            volume=True,
            spacing=None if affine is None else tuple(np.linalg.norm(affine[:3, :3], axis=0)),  # type: ignore[arg-type]
            affine=affine,
            name=f"{number + 1:0{len(str(count))}d}" if count > 1 else "",
            repeat=number + 1,
            identities=_identities(image.header),
        )
        for number in range(count)
    ]


def _axes(file: File, image: Any, slowest_first: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the lengths of an image's three axes in space, and of any further ones."""
    shape = tuple(int(size) for size in image.shape)
    further = shape[: max(len(shape) - 3, 0)] if slowest_first else shape[3:]
    sizes = shape[len(further) :] if slowest_first else shape[:3]
    sizes = (*sizes, 1) if len(sizes) == 2 else sizes
    if len(sizes) != 3 or 0 in shape or sorted(sizes)[1] < 2:
        raise file.fault(f"its shape {shape} is no image's or volume's")
    return sizes, further


def _affine(image: Any, slowest_first: bool) -> NDArray[np.float64] | None:
    """Return the map from (slice, row, column) to millimetres, or None if there is no sound one."""
    if image.affine is None:
        return None
    affine = np.asarray(image.affine, float)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < 1e-9:
        return None
    return affine if slowest_first else affine[:, [2, 1, 0, 3]]


def _full(image: Any, stored: np.dtype) -> float | None:
    """Return what the stored type calls full scale, in the values that the header makes of it."""
    if stored.kind not in "ui":
        return None
    slope, intercept = (getattr(image.dataobj, name, 0) for name in ("slope", "inter"))
    if np.size(slope) != 1 or np.size(intercept) != 1 or hasattr(image.dataobj, "scaling"):
        return None
    full = float(np.iinfo(stored).max) * float(np.ravel(slope)[0]) + float(np.ravel(intercept)[0])
    return full if full > 0 else None


def _intent(image: Any) -> int:
    """Return what a NIfTI header says that its values are, as a code; 0 where it does not."""
    try:
        return int(image.header["intent_code"])
    except (KeyError, ValueError, IndexError, TypeError):
        return 0


def _identities(header: Any) -> bool:
    """Return whether a header's free text holds anything; what, is looked at by nobody."""
    for name in _PERSONAL:
        try:
            if bytes(header[name].tobytes()).strip(b"\0 "):
                return True
        except (KeyError, ValueError, IndexError, TypeError, AttributeError):
            continue
    return bool(getattr(header, "extensions", ()))


# NIfTI's codes of intent for what is no image.
_CIFTI = range(3000, 3100)
_SEVERAL = {
    1004: "a matrix", 1005: "a matrix", 1006: "a displacement", 1007: "a vector", 1008: "a point",
    1009: "a triangle", 1010: "a quaternion", 2003: "a colour", 2004: "a colour",
}  # fmt: skip
_FORMATS = {
    "Nifti1Image": "NIfTI-1",
    "Nifti1Pair": "NIfTI-1",
    "Nifti2Image": "NIfTI-2",
    "Nifti2Pair": "NIfTI-2",
    "Spm2AnalyzeImage": "Analyze",
    "MGHImage": "MGH",
    "Minc1Image": "MINC",
    "Minc2Image": "MINC",
    "AFNIImage": "AFNI",
    "PARRECImage": "PAR/REC",
    "SpatialImage": "ECAT",
}

NEURO = Reader("neuro", _matches, read, _about, packages=("nibabel",))
