"""What people do to a picture before they share it again, and how well copies are found after it.

``python tests/helpers/alterations.py [FOLDER]`` prints the table of ``docs/data.md``: for the
simulated slices, or for the different images of a folder.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from denobench import images, readers
from denobench.datasets import clusters, simulated
from denobench.progress import Progress

Alteration = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def rescale(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scale to 50 to 150 %."""
    factor = rng.uniform(0.5, 1.5)
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def stretch(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change the aspect by up to 20 %."""
    height, width = image.shape
    return cv2.resize(image, (round(width * rng.uniform(0.8, 1.2)), height))


def crop(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut up to 15 % of the head off each side."""
    return _cut(image, rng.uniform(0, 0.15, 4))


def halve(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut 15 % of the head off every side, half of its area."""
    return _cut(image, np.full(4, 0.15))


def _cut(image: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Cut a share of the head off at the top, bottom, left and right."""
    mask = images.foreground(image)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    head = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = head.shape
    top, bottom, left, right = (shares * (height, height, width, width)).astype(int)
    return head[top : height - bottom, left : width - right]


def encode(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Write as JPEG of quality 30 to 80."""
    buffer = io.BytesIO()
    Image.fromarray(as_bytes(image)).save(buffer, "JPEG", quality=int(rng.integers(30, 81)))
    return np.asarray(Image.open(buffer), np.float32) / 255


def brighten(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast and gamma."""
    gamma, gain, offset = rng.uniform((0.7, 0.8, 0), (1.5, 1.25, 0.08))
    return np.clip(image**gamma * gain + offset, 0, 1)


def frame(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add black borders of up to 30 % on each side."""
    widths = [(length * rng.uniform(0, 0.3, 2)).astype(int) for length in image.shape]
    return np.pad(image, widths)


def spoil(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scale to a side of 64 pixels and write as JPEG of quality 20."""
    buffer = io.BytesIO()
    small = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA)
    Image.fromarray(as_bytes(small)).save(buffer, "JPEG", quality=20)
    return np.asarray(Image.open(buffer), np.float32) / 255


def everything(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Do all of it."""
    for alter in (crop, rescale, stretch, brighten, frame, encode):
        image = alter(image, rng)
    return image


ALTERATIONS: dict[str, Alteration] = {
    "rescaled 50 to 150 %": rescale,
    "aspect changed up to 20 %": stretch,
    "cropped up to 15 % per side": crop,
    "JPEG quality 30 to 80": encode,
    "brightness, contrast, gamma": brighten,
    "black borders up to 30 %": frame,
    "all of these": everything,
}
# Where it begins to fail.
HARDER: dict[str, Alteration] = {
    "cropped by 15 % at every side": halve,
    "64 pixels wide, JPEG quality 20": spoil,
}


def as_bytes(image: np.ndarray) -> np.ndarray:
    """Return an image as 8-bit grey values."""
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)


_heads: dict[str, clusters.Head] = {}  # by digest: the same picture is described once


def cluster(paths: Sequence[Path], progress: Progress | None = None) -> tuple[str, ...]:
    """Return the name of each picture's cluster, for pictures that need not be all of a folder."""
    digests = [sha256(path.read_bytes()).hexdigest() for path in paths]
    finder = clusters.Finder(digests)
    if not finder.known:
        for digest, path in zip(digests, paths, strict=True):
            if digest not in _heads:
                _heads[digest] = clusters.head_of(readers.image(path))
            finder.add(digest, _heads[digest])
    names = finder.names(progress=progress)
    return tuple(names[digest] for digest in digests)


def precision_and_recall(
    sources: Sequence[np.ndarray], alter: Alteration, folder: Path
) -> tuple[float, float]:
    """Cluster different images together with one altered copy of each; count pairs.

    Returns
    -------
    precision, recall
        Shares of the pairs put together that are right, and of the right ones put together.
    """
    rng = np.random.default_rng(0)
    paths = []
    for number, image in enumerate(sources):
        for kind, pixels in (("original", image), ("altered", alter(image, rng))):
            paths.append(folder / f"{number} {kind}.png")
            Image.fromarray(as_bytes(pixels)).save(paths[-1])
    names = np.array(cluster(paths))
    together = np.triu(names[:, None] == names[None, :], 1)
    right = np.triu(np.equal.outer(np.arange(len(paths)) // 2, np.arange(len(paths)) // 2), 1)
    found = (together & right).sum()
    return found / max(together.sum(), 1), found / right.sum()


def different_images(folder: Path) -> list[np.ndarray]:
    """Return one image of each cluster of a folder, at most 700 pixels wide and high."""
    paths = [path for path in sorted(folder.rglob("*.*")) if path.is_file()]
    first = dict(zip(reversed(cluster(paths)), reversed(paths), strict=True))
    found = [readers.image(path) for path in sorted(first.values())]
    return [clusters._scaled(image, 700) if max(image.shape) > 700 else image for image in found]


def main() -> None:
    """Print the table."""
    ours = [simulated.read(index)[0] for index in range(simulated.COUNT)]
    sources = different_images(Path(sys.argv[1])) if len(sys.argv) > 1 else ours
    print(f"| {len(sources)} images and a copy of each | precision | recall |\n|---|---:|---:|")
    for name, alter in (ALTERATIONS | HARDER).items():
        with tempfile.TemporaryDirectory() as folder:
            precision, recall = precision_and_recall(sources, alter, Path(folder))
        print(f"| {name} | {precision:.3f} | {recall:.3f} |", flush=True)


if __name__ == "__main__":
    main()
