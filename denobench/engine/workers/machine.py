"""The machine as this process may use it: cores, memory, processor."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

_GROUPS = Path("/sys/fs/cgroup")


def cores() -> int:
    """Return how many cores this process may use: CPU affinity and a container's share count."""
    from joblib import cpu_count

    return int(cpu_count())


def memory() -> int:
    """Return how many bytes of memory this process may use: the machine's or its container's."""
    return min([psutil.virtual_memory().total, *_limits()])


def hardware() -> Mapping[str, Any]:
    """Return processor, usable cores and memory, and system."""
    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "memory_gb": round(memory() / 2**30, 1),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def cpu_model() -> str:
    """Return the processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _limits() -> Iterator[int]:
    """Yield the memory limits of this process's control groups, of either version, in bytes."""
    try:
        groups = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for group in groups:
        _, controllers, path = group.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        file = "memory/memory.limit_in_bytes" if controllers else "memory.max"
        root, _, name = (_GROUPS / file).as_posix().rpartition("/")
        below = Path(path.lstrip("/"))
        for folder in (below, *below.parents):
            try:
                yield int((Path(root) / folder / name).read_text())
            except (OSError, ValueError):  # no such group here, or "max"
                continue
