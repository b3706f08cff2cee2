"""Read and write a picture; resize it; find its foreground."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from denobench import readers
from denobench.errors import DenobenchError
from denobench.files import replacing
from denobench.readers import image as read

__all__ = ["fit", "fit_labels", "foreground", "read", "resize", "resize_labels", "write"]

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")


def is_deep(path: Path) -> bool:
    """Return whether a picture has 16 bits."""
    file = readers.File(path)
    return readers.read([file], readers.identify(file))[0].full == 65535


def write(path: Path, image: np.ndarray | Sequence[np.ndarray], *, deep: bool = False) -> None:
    """Write an image, clipped to [0, 1], as a grey file of the format its suffix names.

    Parameters
    ----------
    path
        Where it goes.
    image
        (H, W), or several of these, which become the pages of a TIFF.
    deep
        Whether it gets 16 bits, where the format has them (PNG, TIFF), and not 8.

    Raises
    ------
    DenobenchError
        If the suffix names no format, or the file cannot be written.
    """
    check_writable(path)
    deep = deep and path.suffix.lower() in (".png", ".tif", ".tiff")
    full, kind = (65535, np.uint16) if deep else (255, np.uint8)
    pages = [image] if isinstance(image, np.ndarray) and image.ndim == 2 else image
    first, *others = (
        Image.fromarray(np.round(np.clip(page.astype(np.float64), 0, 1) * full).astype(kind))
        for page in pages
    )
    try:
        with replacing(path) as temporary:
            if others:
                first.save(temporary, save_all=True, append_images=others)
            else:
                first.save(temporary)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise DenobenchError(f"{path}: cannot be written ({why}).") from None


def check_writable(path: Path) -> None:
    """Raise if an image cannot be written to a path, as far as that can be told without writing.

    Raises
    ------
    DenobenchError
        If its suffix names no format, it is a folder, or its folder does not exist.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise DenobenchError(f"{path}: unknown suffix; use {', '.join(SUFFIXES)}.")
    if path.is_dir():
        raise DenobenchError(f"{path}: is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise DenobenchError(f"{path}: the folder {path.parent} does not exist; make it first.")


def resize(image: np.ndarray, size: int | None) -> np.ndarray:
    """Resize an image to a square with OpenCV's INTER_AREA, aspect stretched as in the paper.

    Parameters
    ----------
    image
        float32, (H, W).
    size
        Side in pixels; None keeps the pixels.
    """
    if size is None or image.shape == (size, size):
        return image
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def fit(image: np.ndarray, size: int | None, spacing: tuple[float, float] | None) -> np.ndarray:
    """Resize an image to a square, its physical shape kept: the shorter side is filled with black.

    Parameters
    ----------
    image
        float32, (H, W).
    size
        Side in pixels; None keeps the pixels.
    spacing
        Millimetres between rows and between columns; None stretches it as `resize` does.
    """
    if size is None or spacing is None:
        return resize(image, size)
    return _placed(image, size, spacing, cv2.INTER_AREA)


def fit_labels(
    labels: np.ndarray, size: int | None, spacing: tuple[float, float] | None
) -> np.ndarray:
    """Resize an image of labels, uint8, (H, W), as `fit` does; each pixel keeps one of them."""
    if size is None or spacing is None:
        return resize_labels(labels, size)
    return _placed(labels, size, spacing, cv2.INTER_NEAREST_EXACT)


def _placed(
    image: np.ndarray, size: int, spacing: tuple[float, float], interpolation: int
) -> np.ndarray:
    """Return an image in the middle of a square, its physical shape kept."""
    height, width = image.shape[0] * spacing[0], image.shape[1] * spacing[1]
    longest = max(height, width)
    rows, columns = (max(1, round(size * side / longest)) for side in (height, width))
    if image.shape != (rows, columns):
        image = cv2.resize(image, (columns, rows), interpolation=interpolation)
    above, left = (size - rows) // 2, (size - columns) // 2
    return np.pad(image, ((above, size - rows - above), (left, size - columns - left)))


def resize_labels(labels: np.ndarray, size: int | None) -> np.ndarray:
    """Resize an image of labels, uint8, (H, W), as `resize` does; each pixel keeps one of them."""
    if size is None or labels.shape == (size, size):
        return labels
    return cv2.resize(labels, (size, size), interpolation=cv2.INTER_NEAREST_EXACT)


def foreground(image: np.ndarray) -> np.ndarray:
    """Return the mask of the head: the largest bright region, smoothed, with its holes filled.

    Parameters
    ----------
    image
        The clean image, float32, (H, W), or volume, (D, H, W), in [0, 1]. Of a volume one threshold
        and one region hold for all, and holes are filled slice by slice.

    Returns
    -------
    numpy.ndarray
        bool, of the same shape. All true where no head can be told from a background.
    """
    from scipy import ndimage  # here: what only lists images need not wait for it
    from skimage.filters import threshold_otsu

    smooth = ndimage.gaussian_filter(image, max(image.shape[-2:]) / 150, axes=(-2, -1))
    if smooth.max() - smooth.min() < 1e-6:
        return np.ones(image.shape, bool)
    # Half of Otsu's threshold keeps dark tissue, which lies far above the black of a background.
    mask = smooth > threshold_otsu(smooth) / 2
    labels, count = ndimage.label(mask)
    if count > 1:
        mask = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    filled = _filled(mask) if mask.ndim == 2 else np.stack([*map(_filled, mask)])
    return filled if filled.mean() > 0.02 else np.ones(image.shape, bool)


def _filled(mask: np.ndarray) -> np.ndarray:
    """Return a mask, (H, W), with its outline smoothed and its holes filled."""
    radius = max(1, max(mask.shape) // 40)
    padded = np.pad(mask, radius + 1).astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, cross, iterations=radius)
    # What cannot be reached from outside is inside.
    cv2.floodFill(closed, None, (0, 0), 2, flags=4)
    return closed[radius + 1 : -radius - 1, radius + 1 : -radius - 1] != 2
