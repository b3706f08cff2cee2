"""The denoised images that tasks look at, in a run's folder."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from denobench.files import damaged, safe_name, subfolder, write_bytes
from denobench.rows import RunFolder

USED = "used.json"  # names the files below ``tasks`` that the current plan uses


@dataclass(frozen=True)
class Answers:
    """The denoised images that tasks look at, by their cells' keys, in a run's folder."""

    path: Path

    @classmethod
    def of(cls, folder: RunFolder) -> Answers:
        """Return the answers of a run."""
        return cls(folder.path.absolute() / "tasks" / "answers")

    def holds(self, key: str) -> bool:
        """Return whether a cell's answer is there."""
        return self.file(key).is_file()

    def save(self, key: str, answer: np.ndarray) -> None:
        """Keep a cell's answer, (H, W), at half precision: to 1 in 2048 of what a pixel holds."""
        subfolder(self.path.parents[1], *self.path.parts[-2:])
        save(self.file(key), answer.astype(np.float16))

    def read(self, key: str) -> np.ndarray:
        """Return a cell's answer, float32, (H, W)."""
        return load(self.file(key)).astype(np.float32)

    def file(self, key: str) -> Path:
        """Return the file of a cell's answer."""
        return self.path / f"{safe_name(key)}.npy"


def save(path: Path, values: np.ndarray) -> None:
    """Write an array whole or not at all."""
    content = io.BytesIO()
    np.save(content, values, allow_pickle=False)
    write_bytes(path, content.getvalue())


def load(path: Path) -> np.ndarray:
    """Return an array; nothing in its file is executed."""
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise damaged(path, error) from None
