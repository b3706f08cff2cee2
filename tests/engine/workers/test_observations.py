"""An image is read once in a process, as long as there is room for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from denobench.datasets import Item
from denobench.engine.workers import observations

read: list[str] = []


@dataclass(frozen=True)
class Noted(Item):
    """An item that notes when it is read."""

    def read(self, size: int | None = None) -> np.ndarray:
        read.append(self.id)
        return np.random.default_rng(int(self.id)).random((size, size), np.float32)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observations, "_kept", type(observations._kept)())
    read.clear()


def items(count: int) -> list[Noted]:
    return [Noted(f"{n}", "", f"{n}", f"noted {n}") for n in range(count)]


def test_each_image_is_read_once() -> None:
    """Methods that take turns over all images read none of them again; another size does."""
    for _ in range(3):
        for item in items(20):
            observations.clean(item, 32)
    assert read == [f"{n}" for n in range(20)]
    assert observations.clean(items(1)[0], 48).image.shape == (48, 48)
    assert read[-1] == "0"


def test_room_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The image that was not used for longest makes room; one that needs more is kept alone."""
    one = 32 * 32 * (4 + 1)
    monkeypatch.setattr(observations, "ROOM", 2 * one)
    first, second, third = items(3)
    for item in (first, second, first, third, first, second):
        observations.clean(item, 32)
    assert read == ["0", "1", "2", "1"]
    assert sum(each.bytes for each in observations._kept.values()) <= 2 * one
    assert observations.clean(third, 128).image.shape == (128, 128)
    assert len(observations._kept) == 1
