"""Search a method's parameters with a fixed number of trials, along one parameter at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

Settings = dict[str, Any]

_FINEST = 0.02  # values that lie closer together, as a share, are not told apart


class Search:
    """What to try next, given the scores of what was tried.

    The first trial is the start. Along each parameter in turn its values are tried with the others
    at their best so far; while the best lies at an end, the values are widened beyond it, by steps
    that double. Trials that are left go halfway between the best and its neighbours. Every trial
    counts.

    Parameters
    ----------
    start
        The defaults of the parameters to be tuned.
    grid
        Values to try of each parameter; numbers may be widened and refined, other values not.
    trials
        How many settings may be tried, the start among them.
    """

    def __init__(self, start: Settings, grid: Mapping[str, Sequence[Any]], trials: int) -> None:
        self._grid = {name: _ordered([*values, start[name]]) for name, values in grid.items()}
        self._start = {name: start[name] for name in grid}
        self._left = trials
        self._tried: dict[str, tuple[Settings, float]] = {}
        self._batches = self._propose()

    def ask(self) -> list[Settings]:
        """Return what to try next, all of it to be told before the next call; empty at the end."""
        batch: list[Settings] = []
        while self._left and not batch:
            batch = next(self._batches, [])
            if not batch:
                return []
            unique = {_text(settings): settings for settings in batch if self._new(settings)}
            batch = list(unique.values())[: self._left]
        self._left -= len(batch)
        return batch

    def tell(self, settings: Settings, score: float) -> None:
        """Take note of a score, higher being better; of a failed trial it is minus infinity."""
        self._tried[_text(settings)] = settings, score

    @property
    def best(self) -> Settings:
        """What scored best; the first of equals, and the start where all have failed."""
        if not self._tried:
            return self._start
        settings, score = max(self._tried.values(), key=lambda tried: tried[1])
        return settings if score > -math.inf else self._start

    def _new(self, settings: Settings) -> bool:
        return _text(settings) not in self._tried

    def _propose(self) -> Iterator[list[Settings]]:
        yield [self._start]
        for name, values in self._grid.items():
            yield [{**self.best, name: value} for value in values]
            while beyond := self._beyond(name):
                yield [beyond]
        while finer := [settings for name in self._grid for settings in self._between(name)]:
            yield finer

    def _values(self, name: str) -> list[Any]:
        """Return the values of a parameter that were tried, in order."""
        return _ordered([settings[name] for settings, _ in self._tried.values()])

    def _beyond(self, name: str) -> Settings | None:
        """Return the best with the next value beyond an end, or None where it is at neither."""
        values = self._values(name)
        value = self.best[name]
        if len(values) < 2 or not _number(value) or value not in (values[0], values[-1]):
            return None
        grid = self._grid[name]
        if value == values[-1]:
            further = value + (value - values[-2]) * (2 if value > grid[-1] else 1)
        else:
            further = value - (values[1] - value) * (2 if value < grid[0] else 1)
            if further <= 0 < value:  # of a positive quantity
                if isinstance(value, int):
                    return None
                further = value / 2
        beyond = {**self.best, name: _rounded(further)}
        return beyond if self._new(beyond) else None

    def _between(self, name: str) -> Iterator[Settings]:
        """Yield the best with values halfway to its neighbours."""
        values, value = self._values(name), self.best[name]
        if not _number(value):
            return
        place = values.index(value)
        for neighbour in values[max(place - 1, 0) : place] + values[place + 1 : place + 2]:
            middle = _halfway(value, neighbour, self._grid[name])
            finer = {**self.best, name: middle}
            if middle is not None and self._new(finer):
                yield finer


def _halfway(value: Any, neighbour: Any, grid: Sequence[Any]) -> Any:
    """Return the number halfway, whole ones in the grid's steps; None where they lie too close."""
    if isinstance(value, int) and isinstance(neighbour, int):
        step = min(b - a for a, b in pairwise(grid))
        steps = (neighbour - value) // step
        return value + int(steps / 2) * step if abs(steps) > 1 else None
    if abs(neighbour - value) <= _FINEST * abs(value):
        return None
    return _rounded((value + neighbour) / 2)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(values: Sequence[Any]) -> list[Any]:
    """Return different values, numbers in ascending order."""
    different = list(dict.fromkeys(values))
    return sorted(different) if all(map(_number, different)) else different


def _rounded(value: float) -> float:
    """Return a number without the last bits of arithmetic, so that it is printed as it is meant."""
    return value if isinstance(value, int) else float(f"{value:.4g}")


def _text(settings: Settings) -> str:
    return json.dumps(settings, sort_keys=True)
