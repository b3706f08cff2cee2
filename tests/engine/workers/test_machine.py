"""The machine as this process may use it."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from denobench.engine.workers.machine import memory


@pytest.mark.skipif(sys.platform != "linux", reason="affinity is Linux's")
def test_cores_are_those_of_the_affinity() -> None:
    """A process that is bound to one core counts one, and not the machine's."""
    code = (
        "import os; os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])\n"
        "from denobench.engine.workers.machine import cores; print(cores())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_memory_is_at_most_the_machine_s() -> None:
    """The memory that a run may use is some, and no more than there is."""
    assert 2**28 < memory() <= psutil.virtual_memory().total
