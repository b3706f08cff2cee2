"""How scores are called: by their metric, and by the part of the image that they are taken on."""

from __future__ import annotations

_FOREGROUND = "_foreground"


def on_foreground(metric: str) -> str:
    """Return what a metric's score on the foreground is called."""
    return metric + _FOREGROUND


def is_on_foreground(score: str) -> bool:
    """Return whether a score is taken on the foreground; else it is of the whole image."""
    return score.endswith(_FOREGROUND)


def metric_of(score: str) -> str:
    """Return the metric that a score is of."""
    return score.removesuffix(_FOREGROUND)
