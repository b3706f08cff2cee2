"""Denoise an array of NumPy's: an image, a volume, or several volumes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from denobench import readers
from denobench.denoising.applying import Applied, Told
from denobench.errors import DenobenchError
from denobench.files import write_into
from denobench.progress import Progress
from denobench.readers import File


def target_of(name: str) -> str:
    """Return what the answer to an array's file is called in a folder of answers."""
    return name.removesuffix(".gz").removesuffix(".bz2")


def denoise(source: Path, target: Path, applied: Applied, progress: Progress) -> Told:
    """Denoise a ``.npy`` file; shape and type stay.

    Raises
    ------
    DenobenchError
        If it cannot be read or written, or holds several arrays.
    """
    file = File(source)
    stacks = readers.read([file], "numpy")
    if stacks[0].format != "NPY":
        raise file.fault("is read, but not written: save its arrays as .npy, each by itself")
    if target.suffix.lower() != ".npy":
        raise DenobenchError(f"{target}: one array of .npy becomes another; end its name in .npy.")
    stored = np.load(io.BytesIO(file.content()), allow_pickle=False)
    values = [readers.load(stack, file) for stack in stacks]
    full = stacks[0].full if stacks[0].rule == "type" else None
    answers, told = applied.on(values, progress, full=full)
    answer = np.concatenate(answers).reshape(stored.shape)
    if stored.dtype.kind in "iu":
        ends = np.iinfo(stored.dtype)
        answer = np.clip(np.rint(answer), ends.min, ends.max)
    buffer = io.BytesIO()
    np.save(buffer, answer.astype(np.float32 if stored.dtype == bool else stored.dtype))
    write_into(target, buffer.getvalue())
    return told
