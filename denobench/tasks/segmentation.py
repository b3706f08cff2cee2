"""Where the tumour is: outlines against masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from denobench.datasets import Item
from denobench.errors import DenobenchError
from denobench.tasks import outlines
from denobench.tasks.base import Task
from denobench.tasks.pixels import PixelForest

_OEDEMA = 3


class Segmentation(Task):
    """Outline the tumour: its core and rim where a mask tells them from the oedema."""

    def items(self, items: Sequence[Item]) -> list[Item]:
        """Return the images whose tumour is known, those without one among them."""
        return [item for item in items if item.outlined]

    def check(self, items: Sequence[Item], folds: Sequence[Sequence[Item]]) -> None:
        """Raise if no mask is known, none shows a lesion, or a fold has too few to train on."""
        known = self.items(items)
        if not known:
            raise DenobenchError(
                f"Task {self.name} needs masks of the tumours, and none of the {len(items)} images "
                "has one; give their folder (masks: FOLDER in the config, or --set masks=FOLDER)."
            )
        clear = {item.id for item in known if self.truth(item, None).any()}
        if not clear:
            raise DenobenchError(
                f"Task {self.name}: none of the {len(known)} masks shows a lesion; a mask is above "
                "0 in it and 0 elsewhere."
            )
        for number, fold in enumerate(folds, 1):
            outside = clear - {item.id for item in fold}
            if not outside or outside == clear:
                raise DenobenchError(
                    f"Task {self.name}: fold {number} of {len(folds)} has no lesion to "
                    f"{'test' if outside else 'train on'} ({len(clear)} of {len(known)} masks show "
                    "one); it needs more masks with lesions in more clusters, or no limit."
                )

    def truth(self, item: Item, size: int | None) -> np.ndarray:
        """Return where the tumour is, bool, (H, W)."""
        mask = item.mask(size)
        if mask is None:
            return np.zeros(item.read(size).shape, bool)
        return (mask > 0) & (mask != _OEDEMA)

    def rate(self, answer: np.ndarray, truth: Any, item: Item, size: int | None) -> dict[str, Any]:
        """Return overlap, distance and lesions; what an image cannot have is NaN."""
        height, width = truth.shape
        scaled = cv2.resize(answer.astype(np.float32), (width, height))
        outline = scaled > 0.5
        spacing = item.spacing_at(size)
        return {
            "label": int(truth.any()),
            "dice": round(outlines.dice(outline, truth), 6) if truth.any() else np.nan,
            "hd95": round(outlines.hausdorff95(outline, truth, spacing or (1.0, 1.0)), 4),
            "unit": "pixels" if spacing is None else "mm",
            **outlines.lesions(outline, truth, spacing),
        }


tumour_segmentation = Segmentation(
    name="tumour-segmentation", title="Outline of the tumour", models=(PixelForest,)
)
