"""Images in files that other programs read and write."""

from __future__ import annotations

from pathlib import Path

import numpy as np

# What full scale is in a file of each format; PNG has 16 bits, all others are floating point.
SCALES = {"nii": 1.0, "npy": 1.0, "tif": 1.0, "png": 65535.0}
FORMATS = tuple(SCALES)


def write(path: Path, image: np.ndarray) -> None:
    """Write an image, (H, W), full scale 1.0; PNG cuts off what is below black or above white."""
    image = np.ascontiguousarray(image, np.float32)
    if path.suffix == ".npy":
        np.save(path, image, allow_pickle=False)
    elif path.suffix == ".nii":
        import nibabel

        nibabel.save(nibabel.Nifti1Image(image, np.eye(4)), path)
    elif path.suffix == ".tif":
        from PIL import Image

        Image.fromarray(image).save(path)
    else:
        from PIL import Image

        Image.fromarray(np.rint(np.clip(image, 0, 1) * SCALES["png"]).astype(np.uint16)).save(path)


def read(path: Path) -> np.ndarray:
    """Return an image as floating point, (H, W), full scale 1.0.

    Raises
    ------
    ValueError
        If the file is none, or not of the format that its name says.
    """
    try:
        found = _read(path)
    except Exception as error:
        raise ValueError(f"what it wrote is no {path.suffix[1:]} file: {error}") from error
    if found.ndim > 2:  # a slice of a volume, or one grey value three times
        found = (
            found.mean(-1) if found.shape[-1] == 3 and path.suffix != ".nii" else found.squeeze()
        )
    return found


def _read(path: Path) -> np.ndarray:
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    if path.suffix == ".nii":
        import nibabel

        return np.asarray(nibabel.load(path).dataobj, np.float32)  # type: ignore[attr-defined]
    from PIL import Image

    with Image.open(path) as file:
        found = np.asarray(file)
    if found.dtype.kind in "ui":
        return found.astype(np.float32) / (255 if found.dtype == np.uint8 else SCALES["png"])
    return found
