"""Pictures as text in a page: lossless at 16 bits of full scale, for the browser to unpack."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass

import numpy as np

STEPS = 65535  # per full scale


@dataclass(frozen=True)
class Packed:
    """A picture in a page.

    Attributes
    ----------
    width, height
        In pixels.
    low
        The least value, in steps of 1/65535 of full scale.
    planes
        Bytes per pixel: two, or three where the values span more than full scale, as noise does.
    data
        The values above ``low``, each less its left neighbour (modulo 256 to the power of
        ``planes``), byte plane after byte plane, the least first; deflated, in base64.
    """

    width: int
    height: int
    low: int
    planes: int
    data: str


def pack(pixels: np.ndarray) -> Packed:
    """Pack a picture, float, (H, W), to the nearest step."""
    steps = np.rint(pixels.astype(np.float64) * STEPS).astype(np.int64)
    low = int(steps.min())
    above = steps - low
    planes = 2 if above.max() <= STEPS else 3
    change = np.diff(above, axis=1, prepend=0) % 256**planes
    parts = [(change >> (8 * plane) & 255).astype(np.uint8).tobytes() for plane in range(planes)]
    data = base64.b64encode(_deflated(b"".join(parts))).decode()
    height, width = pixels.shape
    return Packed(width, height, low, planes, data)


def _deflated(raw: bytes) -> bytes:
    # Differences of neighbours repeat nothing but runs: to look for more takes ten times as long
    # and finds no less to save.
    packer = zlib.compressobj(strategy=zlib.Z_RLE)
    return packer.compress(raw) + packer.flush()


def unpack(packed: Packed) -> np.ndarray:
    """Return a packed picture, float64, (H, W): what the page's own code gets."""
    shape = (packed.planes, packed.height, packed.width)
    raw = zlib.decompress(base64.b64decode(packed.data))
    planes = np.frombuffer(raw, np.uint8).reshape(shape).astype(np.int64)
    change = sum(plane << (8 * place) for place, plane in enumerate(planes))
    steps = np.cumsum(change, axis=1) % 256**packed.planes + packed.low
    return np.asarray(steps / STEPS)
