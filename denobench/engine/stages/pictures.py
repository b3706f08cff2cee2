"""Where the pictures of a run's cells are kept: for the gallery, and for its tasks."""

from __future__ import annotations

from dataclasses import dataclass

from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import Plan
from denobench.engine.workers.answers import Answers
from denobench.gallery import Pictures
from denobench.rows import RunFolder


@dataclass(frozen=True)
class Kept:
    """Where the pictures of a run's cells are kept: in the gallery, for its tasks, or in both.

    ``shown`` are the ids of the images in the gallery.
    """

    plan: Plan
    folder: RunFolder
    shown: frozenset[str]

    def holds(self, cell: Cell) -> bool:
        """Return whether all pictures of a cell are where they are wanted."""
        shown = cell.item.id in self.shown
        return (not shown or self.folder.gallery.holds(cell.observation, cell.key)) and (
            not self.plan.tasks or Answers.of(self.folder).holds(cell.key)
        )

    def save(self, cell: Cell, pictures: Pictures) -> None:
        """Keep a cell's pictures."""
        if cell.item.id in self.shown:
            self.folder.gallery.save(cell.observation, cell.key, pictures)
        if self.plan.tasks:
            Answers.of(self.folder).save(cell.key, pictures.answer)
