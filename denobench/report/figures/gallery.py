"""The gallery: an image, its noisy form, every method's answer, error and residual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from scipy import ndimage

from denobench.gallery import middle
from denobench.manifest import Shown
from denobench.noise import written
from denobench.printable import one_line
from denobench.report.data.summary import Summary
from denobench.report.figures.style import DPI, WIDTH, Picture, labels, style

TITLE_WIDTH = 120  # letters in a row of tiles
ZOOM = 0.2  # side of the magnified window, as a fraction of the image's

_FRAME = "#ffd23f"


def draw_gallery(summary: Summary) -> Iterator[Picture]:
    """Yield a figure per image and noise model that the manifests list, at the middle level."""
    listed: dict[tuple[str, str], dict[float, dict[str, Shown]]] = {}
    for run, manifest in summary.manifests.items():
        for shown in manifest.gallery:
            levels = listed.setdefault((shown.image, shown.noise), {})
            levels.setdefault(shown.level, {})[run] = shown
    for place, levels in enumerate(listed.values(), start=1):
        middle = sorted(levels)[(len(levels) - 1) // 2]
        with style():
            picture = _picture(summary, levels[middle], place)
        if picture:
            yield picture


def _picture(summary: Summary, observed: Mapping[str, Shown], place: int) -> Picture | None:
    """Draw one image of the gallery, or nothing if its pixels were not kept.

    ``observed`` holds, by run, the observation that the run kept.
    """
    galleries = {run: folder.gallery for run, folder in summary.folders.items()}
    found = (galleries[run].observation(shown.observation) for run, shown in observed.items())
    kept = next((each for each in found if each is not None), None)
    if kept is None:
        return None
    clean, noisy = map(middle, kept)
    shown = next(iter(observed.values()))
    image, noise, level = shown.image, shown.noise, shown.level
    cells = _cells(summary, image, noise, level)
    nothing = next(
        (cells[each.id] for each in summary.entries if each.identity and each.id in cells), None
    )
    names = labels(summary)
    tiles: list[tuple[str, str, np.ndarray]] = [("Noisy", _score(summary, nothing), noisy)]
    for entry in summary.entries:
        cell = cells.get(entry.id)
        if entry.identity or cell is None or entry.run not in observed:
            continue
        observation = observed[entry.run].observation
        answer = galleries[entry.run].answer(observation, str(cell["key"]), kept[0].shape)
        if answer is not None:
            tiles.append((names[entry.id], _score(summary, cell), middle(answer)))
    return Picture(
        f"gallery-{place}",
        f"{one_line(image)}{_slice(shown)}, {summary.noises.get(noise, noise)} noise "
        f"at σ = {written(level)}",
        "Above: the images, each with a window magnified twice. In the middle: the absolute error "
        "|denoised − clean|. Below: the residual, noisy − denoised, in which anatomy should not be "
        "seen; under the noisy image noisy − clean, what a perfect method leaves. One scale for "
        "all; PSNR in dB and SSIM.",
        _draw(clean, tiles),
        place="gallery",
    )


def _slice(shown: Shown) -> str:
    """Say which slice of a volume the picture is."""
    if not shown.slices:
        return ""
    return f", slice {shown.slices[len(shown.slices) // 2]} of {shown.depth}"


def _cells(summary: Summary, image: str, noise: str, level: float) -> dict[str, pd.Series]:
    """Return, by entry, the completed rows of the first realisation, the one that is shown."""
    rows = summary.rows
    rows = rows[
        (rows["image"] == image) & (rows["noise"] == noise) & (rows["level"] == level)
        & (rows["realisation"] == 0) & (rows["status"] == "ok")
    ]  # fmt: skip
    return {str(row["entry"]): row for _, row in rows.iterrows()}


def _score(summary: Summary, cell: pd.Series | None) -> str:
    """Return the scores of a cell, where it has some."""
    if cell is None:
        return ""
    return " / ".join(metric.text(cell[metric.name]) for metric in summary.headline)


def _draw(clean: np.ndarray, tiles: list[tuple[str, str, np.ndarray]]) -> Figure:
    """Lay the tiles out in rows: pictures above, then error maps, then residuals."""
    count = len(tiles) + 1
    across = 5 if count <= 10 else min(7, -(-count // 2))
    columns = min(across, count)
    rows = -(-count // columns)
    titles = [fill(title, TITLE_WIDTH // across) for title, _, _ in tiles]
    text = 0.3 + 0.13 * max(title.count("\n") + 1 for title in titles)
    side = WIDTH / across
    picture = side * clean.shape[0] / clean.shape[1]
    figure = Figure(figsize=(side * columns, rows * (3 * picture + text)), dpi=DPI)
    errors = [np.abs(np.clip(pixels, 0, 1) - clean) for _, _, pixels in tiles]
    # The middle method sets the scale: noise or a method far off would leave the others dark.
    top = float(np.median([np.percentile(error, 99.5) for error in errors[1:] or errors])) or 1e-6
    scale: Mapping[str, Any] = {"cmap": "magma", "vmin": 0, "vmax": top}
    noisy = tiles[0][2]
    residuals = [noisy - clean, *(noisy - pixels for _, _, pixels in tiles[1:])]
    reach = 3 * float(residuals[0].std()) or 1e-6

    def axes(place: int, lower: int) -> Axes:
        """Return the axes of a tile, placed in inches from the figure's upper left corner."""
        row, column = divmod(place, columns)
        width, height = figure.get_size_inches()
        down = row * (3 * picture + text) + (text - 0.22) + picture * (1 + lower)
        box = (column * side + 0.02, height - down, side - 0.04, picture - 0.04)
        return figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))

    window = _window(clean)
    _show(axes(0, 0), clean, "Clean", window)
    for place, (title, tile, error, residual) in enumerate(
        zip(titles, tiles, errors, residuals, strict=True), 1
    ):
        _show(axes(place, 0), tile[2], title, window)
        middle, below = axes(place, 1), axes(place, 2)
        mapped = middle.imshow(error, **scale)
        left = below.imshow(residual, cmap="gray", vmin=-reach, vmax=reach)
        middle.set(xticks=[], yticks=[])
        below.set(xticks=[], yticks=[])
        below.set_xlabel(tile[1], fontsize=7.5, labelpad=2)
    _bar(axes(0, 1), mapped, "absolute error", "max")
    _bar(axes(0, 2), left, "residual", "both")
    return figure


def _bar(place: Axes, mapped: ScalarMappable, label: str, extend: str) -> None:
    """Put a colour bar where the clean image's map would be."""
    place.axis("off")
    bar = place.figure.colorbar(
        mapped, cax=place.inset_axes((0.14, 0.62, 0.74, 0.07)), orientation="horizontal",
        extend=extend, ticks=MaxNLocator(2),
    )  # fmt: skip
    bar.set_label(label, fontsize=7.5)
    bar.ax.tick_params(labelsize=7)


def _show(place: Axes, pixels: np.ndarray, title: str, window: tuple[int, int, int]) -> None:
    """Show an image with its window magnified in the lower right corner."""
    top, left, side = window
    place.imshow(pixels, cmap="gray", vmin=0, vmax=1)
    place.set(xticks=[], yticks=[])
    place.set_title(title, fontsize=7.5, pad=3)
    place.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor=_FRAME, linewidth=0.8))
    inset = place.inset_axes((1 - 2 * ZOOM, 0, 2 * ZOOM, 2 * ZOOM))
    inset.imshow(pixels[top : top + side, left : left + side], cmap="gray", vmin=0, vmax=1)
    inset.set(xticks=[], yticks=[])
    for spine in inset.spines.values():
        spine.set(edgecolor=_FRAME, linewidth=0.8)


def _window(clean: np.ndarray) -> tuple[int, int, int]:
    """Return top, left and side of the window around the centre with the most structure."""
    side = max(4, int(ZOOM * min(clean.shape)))
    energy = ndimage.uniform_filter(ndimage.gaussian_gradient_magnitude(clean, 1.0), side)
    height, width = clean.shape
    # The skull, the strongest edge, stays out of it, and so does the magnifier's corner.
    allowed = np.zeros(clean.shape, bool)
    inner = [slice(int(0.35 * length), int(0.65 * length)) for length in clean.shape]
    allowed[inner[0], inner[1]] = True
    corner = 1 - 2 * ZOOM - ZOOM / 2
    allowed[int(height * corner) :, int(width * corner) :] = False
    row, column = np.unravel_index(np.argmax(np.where(allowed, energy, -1)), clean.shape)
    return int(row) - side // 2, int(column) - side // 2, side
