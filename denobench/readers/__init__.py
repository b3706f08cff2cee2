"""One file of one format, or the files of one series, into pixels, spacing and subject."""

from denobench.readers.base import (
    MR_SCALE,
    REGISTRY,
    About,
    File,
    Reader,
    Stack,
    decoding,
    identify,
    image,
    load,
    read,
    readers,
)

__all__ = [
    "MR_SCALE",
    "REGISTRY",
    "About",
    "File",
    "Reader",
    "Stack",
    "decoding",
    "identify",
    "image",
    "load",
    "read",
    "readers",
]
