"""Where images come from."""

from denobench.datasets.base import Dataset, FileItem, Item, SimulatedItem, Unreadable, data_set
from denobench.datasets.sources import REGISTRY, open_dataset, open_folder
from denobench.datasets.split import Split, folds, split, spread

__all__ = [
    "REGISTRY",
    "Dataset",
    "FileItem",
    "Item",
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
