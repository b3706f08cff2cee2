"""Where images come from."""

from denobench.datasets.base import Dataset, FileItem, Item, SimulatedItem, Unreadable
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
    "folds",
    "open_dataset",
    "open_folder",
    "split",
    "spread",
]
