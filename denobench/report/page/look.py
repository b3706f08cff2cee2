"""The viewer of any image files, as a page of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denobench import metrics
from denobench.datasets import volumes
from denobench.errors import DenobenchError
from denobench.printable import one_line
from denobench.readers import File, identify, load, read
from denobench.report.data.entries import unlike
from denobench.report.data.summary import summarise
from denobench.report.figures.style import look
from denobench.report.page.page import render_template, title
from denobench.report.page.viewer import Content, Pictures, content, number
from denobench.rows import RunFolder
from denobench.scale import Scale

_SHOWN = ("psnr", "ssim")
_FARTHEST = 100.0  # of full scale: values beyond it are cut off


def render_files(paths: Sequence[Path], reference: Path | None, noisy: Path | None) -> str:
    """Return a page that shows images or volumes side by side.

    Parameters
    ----------
    paths
        The files to show; all of one shape. Volumes are shown slice by slice.
    reference
        What the others are held against; the first of ``paths`` if left out.
    noisy
        What residuals are taken from, if there is such a file.

    Raises
    ------
    DenobenchError
        If a file cannot be read, or its shape is not the reference's.
    """
    first, *_ = paths
    clean, limits = _read(reference or first, None)
    shown = {path: _read(path, limits)[0] for path in (*paths, *([noisy] if noisy else []))}
    for path, values in shown.items():
        if values.shape != clean.shape:
            raise DenobenchError(
                f"{path}: {_size(values)} pixels, and {reference or first} has {_size(clean)}; "
                "give images of one size."
            )
    names: list[str] = []
    for path in paths:
        names.append(unlike(one_line(path.name, 80), names))
    answers = [(name, shown[path]) for name, path in zip(names, paths, strict=True)]
    content = _content(clean, shown[noisy] if noisy else None, answers)
    title = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return render_template("files.html.j2", content, title=title)


def render_run(folder: RunFolder) -> str:
    """Return a page with all pictures that a run kept, for the machine that they are on."""
    summary = summarise([folder], intervals=False)
    return render_template("files.html.j2", content(summary, private=True), title=title(summary))


def _read(path: Path, limits: tuple[float, float] | None) -> tuple[NDArray[np.float32], Any]:
    """Return a file's first stack, upright, in full scale; by given limits where it knows none."""
    file = File(path)
    stack = read([file], identify(file))[0]
    values = np.asarray(volumes.slices(load(stack, file), stack.affine), np.float64)
    if limits is None or stack.rule == "type":
        limits = Scale.parse(stack.rule).limits(values, stack.full)
    low, high = limits
    scaled = (values - low) / max(high - low, np.finfo(float).tiny)
    return np.clip(scaled, -_FARTHEST, _FARTHEST).astype(np.float32), limits


def _size(values: NDArray[np.float32]) -> str:
    depth, height, width = values.shape
    return f"{width} × {height}" + (f" × {depth}" if depth > 1 else "")


def _content(
    clean: NDArray[np.float32],
    noisy: NDArray[np.float32] | None,
    answers: Sequence[tuple[str, NDArray[np.float32]]],
) -> Content:
    """Return what the viewer shows: one view per slice, from the middle on as many as fit."""
    depth, pictures = len(clean), Pictures()
    views: dict[int, dict[str, Any]] = {}
    for place in sorted(range(depth), key=lambda place: abs(place - depth // 2)):
        given = [clean[place], *(values[place] for _, values in answers)]
        places = pictures.add([*given, *([noisy[place]] if noisy is not None else [])])
        if places is None:
            break
        scores = [_scores(clean[place], values[place]) for _, values in answers]
        views[place] = {
            "image": "",
            "slice": place + 1 if depth > 1 else 0,
            "depth": depth,
            "noise": "file",
            "level": 0.1,
            "clean": places[0],
            "noisy": places[len(given)] if noisy is not None else None,
            "tumour": None,
            "answers": {str(i): places[i + 1] for i in range(len(answers))},
            "scores": {str(i): found for i, found in enumerate(scores)},
        }
    if not views:
        raise DenobenchError("The images are too large for one page; give fewer or smaller ones.")
    room = f"Slices {min(views) + 1} to {max(views) + 1} of {depth}: there is no room for more."
    notes = (room,) if len(views) < depth else ()
    return Content(_data(views, [name for name, _ in answers], depth), pictures.packed, notes)


def _data(
    views: Mapping[int, Mapping[str, Any]], names: Sequence[str], depth: int
) -> dict[str, Any]:
    """Return what is embedded beside the pictures: no noise, no run, no scores but the views'."""
    return {
        "methods": [_method(i, name) for i, name in enumerate(names)],
        "metrics": [
            {"name": "psnr", "title": "PSNR", "unit": "dB", "digits": 2, "higher": True},
            {"name": "ssim", "title": "SSIM", "unit": "", "digits": 3, "higher": True},
        ],
        "noises": [{"name": "file", "title": "", "levels": [0.1]}],
        "unit": "image",
        "times": {},
        "scores": [],
        "cells": {"noise": [], "level": [], "image": [], "method": [], "scores": {}},
        "views": [views[place] for place in sorted(views)],
        "reference": True,
        "start": sorted(views).index(depth // 2),
    }  # fmt: skip


def _method(number: int, name: str) -> dict[str, Any]:
    drawn = look(number)
    return {
        "id": str(number), "label": name, "track": "", "identity": False,
        "colour": drawn.colour, "dashed": bool(drawn.dashes),
    }  # fmt: skip


def _scores(clean: NDArray[np.float32], answer: NDArray[np.float32]) -> dict[str, Any]:
    if np.array_equal(clean, answer):
        return {}
    chosen = [metrics.psnr, metrics.ssim]
    found = metrics.score(chosen, clean, np.clip(answer, 0, 1), np.ones(clean.shape, bool)).values
    return {name: number(found[name]) for name in _SHOWN if name in found}
