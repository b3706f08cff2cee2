"""Arrays of numbers: NumPy's .npy and .npz, HDF5 as fastMRI has it, TIFF of unusual types."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from denobench.errors import DenobenchError
from denobench.readers.base import MR_SCALE, About, File, Reader, Stack

# What fastMRI's and similar files call the image, the best first.
_IMAGES = ("reconstruction_rss", "reconstruction_esc", "image", "images", "volume", "data")
_SMALLEST = 8  # rows and columns of what may be an image


def _matches_numpy(head: bytes, name: str) -> int:
    packed = head.startswith(b"PK\x03\x04") and (name.endswith(".npz") or b".npy" in head[:200])
    return 2 if head.startswith(b"\x93NUMPY") or packed else 0


def read_numpy(files: Sequence[File]) -> list[Stack]:
    """Read ``.npy`` or ``.npz``: (H, W), (D, H, W) or (volumes, D, H, W), each array a stack.

    Raises
    ------
    DenobenchError
        If it holds Python objects, or no array of these shapes.
    """
    (file,) = files
    try:
        found = np.load(io.BytesIO(file.content()), allow_pickle=False)
        arrays = {"": found} if isinstance(found, np.ndarray) else _numbers(found)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        why = (
            "holds Python objects" if "pickle" in str(error) else f"truncated or damaged ({error})"
        )
        raise file.fault(f"cannot be read as NumPy's arrays: {why}") from None
    return _stacks(file, arrays, "NPZ" if len(arrays) > 1 or "" not in arrays else "NPY")


def _numbers(archive: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Return the arrays of an archive; those of Python objects are left out beside others."""
    arrays, objects = {}, None
    for name in archive:
        try:
            arrays[name] = archive[name]
        except ValueError as error:
            if "pickle" not in str(error):
                raise
            objects = error
    if objects and not arrays:
        raise objects
    return arrays


def _matches_hdf5(head: bytes, name: str) -> int:  # noqa: ARG001
    return (
        2 if any(head[at:].startswith(b"\x89HDF\r\n\x1a\n") for at in (0, 512, 1024, 2048)) else 0
    )


def read_hdf5(files: Sequence[File]) -> list[Stack]:
    """Read HDF5: the reconstruction of a fastMRI file, else every array that may hold images.

    Raises
    ------
    DenobenchError
        If it holds raw k-space alone, or no array that may hold images.
    """
    import h5py

    (file,) = files
    content = file.content()
    with h5py.File(io.BytesIO(content), "r") as opened:
        if "minc-2.0" in opened:
            from denobench.readers import neuro

            return neuro.read_content(file, content)
        held: dict[str, NDArray] = {}

        def look(name: str, node: object) -> None:
            if isinstance(node, h5py.Dataset):
                held[name] = node

        opened.visititems(look)
        found = {n: each for n, each in held.items() if _may_be_images(each.shape, each.dtype)}
        best = [name for name in _IMAGES if name in found]
        names = best[:1] or [name for name in found if name != "mask"]
        if not names and "kspace" in opened:
            raise file.fault("holds raw k-space and no reconstruction of it")
        if not names:
            raise _no_images(file, held)
        named = "patient_id" in opened.attrs
        arrays = {"" if len(names) == 1 else name: found[name][()] for name in names}
    return _stacks(file, arrays, "HDF5", identities=named)


def _about_hdf5(file: File) -> About:
    import h5py

    try:
        with h5py.File(io.BytesIO(file.content()), "r") as opened:
            return About(subject=str(opened.attrs.get("patient_id", "")))
    except Exception:
        return About()  # its fault is named where it is read


def read_tiff(file: File, content: bytes) -> list[Stack]:
    """Read a TIFF of a type that Pillow does not know, such as 64-bit floats."""
    import tifffile

    try:
        pixels = tifffile.imread(io.BytesIO(content))
    except Exception as error:
        raise file.fault(f"cannot be read as an image ({error})") from None
    return _stacks(file, {"": np.asarray(pixels)}, "TIFF")


def _may_be_images(shape: tuple[int, ...], dtype: np.dtype) -> bool:
    sizes = 2 <= len(shape) <= 4 and min(shape[-2:]) >= _SMALLEST
    return sizes and dtype.kind in "buif" and 0 not in shape


def _stacks(
    file: File, arrays: Mapping[str, NDArray], format_: str, *, identities: bool = False
) -> list[Stack]:
    found = [
        stack
        for name, array in arrays.items()
        if _may_be_images(array.shape, array.dtype)
        for stack in _of_array(array, name, format_, identities)
    ]
    if not found:
        raise _no_images(file, arrays)
    return found


def _no_images(file: File, arrays: Mapping[str, NDArray]) -> DenobenchError:
    """Return the error of a file whose arrays are something else."""
    shown = (
        " ".join(filter(None, (name, f"{each.dtype} {each.shape}")))
        for name, each in arrays.items()
    )
    held = ", ".join(shown) or "nothing"
    return file.fault(
        f"holds no array that may be images, but {held[:200]}; real numbers of two to four "
        f"dimensions, the last two at least {_SMALLEST} pixels, are right"
    )


def _of_array(array: NDArray, name: str, format_: str, identities: bool) -> Iterator[Stack]:
    """Yield the stacks of one array: one, or one for each volume of a 4-D array."""
    volumes = array if array.ndim == 4 else array.reshape(1, -1, *array.shape[-2:])
    full = _full(array)
    for number, pixels in enumerate(volumes, 1):
        parts = [name, f"{number:0{len(str(len(volumes)))}d}" if len(volumes) > 1 else ""]
        yield Stack(
            partial(_whole, pixels),
            pixels.shape,
            format_,
            str(array.dtype),
            full=full,
            rule="type" if (full and array.dtype.kind in "bf") or full == 255 else MR_SCALE,
            volume=len(pixels) > 1,
            name=".".join(filter(None, parts)),
            repeat=number,
            identities=identities,
        )


def _whole(pixels: NDArray) -> NDArray:
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        return np.where(np.isfinite(pixels), pixels, 0)  # what lies outside a mask
    return pixels.astype(np.uint8) if pixels.dtype == bool else pixels


def _full(array: NDArray) -> float | None:
    """Return an array's full scale: its type's, 1.0 for floats in [0, 1], None for others."""
    if array.dtype == bool:
        return 1.0
    if array.dtype.kind in "ui":
        return float(np.iinfo(array.dtype).max)
    known = array[np.isfinite(array)]
    return 1.0 if known.size and known.min() >= 0 and known.max() <= 1 else None


NUMPY = Reader("numpy", _matches_numpy, read_numpy, packages=("numpy",))
HDF5 = Reader("hdf5", _matches_hdf5, read_hdf5, _about_hdf5, ("h5py", "nibabel"))
