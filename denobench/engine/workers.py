"""Child processes: how each starts, and a conversation with one.

Nothing heavy is imported here, because thread counts must be set before numerical libraries load.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

CONTEXT = multiprocessing.get_context("spawn")

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def start(threads: int, plugins: Sequence[Path], log: Path) -> None:
    """Prepare this process: output, threads, signals, plugins. Runs first in every child.

    Parameters
    ----------
    threads
        How many threads a numerical library may use.
    plugins
        Plugin files to register.
    log
        File that takes whatever methods and libraries print.
    """
    _print_to(log)
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's to handle
    _die_with_parent()

    import cv2

    from denobench import methods

    cv2.setNumThreads(threads)
    for path in plugins:
        methods.add_plugin(path)


def _print_to(log: Path) -> None:
    """Let standard output and error, also those of compiled code, go to a file."""
    with log.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _die_with_parent() -> None:
    """Ask the kernel to end this process when the coordinator dies, however it dies."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: Any) -> None:
    parent.join()
    os._exit(1)


class ChildError(Exception):
    """A child process failed or died; the message says how."""


@contextmanager
def conversation(
    serve: Callable[..., None], *args: Any, threads: int, plugins: Sequence[Path], log: Path
) -> Iterator[Connection]:
    """Run ``serve(connection, *args)`` in a fresh process, prepared by `start`, and talk to it.

    Yields
    ------
    multiprocessing.connection.Connection
        Read it with `receive`, which raises if the child failed.
    """
    ours, theirs = CONTEXT.Pipe()
    child = CONTEXT.Process(
        target=_serve, args=(theirs, serve, args, threads, tuple(plugins), log), daemon=True
    )
    child.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        child.kill()
        child.join()


def receive(connection: Connection, timeout: float | None = None) -> Any:
    """Return the child's next message.

    Raises
    ------
    TimeoutError
        If none comes within ``timeout`` seconds.
    ChildError
        If the child raised or died.
    """
    if not connection.poll(timeout):
        raise TimeoutError(f"no answer within {timeout:g} s")
    try:
        kind, value = connection.recv()
    except EOFError:
        raise ChildError("its process died") from None
    if kind == "error":
        raise ChildError(value)
    return value


def _serve(
    connection: Connection,
    serve: Callable[..., None],
    args: tuple[Any, ...],
    threads: int,
    plugins: tuple[Path, ...],
    log: Path,
) -> None:
    """Prepare the child, run what it is for, and send home what it raises."""
    try:
        start(threads, plugins, log)
        serve(connection, *args)
    except (BrokenPipeError, EOFError):
        pass
    except Exception as error:
        traceback.print_exc()
        connection.send(("error", f"{type(error).__name__}: {error}"))
