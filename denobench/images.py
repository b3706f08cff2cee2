"""Read one file into an image; resize it; find its foreground."""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from denobench.errors import DenobenchError
from denobench.files import replacing

# ITU-R BT.601 luma, the weights that OpenCV and Pillow use.
_LUMA = np.array([0.299, 0.587, 0.114])

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
MODES = "1, L, LA, P, RGB, RGBA, 16-bit grey, and float grey in [0, 1]"


def read(path: Path) -> np.ndarray:
    """Read a file into an image, whatever its suffix says.

    The format is told by the content. Colours become grey by BT.601 luma, transparency is
    composited on black, and the full scale of the file's type (255 or 65535) becomes 1.0.

    Parameters
    ----------
    path
        An image file of any format that Pillow reads.

    Returns
    -------
    numpy.ndarray
        float32, (H, W), in [0, 1].

    Raises
    ------
    DenobenchError
        If the file is missing, is no image, is truncated, or has a mode without a known scale.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as file:
                file.load()
                return _to_grey(ImageOps.exif_transpose(file), path)
    except UnidentifiedImageError:
        raise DenobenchError(f"{path}: not an image that Pillow can identify.") from None
    except FileNotFoundError:
        raise DenobenchError(f"{path}: no such file.") from None
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise DenobenchError(f"{path}: cannot be read as an image ({error}).") from None


def _to_grey(file: Image.Image, path: Path) -> np.ndarray:
    """Map a decoded file to grey in [0, 1]."""
    if file.mode in ("1", "L"):
        grey = np.asarray(file.convert("L"), np.float64) / 255
    elif file.mode.startswith("I;16") or file.mode == "I":
        grey = np.asarray(file, np.float64) / 65535
    elif file.mode == "F":
        grey = np.asarray(file, np.float64)
    elif file.mode in ("LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "La", "RGBa"):
        pixels = np.asarray(file.convert("RGBA"), np.float64) / 255
        grey = pixels[..., :3] @ _LUMA * pixels[..., 3]
    else:
        raise DenobenchError(f"{path}: mode {file.mode} has no known full scale; use {MODES}.")
    if not np.isfinite(grey).all() or grey.min() < 0 or grey.max() > 1:
        raise DenobenchError(f"{path}: values outside the full scale of mode {file.mode}.")
    return np.ascontiguousarray(grey, np.float32)


def write(path: Path, image: np.ndarray) -> None:
    """Write an image, clipped to [0, 1], as an 8-bit grey file of the format its suffix names.

    Raises
    ------
    DenobenchError
        If the suffix names no format, or the file cannot be written.
    """
    check_writable(path)
    pixels = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    try:
        with replacing(path) as temporary:
            Image.fromarray(pixels, "L").save(temporary)
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
        The clean image, float32, (H, W), in [0, 1].

    Returns
    -------
    numpy.ndarray
        bool, (H, W). All true where no head can be told from a background.
    """
    from scipy import ndimage  # here: what only lists images need not wait for it
    from skimage.filters import threshold_otsu

    smooth = ndimage.gaussian_filter(image, max(image.shape) / 150)
    if smooth.max() - smooth.min() < 1e-6:
        return np.ones(image.shape, bool)
    # Half of Otsu's threshold keeps dark tissue, which lies far above the black of a background.
    mask = smooth > threshold_otsu(smooth) / 2
    labels, count = ndimage.label(mask)
    if count > 1:
        mask = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    radius = max(1, max(image.shape) // 40)
    padded = np.pad(mask, radius)
    closed = ndimage.binary_closing(padded, iterations=radius)[radius:-radius, radius:-radius]
    filled = ndimage.binary_fill_holes(closed)
    return filled if filled.mean() > 0.02 else np.ones(image.shape, bool)
