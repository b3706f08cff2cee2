"""What a file is that is said to hold a network, told by its contents and not by its name."""

from __future__ import annotations

import io
import pickletools
import zipfile
from pathlib import Path

from denobench.errors import DenobenchError
from denobench.files import digest as digest_of_file
from denobench.files import digest_of, opened
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
    *("torch", "torch._utils", "torch._tensor", "torch.nn.parameter", "torch.storage"),
    *("collections", "numpy", "numpy.core.multiarray", "numpy._core.multiarray", "_codecs"),
)
_LEGACY_PICKLES = 5  # of torch before 1.6: magic number, protocol, system, the object, its tensors


# What else people have: where a signature stands, the signature, and what it is of.
_TFLITE = (
    "a TFLite file: convert it by python -m tf2onnx.convert --tflite net.tflite --output net.onnx "
    "(pip install tf2onnx)"
)
_OTHERS = (
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"MATLAB ", "a MATLAB file: write the network by exportONNXNetwork(net, 'net.onnx')"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x1f\x8b", "a gzip archive: unpack it"),
    (0, b"Rar!", "a RAR archive: unpack it"),
    (0, b"7z\xbc\xaf", "a 7z archive: unpack it"),
    (257, b"ustar", "a tar archive: unpack it"),
    (0, b"GGUF", "a GGUF file: weights of a language model"),
    (0, b"TFL3", _TFLITE),
    (4, b"TFL3", _TFLITE),
    (4, b"ORTM", "a file in onnxruntime's own format: give the ONNX file that it was made from"),
)
_LONGEST_HEADER = 100 * 2**20  # of a safetensors file


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
        held = "a checkpoint of TensorFlow" if [*path.glob("*.index")] else "a folder"
        raise DenobenchError(
            f"{path} is {held} without a saved_model.pb: give a SavedModel's folder, or a file."
        )
    try:
        with opened(path) as file:
            head = file.read(4096)
    except OSError as error:
        raise DenobenchError(f"Model {path} cannot be read ({error.strerror}).") from None
    if not head:
        raise DenobenchError(f"Model {path} is an empty file.")
    if head.startswith(b"version https://git-lfs"):
        raise DenobenchError(
            f"Model {path} is a Git LFS pointer, not the file itself: run `git lfs pull`."
        )
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")) and b"<net " not in start:
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


def files(path: Path) -> list[Path]:
    """Return a network's file with the weights that an ONNX file keeps beside it, or its folder's.

    Raises
    ------
    DenobenchError
        If it is no network, or weights are missing or outside of its folder.
    """
    if path.is_dir():
        return sorted(each for each in path.rglob("*") if each.is_file())
    return [path, *(beside(path) if recognise(path) == ONNX else [])]


def digest(path: Path) -> str:
    """Return the digest of a network's file, or of all its `files`.

    Raises
    ------
    DenobenchError
        As `files` does.
    """
    found = files(path)
    if found == [path]:
        return digest_of_file(path)
    folder = path if path.is_dir() else path.parent
    parts = [[str(each.relative_to(folder)), digest_of_file(each)] for each in found]
    return digest_of(parts if path.is_dir() else [parts[0][1], *parts[1:]])


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
    modules, strings = _pickled(content)
    # The user's own first, then torch's and Python's.
    known = ("torch", "builtins", "__builtin__")
    if strangers := sorted(modules.difference(_HARMLESS), key=lambda m: (m.startswith(known), m)):
        return DenobenchError(
            f"Model {path} is a pickled Python object that needs the code of "
            f"{', '.join(strangers[:4])}: loading it would run code from the file, which is not "
            f"done. {_TO_ONNX} Or save it by torch.jit.script(model).save('net.pt')."
        )
    weights = [name for name in strings if name.endswith(("weight", "bias"))]
    others = " and others" if len(weights) > 2 else ""
    named = f" ({', '.join(weights[:2])}{others})" if weights else ""
    return DenobenchError(
        f"Model {path} is a state dict: weights{named} without the network that they belong to. "
        f"Load them into it where you have its code, by load_state_dict(...). {_TO_ONNX}"
    )


def _pickled(content: bytes) -> tuple[set[str], list[str]]:
    """Return the modules that a file of pickles would import, and the texts in it."""
    modules: set[str] = set()
    strings: list[str] = []
    stream = io.BytesIO(content)
    try:
        for _ in range(_LEGACY_PICKLES):
            for code, argument, _place in pickletools.genops(stream):
                if code.name == "GLOBAL":
                    modules.add(str(argument).split(" ")[0])
                elif code.name == "STACK_GLOBAL" and len(strings) > 1:
                    modules.add(strings[-2])
                elif isinstance(argument, str):
                    strings.append(argument)
    except Exception:  # its end, or damaged: there is nothing to be said of the rest
        pass
    return modules, strings


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
    for place, signature, what in _OTHERS:
        if head[place : place + len(signature)] == signature:
            return what
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < _LONGEST_HEADER:
        return (
            "a safetensors file: weights without the network that they belong to. Load them into "
            "it where you have its code, by safetensors.torch.load_model(model, file)"
        )
    if b"<net " in head:
        return "an OpenVINO network: give the file that it was converted from"
    if head[:1] == b"\n" and (b"Placeholder" in head or b"tensorflow" in head):
        return (
            "a graph of TensorFlow 1: convert it by python -m tf2onnx.convert --graphdef net.pb "
            "--output net.onnx, with --inputs and --outputs"
        )
    printable = sum(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head)
    if printable > 0.95 * len(head):
        return f"a text that begins {head[:40].decode(errors='replace')!r}"
    return "of no kind that is known here"


def _wanted() -> str:
    return (
        "Known are ONNX (.onnx), Keras (.keras, .h5, a SavedModel's folder), TorchScript and "
        f"torch.export (.pt, .pt2). {_TO_ONNX}"
    )
