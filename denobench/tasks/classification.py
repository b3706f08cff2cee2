"""Whether an image shows a tumour: a question with two answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from denobench.datasets import Item
from denobench.errors import DenobenchError
from denobench.tasks.base import Task, counted
from denobench.tasks.features import LinearModel
from denobench.tasks.network import SmallNetwork
from denobench.tasks.tumour_aware import TumourAware


@dataclass(frozen=True)
class Classification(Task):
    """A question with two answers, of which the images' labels know the right one.

    Attributes
    ----------
    positive
        The label that counts as a yes.
    """

    positive: str = "yes"

    def check(self, items: Sequence[Item], folds: Sequence[Sequence[Item]]) -> None:
        """Raise if there are not two labels, or a fold would be without one of them."""
        counts = Counter(item.label for item in items)
        labels = counts.keys() - {""}
        if len(counts) != 2 or self.positive not in labels or len(labels) < 2:
            found = counted(dict(sorted(counts.items())[:5])) if labels else "none"
            raise DenobenchError(
                f"Task {self.name} needs images of two labels, {self.positive!r} and another "
                f"(sub-folders {self.positive}/ and no/, say); these have: {found}."
            )
        fewest = min(counts, key=lambda label: counts[label])
        if counts[fewest] < len(folds):
            raise DenobenchError(
                f"Task {self.name}: every one of the {len(folds)} folds has to test both labels, "
                f"and of {fewest!r} there are {counts[fewest]} images (in all: "
                f"{counted(dict(sorted(counts.items())))}); use more images, or no limit."
            )
        for number, fold in enumerate(folds, 1):
            inside = {item.label for item in fold}
            outside = {item.label for each in folds if each is not fold for item in each}
            if len(inside) < 2 or len(outside) < 2:
                raise DenobenchError(
                    f"Task {self.name}: fold {number} of {len(folds)} has images of one label "
                    f"alone to test or to train on (in all: "
                    f"{counted(dict(sorted(counts.items())))}); it needs more clusters of "
                    "both labels, or no limit."
                )

    def truth(self, item: Item, size: int | None) -> int:  # noqa: ARG002
        """Return 1 for the positive label and 0 for the other."""
        return int(item.label == self.positive)

    def rate(self, answer: np.ndarray, truth: Any, item: Item, size: int | None) -> dict[str, Any]:  # noqa: ARG002
        """Return the label, the probability and the answer."""
        return {"label": truth, "score": round(float(answer), 6), "prediction": int(answer > 0.5)}

    def checked(self, model: Any, scores: np.ndarray, count: int) -> np.ndarray:
        """Return the probabilities, (N,)."""
        found = super().checked(model, scores, count)
        if found.ndim != 1:
            raise DenobenchError(
                f"Task {self.name}: the model {model.name} must give one probability per image, "
                f"and gave {found.shape} for {count} images."
            )
        return found


tumour_classification = Classification(
    name="tumour-classification",
    title="Tumour or not",
    models=(LinearModel, SmallNetwork, TumourAware),
)
