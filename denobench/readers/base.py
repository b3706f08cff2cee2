"""The contract of a reader: files of one format into stacks of pixels, as the files hold them."""

from __future__ import annotations

import bz2
import gzip
import logging
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denobench.errors import DenobenchError, reason
from denobench.files import digest_bytes, opened
from denobench.registry import Registry
from denobench.scale import Scale, to_full_scale

REGISTRY = Registry(
    "denobench.readers",
    "reader",
    lambda found: (found.name, found.read) if isinstance(found, Reader) else None,
)

HEAD = 4096  # unpacked bytes of a file by which its format is told
MR_SCALE = "percentile:99.9"  # of formats whose values have no full scale
_PACKED: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open}


@dataclass(frozen=True)
class File:
    """A file, and what its content must be.

    Attributes
    ----------
    path
        Where it lies.
    digest
        SHA-256 of its bytes where it was looked at before, else empty.
    """

    path: Path
    digest: str = ""

    def head(self) -> bytes:
        """Return its first bytes, unpacked."""
        try:
            with opened(self.path) as file:
                packed = file.read(3)
                file.seek(0)
                for magic, unpacker in _PACKED.items():
                    if packed.startswith(magic):
                        with unpacker(file, "rb") as unpacked:
                            return unpacked.read(HEAD)
                return file.read(HEAD)
        except (EOFError, zlib.error, OSError) as error:
            raise self.fault(_cause(error)) from None

    def content(self) -> bytes:
        """Return its bytes, unpacked where the file is gzip or bzip2.

        Raises
        ------
        DenobenchError
            If it cannot be read, or is not what it was when it was looked at.
        """
        try:
            with opened(self.path) as file:
                content = file.read()
            if self.digest and digest_bytes(content) != self.digest:
                raise self.fault("was replaced since it was looked at; run again")
            if content.startswith(b"\x1f\x8b"):
                return gzip.decompress(content)
            return bz2.decompress(content) if content.startswith(b"BZh") else content
        except (EOFError, zlib.error, OSError, ValueError) as error:
            raise self.fault(_cause(error)) from None

    def fault(self, what: str) -> DenobenchError:
        """Return the error that says what is wrong with the file."""
        return DenobenchError(f"{self.path}: {what}.")


def _cause(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, EOFError | zlib.error | ValueError | gzip.BadGzipFile):
        return f"cannot be unpacked: truncated or damaged ({error})"
    return f"cannot be read ({getattr(error, 'strerror', None) or error})"


@dataclass(frozen=True)
class Stack:
    """Images that belong together, as their file holds them.

    Attributes
    ----------
    load
        Returns the pixels, (D, H, W), real numbers after the file's own slope and intercept.
    shape
        (D, H, W).
    format, mode
        What the file is, and the type of its values, such as ``PNG`` and ``RGB``.
    full
        What the type calls full scale (255, 65535, 1.0), or None.
    rule
        The scale's rule where the user gives none: ``type``, or a percentile for values that have
        no full scale.
    volume
        Whether the images are slices of one volume, and not pages that only share a file.
    spacing
        Millimetres between slices, rows and columns, or None.
    affine
        (4, 4), from (slice, row, column) to millimetres right, anterior and superior; or None.
    name
        Of the stack in its file, where there are several: the volume's number or the array's name.
    repeat
        Which of several volumes of one place it is, from 1: of a 4-D file or series.
    members
        For each image the number of its file, where every image has a file of its own.
    identities
        Whether the header carries a person's name, date or number.
    left_out
        Files of the group that this stack cannot hold, by number, and why.
    """

    load: Callable[[], NDArray]
    shape: tuple[int, int, int]
    format: str
    mode: str
    full: float | None = None
    rule: str = "type"
    volume: bool = False
    spacing: tuple[float, float, float] | None = None
    affine: NDArray[np.float64] | None = None
    name: str = ""
    repeat: int = 1
    members: tuple[int, ...] = ()
    identities: bool = False
    left_out: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class About:
    """What a file's header says of where it belongs.

    Attributes
    ----------
    group
        Names a series or a pair of header and values: the files of one folder that share it are
        read together. Empty where a file stands alone.
    subject
        What tells the person, else empty: compared, and never written or printed.
    """

    group: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)


@dataclass(frozen=True)
class Reader:
    """How files of one format are read.

    Attributes
    ----------
    name
        As registered.
    matches
        Function of a file's first bytes (unpacked, up to `HEAD`) and its name, lower case: 2 if it
        is surely of this format, 1 if it may be, 0 if not.
    read
        Function of one or more files that belong together; returns their stacks.
    about
        Function of a file that says where it belongs, without decoding its pixels.
    packages
        Distributions that decode: their versions enter the key of what is kept.
    """

    name: str
    matches: Callable[[bytes, str], int]
    read: Callable[[Sequence[File]], Sequence[Stack]]
    about: Callable[[File], About] = lambda file: About()  # noqa: ARG005
    packages: tuple[str, ...] = ()


@contextmanager
def quietly(library: str) -> Iterator[None]:
    """Keep a library's remarks, which may quote headers, out of every log."""
    logger = logging.getLogger(library)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def readers() -> dict[str, Reader]:
    """Return every reader by name."""
    return {name: REGISTRY.load(name) for name in REGISTRY.names()}


def identify(file: File) -> str:
    """Return the name of the reader for a file, told by its content.

    Raises
    ------
    DenobenchError
        If no reader knows the format; the message says what the file seems to be and what to do.
    """
    from denobench.readers import unsupported

    head = file.head()
    if not head:
        raise file.fault("an empty file (0 bytes), not an image")
    known = unsupported.pointer(head)
    if known:
        raise file.fault(known)
    name = file.path.name.lower()
    sure = {each: reader.matches(head, name) for each, reader in readers().items()}
    best = max(sure, key=lambda each: sure[each])
    if not sure[best]:
        raise file.fault(unsupported.advice(head, name))
    return best


def read(files: Sequence[File], reader: str) -> Sequence[Stack]:
    """Read files that belong together with a reader that knows their format.

    Raises
    ------
    DenobenchError
        If they cannot be read; the message names the file and the cause.
    """
    try:
        return REGISTRY.load(reader).read(files)
    except DenobenchError:
        raise
    except MemoryError:
        raise files[0].fault("too large for this machine's memory") from None
    except Exception as error:
        # Decoders raise whatever a broken file leads them to.
        raise files[0].fault(f"cannot be read ({reason(error)})") from None


@contextmanager
def decoding(file: File) -> Iterator[None]:
    """Turn whatever values that are truncated or damaged lead a decoder to into one error."""
    try:
        yield
    except DenobenchError:
        raise
    except MemoryError:
        raise file.fault("too large for this machine's memory, or its header is damaged") from None
    except Exception as error:
        raise file.fault(f"its values are truncated or damaged ({type(error).__name__})") from None


def load(stack: Stack, file: File) -> NDArray:
    """Return a stack's pixels, (D, H, W), all finite.

    Raises
    ------
    DenobenchError
        If the values of its file are truncated, damaged or not finite, which its header does not
        tell.
    """
    with decoding(file):
        values = stack.load()
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise file.fault("holds NaN or infinity; replace them first")
    return values


def image(path: Path) -> NDArray[np.float32]:
    """Return the first image of a file, in full scale by its format's own rule.

    Parameters
    ----------
    path
        A file of any format that is read here.

    Returns
    -------
    numpy.ndarray
        float32, (H, W), in [0, 1].

    Raises
    ------
    DenobenchError
        If the file is missing, is no image, is truncated, or has a type without a known scale.
    """
    file = File(path)
    stack = read([file], identify(file))[0]
    values = load(stack, file)
    try:
        low, high = Scale.parse(stack.rule).limits(values, stack.full)
    except DenobenchError as error:
        raise file.fault(str(error)) from None
    return to_full_scale(values[len(values) // 2 if stack.volume else 0], low, high)
