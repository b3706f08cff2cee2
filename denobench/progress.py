"""Whom long work tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told how far a long stage is."""

    def __call__(self, done: float, total: float, text: str = "") -> None:
        """Say that ``done`` of ``total`` steps are finished, and in words what runs."""


class Watcher(Protocol):
    """Told how far each stage of a run is, and what is worth saying on the way."""

    def stage(self, name: str, done: float, total: float, text: str = "") -> None:
        """Say that ``done`` of ``total`` steps of a stage are finished, and what runs."""

    def say(self, text: str) -> None:
        """Say something once."""


class Silent:
    """A watcher that says nothing."""

    def stage(self, name: str, done: float, total: float, text: str = "") -> None:
        """Say nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""


def of_stage(watcher: Watcher, name: str) -> Progress:
    """Return the progress of one stage of those that a watcher is told of."""

    def progress(done: float, total: float, text: str = "") -> None:
        watcher.stage(name, done, total, text)

    return progress


def unheard(done: float, total: float, text: str = "") -> None:
    """Progress that nobody wants to know of."""
