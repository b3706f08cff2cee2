"""Whether an image shows a tumour."""

from __future__ import annotations

from denobench.tasks.base import Task
from denobench.tasks.features import LinearModel
from denobench.tasks.network import SmallNetwork

tumour_classification = Task(
    name="tumour-classification",
    title="Tumour or not",
    positive="yes",
    models=(LinearModel, SmallNetwork),
)
