"""What a file is that is said to hold a network, told by its contents and not by its name."""

from __future__ import annotations

import io
import pickletools
import zipfile
from pathlib import Path

from denobench.errors import DenobenchError
from denobench.files import digest as digest_of_file
from denobench.files import digest_of
from denobench.foreign.beside import beside

ONNX, KERAS, H5, SAVED_MODEL, TORCHSCRIPT, EXPORTED = (
    "ONNX",
    "Keras (.keras)",
    "Keras (.h5)",
    "SavedModel",
    "TorchScript",
    "torch.export",
)
_SAVED = ("saved_model.pb", "saved_model.pbtxt")
_TO_ONNX = (
    "Export the network where you have its code: torch.onnx.export(model, image, 'net.onnx'), or "
    "model.export('net.onnx', format='onnx') in Keras."
)
# What a pickled state dict needs, and nothing that would run a stranger's code.
_HARMLESS = (
    "torch",
    "torch._utils",
    "torch._tensor",
    "collections",
    "numpy",
    "numpy.core.multiarray",
)


def recognise(path: Path) -> str:
    """Return the kind of a network's file, or of a folder that holds one.

    Raises
    ------
    DenobenchError
        If it is missing or something else; the message says what it is and what to do.
    """
    if path.is_dir():
        if any((path / name).is_file() for name in _SAVED):
            return SAVED_MODEL
        raise DenobenchError(
            f"{path} is a folder without a saved_model.pb: give a SavedModel's folder, or a file."
        )
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise DenobenchError(f"Model {path} cannot be read ({error.strerror}).") from None
    if not head:
        raise DenobenchError(f"Model {path} is an empty file.")
    if head.startswith(b"version https://git-lfs"):
        raise DenobenchError(
            f"Model {path} is a Git LFS pointer, not the file itself: run `git lfs pull`."
        )
    if (
        head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200]
        .lower()
        .startswith((b"<!doctype", b"<html", b"<?xml"))
    ):
        raise DenobenchError(f"Model {path} is a web page: download the file itself.")
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return H5
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    if head.startswith(b"\x80") and head[1:2] <= b"\x05":
        raise _pickle(path, path.read_bytes())
    if _looks_like_onnx(head):
        return ONNX
    raise DenobenchError(f"Model {path} is {_other(head)}. {_wanted()}")


def digest(path: Path) -> str:
    """Return the digest of a network's file, or of all files of its folder.

    The weights that an ONNX file keeps beside it count with it.

    Raises
    ------
    DenobenchError
        If these are missing or outside of its folder.
    """
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.is_file())
    elif not (files := beside(path) if recognise(path) == ONNX else []):
        return digest_of_file(path)
    names = [str(each.relative_to(path if path.is_dir() else path.parent)) for each in files]
    parts = [[name, digest_of_file(each)] for name, each in zip(names, files, strict=True)]
    return digest_of(parts if path.is_dir() else [digest_of_file(path), *parts])


def _archive(path: Path) -> str:
    """Return what a zip archive holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            below = {name.partition("/")[2] for name in names} | set(names)
            if "config.json" in names and "metadata.json" in names:
                return KERAS
            if "constants.pkl" in below or any(name.startswith("code/") for name in below):
                return TORCHSCRIPT
            if (
                any(name.startswith("models/") for name in below)
                or "serialized_exported_program.json" in below
            ):
                return EXPORTED
            pickles = [name for name in names if name.endswith("data.pkl")]
            if pickles:
                raise _pickle(path, archive.read(pickles[0]))
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise DenobenchError(
            f"Model {path} is a damaged archive ({error}): copy or download it again."
        ) from None
    raise DenobenchError(f"Model {path} is a zip archive without a network. {_wanted()}")


def _pickle(path: Path, content: bytes) -> DenobenchError:
    """Return the error for a pickled file, which is looked at and not loaded."""
    strangers = sorted(_modules(content))
    if strangers:
        return DenobenchError(
            f"Model {path} is a pickled Python object that needs the code of "
            f"{', '.join(strangers[:4])}: loading it would run code from the file, which is not "
            f"done. {_TO_ONNX} Or save it by torch.jit.script(model).save('net.pt')."
        )
    return DenobenchError(
        f"Model {path} is a state dict: weights without the network that they belong to. {_TO_ONNX}"
    )


def _modules(content: bytes) -> set[str]:
    """Return the modules that a pickle would import, but those of plain tensors."""
    found: set[str] = set()
    strings: list[str] = []
    try:
        for code, argument, _ in pickletools.genops(io.BytesIO(content)):
            if code.name == "GLOBAL":
                found.add(str(argument).split(" ")[0])
            elif code.name == "STACK_GLOBAL" and len(strings) > 1:
                found.add(strings[-2])
            elif isinstance(argument, str):
                strings.append(argument)
    except Exception:  # damaged: there is nothing to be said of the rest
        pass
    return {name for name in found if name not in _HARMLESS}


def _looks_like_onnx(head: bytes) -> bool:
    """Return whether a file begins as ONNX's protobuf does: the version, then the producer."""
    return head[:1] == b"\x08" and head[2:3] in (
        b"\x12",
        b"\x1a",
        b"\x22",
        b"\x28",
        b"\x3a",
        b"\x42",
    )


def _other(head: bytes) -> str:
    """Say what a file is that is no network."""
    known = {
        b"\x93NUMPY": "a NumPy array",
        b"\x89PNG": "a PNG image",
        b"\xff\xd8\xff": "a JPEG image",
        b"MATLAB 5.0": "a MATLAB file",
        b"%PDF": "a PDF document",
        b"\x1f\x8b": "a gzip archive: unpack it",
        b"Rar!": "a RAR archive: unpack it",
        b"7z\xbc\xaf": "a 7z archive: unpack it",
        b"TFL3": "a TFLite file",
    }
    for start, what in known.items():
        if head.startswith(start):
            return what
    if head[4:8] == b"TFL3":
        return "a TFLite file"
    if len(head) > 8 and head[8:10] == b'{"' and b"dtype" in head:
        return "a safetensors file: weights without the network that they belong to"
    printable = sum(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head)
    if printable > 0.95 * len(head):
        return f"a text that begins {head[:40].decode(errors='replace')!r}"
    return "of no kind that is known here"


def _wanted() -> str:
    return (
        "Known are ONNX (.onnx), Keras (.keras, .h5, a SavedModel's folder), TorchScript and "
        f"torch.export (.pt, .pt2). {_TO_ONNX}"
    )
