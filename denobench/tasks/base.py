"""The contract of a task, and of the models that carry it out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from denobench.datasets import Item
from denobench.errors import DenobenchError
from denobench.registry import Registry

# What a model was trained on.
REGIMES = ("clean", "noisy", "denoised")


class TaskModel(ABC):
    """What is fitted on training images and gives every test image a score.

    Class attribute ``version`` goes up with every change that changes scores.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int] = 1

    @abstractmethod
    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Return what the model sees of an image, float32, (H, W): it is computed once and kept."""

    @abstractmethod
    def fit(self, prepared: np.ndarray, labels: np.ndarray, *, seed: int) -> None:
        """Fit to prepared images, (N, ...), and their labels, 0 or 1, (N,)."""

    @abstractmethod
    def score(self, prepared: np.ndarray) -> np.ndarray:
        """Return the probability of label 1 for prepared images, (N,); above 0.5 is a yes."""


@dataclass(frozen=True)
class Task:
    """A question that is asked of every image, with the models that answer it.

    Attributes
    ----------
    name, title
        As a config names it, and as a table does.
    positive
        The label that counts as a yes.
    models
        Classes of models; more than one, so that a finding is not one model's.
    """

    name: str
    title: str
    positive: str
    models: tuple[type[TaskModel], ...]

    def labels(self, items: Sequence[Item]) -> np.ndarray:
        """Return 1 for the images with the positive label and 0 for the others, (N,).

        Raises
        ------
        DenobenchError
            If the images have not two labels, one of them the positive.
        """
        found = sorted({item.label for item in items})
        if len(found) != 2 or self.positive not in found:
            named = ", ".join(repr(label) for label in found[:5] if label) or "none"
            raise DenobenchError(
                f"Task {self.name} needs images of two labels, {self.positive!r} and another "
                f"(sub-folders {self.positive}/ and no/, say); these have: {named}."
            )
        return np.array([item.label == self.positive for item in items], np.int64)


def _tell(found: Any) -> tuple[str, Any] | None:
    return (found.name, found.models[0]) if isinstance(found, Task) and found.models else None


REGISTRY = Registry("denobench.tasks", "task", _tell)
