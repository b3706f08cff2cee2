"""Where networks compute."""

from __future__ import annotations

import os

import pytest

from denobench import device


@pytest.mark.parametrize("users", ["0,1", "", None])
def test_what_is_hidden_is_shown_as_the_user_has_it(
    monkeypatch: pytest.MonkeyPatch, users: str | None
) -> None:
    """A process sees no accelerator until it asks, then those of the user; so does its child."""
    given = {} if users is None else {"CUDA_VISIBLE_DEVICES": users}
    child = device.hidden(given)
    assert child["CUDA_VISIBLE_DEVICES"] == "-1"
    assert device.hidden(child) == child
    for name, value in child.items():
        monkeypatch.setenv(name, value)
    device.show()
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == (users or None)


def test_process_of_its_own_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing was hidden, nothing is shown."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.delenv("DENOBENCH_VISIBLE_DEVICES", raising=False)
    device.show()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
