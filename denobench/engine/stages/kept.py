"""Where the pictures of a run's cells are kept: for the gallery, and for its tasks."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import Plan
from denobench.files import damaged, safe_name, write_bytes
from denobench.gallery import Pictures
from denobench.rows import RunFolder


@dataclass(frozen=True)
class Answers:
    """The denoised images that tasks look at, by their cells' keys, in a run's folder."""

    path: Path

    @classmethod
    def of(cls, folder: RunFolder) -> Answers:
        """Return the answers of a run."""
        return cls(folder.path / "tasks" / "answers")

    def holds(self, key: str) -> bool:
        """Return whether a cell's answer is there."""
        return self._file(key).is_file()

    def save(self, key: str, answer: np.ndarray) -> None:
        """Keep a cell's answer, (H, W), at half precision: to 1 in 2048 of what a pixel holds."""
        self.path.mkdir(parents=True, exist_ok=True)
        save(self._file(key), answer.astype(np.float16))

    def read(self, key: str) -> np.ndarray:
        """Return a cell's answer, float32, (H, W)."""
        return load(self._file(key)).astype(np.float32)

    def _file(self, key: str) -> Path:
        return self.path / f"{safe_name(key)}.npy"


@dataclass(frozen=True)
class Kept:
    """Where the pictures of a run's cells are kept: in the gallery, for its tasks, or in both."""

    plan: Plan
    folder: RunFolder

    def holds(self, cell: Cell) -> bool:
        """Return whether all pictures of a cell are where they are wanted."""
        shown = cell.item.id in self.plan.shown
        return (not shown or self.folder.gallery.holds(cell.observation, cell.key)) and (
            not self.plan.tasks or Answers.of(self.folder).holds(cell.key)
        )

    def save(self, cell: Cell, pictures: Pictures) -> None:
        """Keep a cell's pictures."""
        if cell.item.id in self.plan.shown:
            self.folder.gallery.save(cell.observation, cell.key, pictures)
        if self.plan.tasks:
            Answers.of(self.folder).save(cell.key, pictures.answer)


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
