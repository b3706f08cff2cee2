"""BM3D on scikit-image's photographs, computed without denobench.

``python docs/natural.py FOLDER`` writes crops of the photographs to a folder as PNG, puts noise of
its own on them, and prints the mean PSNR of the ``bm3d`` package as published tables have it.
Beside it: ``denobench run natural --data FOLDER --methods identity,bm3d``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bm3d
import numpy as np
from PIL import Image
from skimage import data

NAMES = ("camera", "coins", "moon", "brick", "grass", "gravel")
SIDE = 256


def crop(name: str) -> np.ndarray:
    """Return the middle of a photograph, uint8, (256, 256)."""
    image = getattr(data, name)()
    top, left = ((length - SIDE) // 2 for length in image.shape)
    return image[top : top + SIDE, left : left + SIDE]


def main(folder: Path) -> None:
    """Write the crops and print a line per level."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(2026)
    images = {name: crop(name) for name in NAMES}
    for name, pixels in images.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    for sigma in (15, 25, 50):
        psnrs = []
        for pixels in images.values():
            clean = pixels / 255
            noisy = clean + random.normal(0, sigma / 255, clean.shape)
            answer = np.clip(bm3d.bm3d(noisy, sigma / 255), 0, 1)
            psnrs.append(-10 * np.log10(np.mean((answer - clean) ** 2)))
        print(f"sigma {sigma} of 255: {np.mean(psnrs):.2f} dB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
