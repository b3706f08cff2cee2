"""What people do with denoised images: tasks, fitted and scored on what each method leaves."""

from denobench.tasks.base import REGIMES, REGISTRY, Task, TaskModel
from denobench.tasks.classification import Classification
from denobench.tasks.segmentation import Segmentation

__all__ = ["REGIMES", "REGISTRY", "Classification", "Segmentation", "Task", "TaskModel"]
