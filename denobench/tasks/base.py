"""The contract of a task, and of the models that carry it out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from denobench.datasets import Item
from denobench.errors import DenobenchError
from denobench.registry import Registry

# What a model was trained on. ``random`` is ``clean`` in folds that ignore clusters: what a split
# with near-duplicates on both sides would claim.
REGIMES = ("clean", "noisy", "denoised", "random")


class TaskModel(ABC):
    """What is fitted on training images and gives every test image a score.

    Class attribute ``version`` goes up with every change that changes scores, and ``packages``
    names the distributions whose versions do.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int] = 1
    packages: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Return what the model sees of an image, float32, (H, W): it is computed once and kept."""

    @abstractmethod
    def fit(self, prepared: np.ndarray, truths: Sequence[Any], *, seed: int) -> None:
        """Fit to prepared images, (N, ...), and what the task says of each: a label or a mask."""

    @abstractmethod
    def score(self, prepared: np.ndarray) -> np.ndarray:
        """Return probabilities for prepared images; above 0.5 is a yes.

        (N,) of the label 1; of masks (N, h, w), which the task resizes to the image.
        """


@dataclass(frozen=True)
class Task(ABC):
    """A question that is asked of every image, with the models that answer it.

    Attributes
    ----------
    name, title
        As a config names it, and as a table does.
    models
        Classes of models; more than one where a finding might be one model's.
    """

    name: str
    title: str
    models: tuple[type[TaskModel], ...]

    def items(self, items: Sequence[Item]) -> list[Item]:
        """Return the images that can be asked about: all, or those whose truth is known."""
        return [*items]

    @abstractmethod
    def check(self, items: Sequence[Item], folds: Sequence[Sequence[Item]]) -> None:
        """Raise `DenobenchError` if these images, or one of the folds, cannot be asked about."""

    @abstractmethod
    def truth(self, item: Item, size: int | None) -> Any:
        """Return what is true of an image: a label, 0 or 1, or a mask, bool, (H, W)."""

    @abstractmethod
    def rate(self, answer: np.ndarray, truth: Any, item: Item, size: int | None) -> dict[str, Any]:
        """Return what a row says of one answer, by column."""

    def checked(self, model: TaskModel, scores: np.ndarray, count: int) -> np.ndarray:
        """Return a model's scores.

        Raises
        ------
        DenobenchError
            If they are no probabilities, or not one per image.
        """
        found = np.asarray(scores)
        if len(found) != count or not ((found >= 0) & (found <= 1)).all():
            raise DenobenchError(
                f"Task {self.name}: the model {model.name} must give probabilities in [0, 1], one "
                f"per image (or pixel), and gave {found.shape} for {count} images."
            )
        return found


def counted(labels: Mapping[str, int]) -> str:
    """Return how many images have which label, as text."""
    return ", ".join(f"{count} {label!r}" for label, count in labels.items()) or "none"


def _tell(found: Any) -> tuple[str, Any] | None:
    return (found.name, found.models[0]) if isinstance(found, Task) and found.models else None


REGISTRY = Registry("denobench.tasks", "task", _tell)
