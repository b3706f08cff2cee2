"""Where images come from."""

from denobench.datasets.base import (
    Dataset,
    FileItem,
    Item,
    Observation,
    SimulatedItem,
    Unreadable,
    data_set,
)
from denobench.datasets.folder import open_folder
from denobench.datasets.sources import REGISTRY, open_dataset
from denobench.datasets.split import Split, folds, split, spread
from denobench.datasets.survey import Reading

__all__ = [
    "REGISTRY",
    "Dataset",
    "FileItem",
    "Item",
    "Observation",
    "Reading",
    "SimulatedItem",
    "Split",
    "Unreadable",
    "data_set",
    "folds",
    "open_dataset",
    "open_folder",
    "split",
    "spread",
]
