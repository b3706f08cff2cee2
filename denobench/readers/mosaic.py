"""Siemens' mosaics: the slices of a volume as tiles of one picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from denobench.readers.frames import Frame

_COUNT = (0x0019, 0x100A)  # NumberOfImagesInMosaic, where the private header is left


def count(found: Any) -> int:
    """Return how many slices a data set's picture holds as tiles; 1 where it is no mosaic."""
    if "MOSAIC" not in (found.get("ImageType") or ()):
        return 1
    if _COUNT in found:
        return int(found[_COUNT].value)
    from nibabel.nicom import csareader

    return int(csareader.get_n_mosaic(csareader.get_csa_header(found)) or 1)


def split(frame: Frame, found: Any, tiles: int) -> list[Frame]:
    """Return the slices of a mosaic, with their places.

    References
    ----------
    "Siemens mosaic format", nibabel's documentation: the header's position is that of a slice as
    large as the mosaic, with its centre where the first slice's is.
    """
    across = int(np.ceil(np.sqrt(tiles)))
    height, width = (side // across for side in frame.pixels.shape)
    positions = _positions(frame, found, (height, width), tiles)
    return [
        replace(
            frame,
            index=number,
            pixels=frame.pixels[
                (number // across) * height : (number // across + 1) * height,
                (number % across) * width : (number % across + 1) * width,
            ],
            position=positions[number],
            location=None,
            order=(*frame.order[:-1], float(number)),
        )
        for number in range(tiles)
    ]


def _positions(frame: Frame, found: Any, size: tuple[int, int], tiles: int) -> list[Any]:
    """Return where the slices lie, or None for each where the header does not tell."""
    if frame.position is None or frame.directions is None or frame.spacing is None:
        return [None] * tiles
    along_row, along_column = np.array(frame.directions[:3]), np.array(frame.directions[3:])
    beyond = [(whole - side) / 2 for whole, side in zip(frame.pixels.shape, size, strict=True)]
    first = (
        np.array(frame.position)
        + along_row * frame.spacing[1] * beyond[1]
        + along_column * frame.spacing[0] * beyond[0]
    )
    step = float(found.get("SpacingBetweenSlices") or frame.thickness or 1.0)
    normal = _normal(found)
    if normal is None:
        normal = np.cross(along_row, along_column)
    return [tuple(map(float, first + number * step * normal)) for number in range(tiles)]


def _normal(found: Any) -> Any:
    """Return the direction in which slices follow each other, where the private header tells."""
    from nibabel.nicom import csareader

    try:
        return csareader.get_slice_normal(csareader.get_csa_header(found))
    except Exception:
        return None
