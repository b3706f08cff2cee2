"""The gallery: pictures of a run's cells, kept by what made them.

An observation (a clean and a noisy image) has a folder of its own, by its key, and below that lie
the methods' answers, by their cells' keys: another parameter, size, seed or source is another file,
so that no score can stand under a picture that it was not taken on.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from denobench.files import damaged, files_below, safe_name, subfolder, write_bytes

LARGEST = 2**28  # pixels of a picture that is still read


@dataclass(frozen=True)
class Pictures:
    """The pictures of one cell, full scale 1.0: clean and noisy image, and the answer.

    (H, W), or (S, H, W) where they are slices of a volume, from the first to the last. Beside them
    the tumour's mask where it is known, uint8.
    """

    clean: np.ndarray
    noisy: np.ndarray
    answer: np.ndarray
    tumour: np.ndarray | None = None


@dataclass(frozen=True)
class Gallery:
    """The folder ``gallery`` of a run.

    Attributes
    ----------
    run
        The run's folder.
    """

    run: Path

    def save(self, observation: str, key: str, pictures: Pictures) -> None:
        """Keep the pictures of a cell."""
        subfolder(self.run, *self._answer(observation, key).relative_to(self.run).parts[:-1])
        for path, pixels, kind in (
            (self._clean(observation), pictures.clean, np.float32),
            (self._noisy(observation), pictures.noisy, np.float32),
            (self._tumour(observation), pictures.tumour, np.uint8),
            (self._answer(observation, key), pictures.answer, np.float32),
        ):
            if pixels is None:
                continue
            # By way of memory: NumPy's own writing does not say that a disk is full.
            content = io.BytesIO()
            np.save(content, pixels.astype(kind), allow_pickle=False)
            write_bytes(path, content.getvalue())

    def holds(self, observation: str, key: str) -> bool:
        """Return whether all pictures of a cell are there."""
        paths = (self._clean(observation), self._noisy(observation), self._answer(observation, key))
        return all(path.is_file() for path in paths)

    def stale(self, observations: Iterable[str], keys: Iterable[str]) -> Iterator[Path]:
        """Yield the files that are no pictures of these observations and cells."""
        folders, cells = {*map(safe_name, observations)}, {f"{safe_name(key)}.npy" for key in keys}
        for path in files_below(self.run / "gallery"):
            folder, *rest = path.relative_to(self.run / "gallery").parts
            match rest:
                case ["clean.npy" | "noisy.npy" | "tumour.npy"]:
                    used = folder in folders
                case ["answers", name]:
                    used = folder in folders and name in cells
                case _:
                    used = False
            if not used:
                yield path

    def observation(self, observation: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the clean and the noisy image, see `Pictures`, float32, or None if not kept.

        Raises
        ------
        DenobenchError
            If a file is damaged, or the two do not belong together.
        """
        clean = _read(self._clean(observation), None)
        noisy = None if clean is None else _read(self._noisy(observation), clean.shape)
        return None if clean is None or noisy is None else (clean, noisy)

    def answer(self, observation: str, key: str, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return a method's answer, see `Pictures`, float32, or None if it was not kept.

        Raises
        ------
        DenobenchError
            If the file is damaged, or not of the given shape.
        """
        return _read(self._answer(observation, key), shape)

    def tumour(self, observation: str, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return the tumour's mask, uint8, (H, W), or None if it is not known or was not kept.

        Raises
        ------
        DenobenchError
            If the file is damaged, or not of the given shape.
        """
        return _read(self._tumour(observation), shape, np.uint8)

    def _clean(self, observation: str) -> Path:
        return self.run / "gallery" / safe_name(observation) / "clean.npy"

    def _noisy(self, observation: str) -> Path:
        return self.run / "gallery" / safe_name(observation) / "noisy.npy"

    def _tumour(self, observation: str) -> Path:
        return self.run / "gallery" / safe_name(observation) / "tumour.npy"

    def _answer(self, observation: str, key: str) -> Path:
        return self.run / "gallery" / safe_name(observation) / "answers" / f"{safe_name(key)}.npy"


def middle(pixels: np.ndarray) -> np.ndarray:
    """Return a picture, (H, W): of several slices, (S, H, W), the middle one."""
    return pixels[len(pixels) // 2] if pixels.ndim == 3 else pixels


def _read(
    path: Path, shape: tuple[int, ...] | None, kind: type[np.generic] = np.float32
) -> np.ndarray | None:
    """Return a picture; nothing in its file is executed, and no more is read than it holds."""
    if not path.is_file():
        return None
    try:
        # Mapped: a header may promise far more than the file holds.
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(pixels, np.ndarray) or pixels.dtype != kind or pixels.ndim not in (2, 3):
            raise ValueError(f"not a picture of {np.dtype(kind)} numbers")
        if shape not in (None, pixels.shape) or not 0 < pixels.size <= LARGEST:
            raise ValueError(f"{pixels.shape} pixels, not those of its clean image")
        if not np.isfinite(pixels).all():
            raise ValueError("not all pixels are finite")
        return np.array(pixels)
    except (OSError, ValueError, TypeError, EOFError, SyntaxError) as error:
        raise damaged(path, error) from None
