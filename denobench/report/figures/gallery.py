"""The gallery: an image, its noisy form, every method's answer, error and residual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from scipy import ndimage

from denobench.gallery import middle
from denobench.manifest import Shown
from denobench.noise import written
from denobench.printable import one_line
from denobench.report.data.summary import Summary
from denobench.report.figures.style import DPI, WIDTH, Picture, labels

TITLE_WIDTH = 120  # letters in a row of tiles
ZOOM = 0.2  # side of the magnified window, as a fraction of the image's

_FRAME = "#ffd23f"
_WITH_REFERENCE = (
    "Above: the images, each with a window magnified twice. In the middle: the absolute error "
    "|denoised − clean|. Below: the residual, noisy − denoised, in which anatomy should not be "
    "seen; under the noisy image noisy − clean, what a perfect method leaves. One scale for "
    "all; PSNR in dB and SSIM."
)
_WITHOUT_REFERENCE = (
    "Above: the images, each with a window magnified twice. Below: the residual, "
    "noisy − denoised, in which anatomy should not be seen. There is no reference, and so no error."
)

# A method's title, its scores as text, and what it leaves.
Tile = tuple[str, str, np.ndarray]


def draw_gallery(summary: Summary) -> Iterator[Picture]:
    """Yield a figure per image and noise model that the manifests list, at the middle level."""
    listed: dict[tuple[str, str], dict[float, dict[str, Shown]]] = {}
    for run, manifest in summary.manifests.items():
        for shown in manifest.gallery if manifest.share else ():
            levels = listed.setdefault((shown.image, shown.noise), {})
            levels.setdefault(shown.level, {})[run] = shown
    for place, levels in enumerate(listed.values(), start=1):
        middle = sorted(levels)[(len(levels) - 1) // 2]
        if picture := _picture(summary, levels[middle], place):
            yield picture


def _picture(summary: Summary, observed: Mapping[str, Shown], place: int) -> Picture | None:
    """Show one image of the gallery, or nothing if its pixels were not kept.

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
    tiles: list[Tile] = [("Noisy", _score(summary, nothing), noisy)]
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
        _WITH_REFERENCE if summary.referenced else _WITHOUT_REFERENCE,
        partial(_draw, clean if summary.referenced else None, tiles),
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


def _draw(clean: np.ndarray | None, tiles: list[Tile]) -> Figure:
    """Lay the tiles out in rows: pictures above, then error maps, then residuals.

    Without a reference there is no error map, and the noisy image is the first tile.
    """
    first = 0 if clean is None else 1  # the place of the noisy image
    count = len(tiles) + first
    across = 5 if count <= 10 else min(7, -(-count // 2))
    columns = min(across, count)
    titles = [fill(title, TITLE_WIDTH // across) for title, _, _ in tiles]
    text = 0.3 + 0.13 * max(title.count("\n") + 1 for title in titles)
    noisy = tiles[0][2]
    side = WIDTH / across
    height = side * noisy.shape[0] / noisy.shape[1]
    sheet = _Sheet(columns, -(-count // columns), side, height, text, maps=1 + first)
    window = _window(noisy if clean is None else clean)
    for place, (title, tile) in enumerate(zip(titles, tiles, strict=True), first):
        sheet.picture(place, tile[2], title, window)
        sheet.below(place, tile[1])
    if clean is not None:
        sheet.picture(0, clean, "Clean", window)
        _draw_errors(sheet, clean, tiles)
    _draw_residuals(sheet, clean, tiles)
    return sheet.figure


def _draw_errors(sheet: _Sheet, clean: np.ndarray, tiles: Sequence[Tile]) -> None:
    errors = [np.abs(np.clip(pixels, 0, 1) - clean) for _, _, pixels in tiles]
    # The middle method sets the scale: noise or a method far off would leave the others dark.
    top = float(np.median([np.percentile(error, 99.5) for error in errors[1:] or errors])) or 1e-6
    for place, error in enumerate(errors, 1):
        mapped = sheet.image(place, 1, error, cmap="magma", vmin=0, vmax=top)
    sheet.bar(1, mapped, "absolute error", "max")


def _draw_residuals(sheet: _Sheet, clean: np.ndarray | None, tiles: Sequence[Tile]) -> None:
    """Draw what was taken away; the noisy image's is the noise, where that is known."""
    (_, _, noisy), *answers = tiles
    residuals = [noisy - pixels for _, _, pixels in answers]
    if clean is not None:
        residuals.insert(0, noisy - clean)
    if not residuals:
        return
    reach = 3 * float((residuals[0] if clean is not None else np.stack(residuals)).std()) or 1e-6
    for place, residual in enumerate(residuals, 1):
        left = sheet.image(place, sheet.maps, residual, cmap="gray", vmin=-reach, vmax=reach)
    sheet.bar(sheet.maps, left, "residual", "both")


class _Sheet:
    """A figure of tiles, several images high, on a single pair of axes in inches.

    Axes of their own for every image would be most of the work of drawing.

    Parameters
    ----------
    columns, rows
        Tiles side by side, and below each other.
    side, height
        Width and height of an image.
    text
        Height of the texts of a tile.
    maps
        Maps below each image.
    """

    def __init__(
        self, columns: int, rows: int, side: float, height: float, text: float, maps: int
    ) -> None:
        self._columns, self._side, self._height, self._text = columns, side, height, text
        self.maps = maps
        self._tall = (1 + maps) * height + text
        width, high = side * columns, rows * self._tall
        self.figure = Figure(figsize=(width, high), dpi=DPI)
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.axis("off")
        self._axes.set(xlim=(0, width), ylim=(high, 0), autoscale_on=False)

    def _box(self, place: int, lower: int) -> tuple[float, float, float, float]:
        """Return the left, right, lower and upper end of an image of a tile."""
        row, column = divmod(place, self._columns)
        left = column * self._side + 0.02
        top = row * self._tall + self._text - 0.22 + self._height * lower
        return left, left + self._side - 0.04, top + self._height, top + 0.04

    def image(self, place: int, lower: int, pixels: np.ndarray, **scale: Any) -> AxesImage:
        """Show pixels in a frame."""
        left, right, bottom, top = self._box(place, lower)
        shown = self._axes.imshow(pixels, extent=(left, right, bottom, top), aspect="auto", **scale)
        self._frame(left, top, right - left, bottom - top, "#444444", 0.7)
        return shown

    def picture(
        self, place: int, pixels: np.ndarray, title: str, window: tuple[int, int, int]
    ) -> None:
        """Show an image with its title, and its window magnified in the lower right corner."""
        grey: Mapping[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 1}
        self.image(place, 0, pixels, **grey)
        left, right, bottom, top = self._box(place, 0)
        self._text_at((left + right) / 2, top - 0.04, title, "bottom")
        upper, start, side = window
        pixel = (right - left) / pixels.shape[1], (bottom - top) / pixels.shape[0]
        inset = right - 2 * ZOOM * (right - left), bottom - 2 * ZOOM * (bottom - top)
        self._axes.imshow(
            pixels[upper : upper + side, start : start + side],
            extent=(inset[0], right, bottom, inset[1]), aspect="auto", **grey,
        )  # fmt: skip
        self._frame(
            left + start * pixel[0], top + upper * pixel[1], side * pixel[0], side * pixel[1]
        )
        self._frame(*inset, right - inset[0], bottom - inset[1])

    def below(self, place: int, text: str) -> None:
        """Write below a tile."""
        left, right, bottom, _ = self._box(place, self.maps)
        self._text_at((left + right) / 2, bottom + 0.04, text, "top")

    def bar(self, lower: int, mapped: AxesImage, label: str, extend: str) -> None:
        """Put a colour bar where the clean image's map would be."""
        left, right, bottom, top = self._box(0, lower)
        width, high = self.figure.get_size_inches()
        across, down = right - left, bottom - top
        place = self.figure.add_axes(
            (
                (left + 0.14 * across) / width, 1 - (bottom - 0.62 * down) / high,
                0.74 * across / width, 0.07 * down / high,
            )
        )  # fmt: skip
        bar = self.figure.colorbar(
            mapped, cax=place, orientation="horizontal", extend=extend, ticks=MaxNLocator(2)
        )
        bar.set_label(label, fontsize=7.5)
        place.tick_params(labelsize=7)

    def _frame(
        self, left: float, top: float, width: float, height: float,
        colour: str = _FRAME, line: float = 0.8,
    ) -> None:  # fmt: skip
        self._axes.add_patch(
            Rectangle((left, top), width, height, fill=False, edgecolor=colour, linewidth=line)
        )

    def _text_at(self, across: float, down: float, text: str, side: str) -> None:
        self._axes.text(across, down, text, ha="center", va=side, fontsize=7.5)


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
