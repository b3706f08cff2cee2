"""Pictures of any format that Pillow reads, with all their pages and frames."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from denobench.readers import arrays, unsupported
from denobench.readers.base import HEAD, File, Reader, Stack

# ITU-R BT.601 luma, the weights that OpenCV and Pillow use.
_LUMA = np.array([0.299, 0.587, 0.114])
_COLOURED = ("LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "La", "RGBa")

MODES = "1, L, LA, P, RGB, RGBA, 16-bit grey, and float grey"
# Formats that Pillow knows by name alone, or whose pages are not pictures of their own.
_NO_PICTURES = ("HDF5", "GRIB", "BUFR", "MPEG", "WMF", "FITS")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ONE_PAGE = ("PSD", "ICO", "ICNS", "CUR")  # layers, or one picture in several sizes


def _matches(head: bytes, name: str) -> int:  # noqa: ARG001
    """Tell whether Pillow may know the format: it is asked when the file is read."""
    if head.startswith((b"MATLAB", b"\x93NUMPY", b"PK\x03\x04", b"\x89HDF")):
        return 0
    return 0 if unsupported.is_text(head) and not head.startswith((b"P", b"#", b"/*")) else 1


def read(files: Sequence[File]) -> list[Stack]:
    """Read a picture, each page or frame being an image of its own.

    Colours become grey by BT.601 luma, and transparency is composited on black.

    Raises
    ------
    DenobenchError
        If it is no picture, is truncated, or has a mode without a known scale.
    """
    (file,) = files
    content = file.content()
    name = file.path.name.lower()
    if name.endswith(unsupported.CAMERAS):  # TIFF, of which Pillow reads a thumbnail
        raise file.fault(unsupported.advice(b"?", name))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as picture:
                if picture.format in _NO_PICTURES:
                    raise UnidentifiedImageError
                format_, mode = str(picture.format), picture.mode
                pages = list(_pages(picture, file, _depth(content)))
    except UnidentifiedImageError:
        if content.startswith(_TIFF):  # of a type that Pillow does not know
            return arrays.read_tiff(file, content)
        raise file.fault(unsupported.advice(content[:HEAD], name)) from None
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        TypeError,
        Image.DecompressionBombError,
    ) as error:
        raise file.fault(f"cannot be read as an image ({error})") from None
    if len({pixels.shape for pixels, _ in pages}) == 1 and len({full for _, full in pages}) == 1:
        return [_stack(np.stack([pixels for pixels, _ in pages]), pages[0][1], format_, mode)]
    return [
        _stack(pixels[None], full, format_, mode, name=f"{number:0{len(str(len(pages)))}d}")
        for number, (pixels, full) in enumerate(pages, 1)
    ]


def _stack(pixels: NDArray, full: float | None, format_: str, mode: str, name: str = "") -> Stack:
    return Stack(lambda: pixels, pixels.shape, format_, mode, full, name=name)  # type: ignore[arg-type]


def _depth(content: bytes) -> int:
    """Return the bits of a PNG's values; 8 for what is none."""
    return content[24] if content.startswith(b"\x89PNG") and len(content) > 24 else 8


def _pages(picture: Image.Image, file: File, depth: int) -> Iterator[tuple[NDArray, float | None]]:
    """Yield each page's values, (H, W), and what full scale is, if that is known."""
    if picture.format in _ONE_PAGE or getattr(picture, "n_frames", 1) == 1:
        picture.load()
        yield _to_grey(ImageOps.exif_transpose(picture), file, depth)
        return
    for page in ImageSequence.Iterator(picture):
        page.load()
        yield _to_grey(ImageOps.exif_transpose(page), file, depth)


def _to_grey(page: Image.Image, file: File, depth: int) -> tuple[NDArray, float | None]:
    """Return a decoded page's grey values, (H, W), and what full scale is, if that is known."""
    full: float | None
    clear = page.info.get("transparency")
    if page.mode in ("1", "L"):
        values, full = np.asarray(page.convert("L")), 255.0
    elif page.mode.startswith("I;16") or page.mode == "I":
        values = np.asarray(page)  # with a sign, or of 32 bits, there is no telling
        full = 65535.0 if values.min() >= 0 and values.max() <= 65535 else None
    elif page.mode == "F":
        values, full = np.asarray(page, np.float64), 1.0
    elif page.mode in _COLOURED:
        pixels = np.asarray(page.convert("RGBA"), np.float64) / 255
        return pixels[..., :3] @ _LUMA * pixels[..., 3], 1.0
    else:
        raise file.fault(f"mode {page.mode} has no known full scale; use {MODES}")
    if isinstance(clear, int):  # Pillow leaves the transparent value of grey files alone
        if depth < 8:  # in the file's own steps
            clear = clear * 255 // (2**depth - 1)
        values = np.where(values == clear, 0, values).astype(values.dtype)
    return values, full


PICTURES = Reader("pictures", _matches, read, packages=("pillow",))
