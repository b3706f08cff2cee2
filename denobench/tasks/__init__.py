"""What people do with denoised images: tasks, fitted and scored on what each method leaves."""

from denobench.tasks.base import REGIMES, REGISTRY, Task, TaskModel

__all__ = ["REGIMES", "REGISTRY", "Task", "TaskModel"]
