"""Denoise a picture; one with several pages stays one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from denobench import images, noise, readers
from denobench.denoising.applying import Applied, Told
from denobench.errors import DenobenchError
from denobench.progress import Progress
from denobench.readers import File
from denobench.scale import Scale, to_full_scale

_PAGED = (".tif", ".tiff")


def target_of(name: str) -> str:
    """Return what the answer to a picture is called in a folder of answers."""
    return name if name.lower().endswith(images.SUFFIXES) else f"{name}.png"


def denoise(source: Path, target: Path, applied: Applied, progress: Progress) -> Told:
    """Denoise a picture, every page for itself unless the method takes volumes.

    Raises
    ------
    DenobenchError
        If it cannot be read or written, or has pages that the target's format cannot have.
    """
    file = File(source)
    pages = []
    for stack in readers.read([file], "pictures"):
        values = readers.load(stack, file)
        try:
            low, high = Scale.parse(stack.rule).limits(values, stack.full)
        except DenobenchError as error:
            raise file.fault(str(error)) from None
        pages += [to_full_scale(page, low, high) for page in values]
    if len(pages) > 1 and target.suffix.lower() not in _PAGED:
        raise DenobenchError(
            f"{target}: {source.name} has {len(pages)} pages, which TIFF alone keeps; end its name "
            "in .tif."
        )
    images.check_writable(target)
    model = noise.REGISTRY.load(applied.method.info.assumes or "gaussian")
    whole = applied.method.info.dims == 3 and len({page.shape for page in pages}) == 1
    answers, told = [], Told(None)
    for done, noisy in enumerate([np.stack(pages)] if whole else pages, 1):
        told = applied.tell(noisy, model)
        answers += [*(applied.answer(noisy, told.sigma).reshape(-1, *noisy.shape[-2:]))]
        progress(done, len(pages))
    progress(len(pages), len(pages))
    images.write(target, answers, deep=images.is_deep(source))
    return told
