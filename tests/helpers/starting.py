"""Programs in processes of their own that were forked where their modules are imported already.

They are as real as fresh ones: they have their own process group, are killed and interrupted like
any other, and start their own workers. What a test says of the start itself needs a fresh Python.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_FIGURES = ("cost", "curves", "gallery", "ranks", "sensitivity", "tasks", "training", "tuning")
_CONTEXT.set_forkserver_preload(
    [
        *("denobench.cli.comparison", "denobench.api", "denobench.bars"),
        *("denobench.engine.coordinator", "denobench.report.figures.files"),
        *(f"denobench.report.figures.{name}" for name in _FIGURES),
        *("denobench.report.page.page", "denobench.report.page.viewer", "rich.console"),
        *("denobench.report.tables.scores", "denobench.report.text.verdict"),
        *("distributed.scheduler", "distributed.worker"),
    ]
)


class Started:
    """A program that runs; used like a `subprocess.Popen`.

    Parameters
    ----------
    module
        What ``python -m`` would run.
    words
        Its arguments.
    environment
        Its variables, all of them.
    output, errors
        Files that take what it prints; what goes to standard error, too, unless ``errors`` does.
    """

    def __init__(
        self,
        module: str,
        words: list[str | Path],
        environment: Mapping[str, str] | None = None,
        output: str | Path = os.devnull,
        errors: str | Path | None = None,
    ) -> None:
        files = [str(output), str(errors or output)]
        given = (module, [*map(str, words)], dict(environment or os.environ), files)
        self._process = _CONTEXT.Process(target=_become, args=given)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when it has ended."""
        self._process.join(timeout)
        assert self._process.exitcode is not None
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        self._process.kill()


def _become(module: str, words: list[str], environment: dict[str, str], files: list[str]) -> None:
    """Run a module as ``python -m`` does."""
    os.setpgid(0, 0)
    sys.path.insert(0, os.getcwd())
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, path in enumerate(files, 1):
        with open(path, "ab") as file:
            os.dup2(file.fileno(), descriptor)
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
