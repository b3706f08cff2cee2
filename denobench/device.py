"""Where networks compute: the words for it, and what a process sees of the machine's accelerators.

Worker processes are started with all accelerators hidden, so that nothing takes one by accident; a
network that may use one shows them to its process before its library looks for them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, get_args

# ``auto`` is an accelerator where the network's library can use one, else the CPU.
Device = Literal["auto", "cpu", "gpu"]
DEVICES: tuple[str, ...] = get_args(Device)

_SEEN = "CUDA_VISIBLE_DEVICES"
_USERS = "DENOBENCH_VISIBLE_DEVICES"  # what that was, where it is hidden


def hidden(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that hide accelerators from a process started with an environment."""
    return {_SEEN: "-1", _USERS: environment.get(_USERS, environment.get(_SEEN, ""))}


def show() -> None:
    """Let this process see the accelerators that the user's environment lets it see.

    Libraries look for them when they are first asked, and never again.
    """
    users = os.environ.pop(_USERS, None)
    if users:
        os.environ[_SEEN] = users
    elif users is not None:
        os.environ.pop(_SEEN, None)
