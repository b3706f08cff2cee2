"""Child processes: how each starts, talks, and ends with all that it has started.

Every child has a pipe of its own, so that one that is killed in the middle of a message hurts
nobody else. Nothing heavy is imported here: children read this module first.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import Any

from denobench import device, surroundings
from denobench.engine.workers import nursery
from denobench.errors import DenobenchError, reason

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
_COOKIE = "DENOBENCH_CHILD"
_STALL_SECONDS = 5  # without another byte of a message that has begun
_LOOK_SECONDS = 0.5  # between looks at a child whose pipe is silent
_LOCALE = ("COLUMNS", "LANG", "LC_", "LINES")  # and LANGUAGE
_BOOT = "from denobench.engine.workers.child import main; main(int(sys.argv[1]))"


class ChildError(Exception):
    """A child process failed or died; the message says how."""


class ChildDiedError(ChildError):
    """A child process died: by itself, or killed by somebody."""


class Child:
    """A fresh process that runs ``serve(connection, *args)``, in a process group of its own.

    It ends when this process does, however that ends. One of one thread may be the fork of a
    process that has run nobody's methods: see `denobench.engine.workers.nursery`.

    Parameters
    ----------
    serve
        What the child does: a function of a module, given the child's end of the pipe.
    *args
        Its further arguments.
    threads
        How many threads a numerical library may use.
    plugins
        Plugin files to register first.
    log
        File that takes whatever methods and libraries print.
    variables
        Of its environment, where they differ from every child's.
    """

    def __init__(
        self,
        serve: Callable[..., None],
        *args: Any,
        threads: int,
        plugins: Sequence[Path],
        log: Path,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.cookie = uuid.uuid4().hex
        with _naming_limits(), ExitStack() as stack:
            ours, theirs = map(stack.enter_context, socket.socketpair())
            output = stack.enter_context(log.open("ab")).fileno()
            environment, own = _environment(threads), {**variables, _COOKIE: self.cookie}
            given = theirs.fileno(), output
            forked = (
                nursery.fork(serve.__module__, *given, environment, own) if threads == 1 else None
            )
            self._process = forked or _fresh(*given, {**environment, **own})
            parent = forked.parent if forked else os.getpid()
            # A length that a method wrote into the pipe must not make us wait for ever.
            stall = struct.pack("ll", _STALL_SECONDS, 0)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, stall)
            self.connection = Connection(ours.detach())
        self.pid = self._process.pid
        with suppress(BrokenPipeError):  # its death shows when it is asked for an answer
            self.connection.send((parent, threads, tuple(plugins)))
            self.connection.send((serve, args))

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def receive(self, timeout: float | None = None) -> Any:
        """Return the child's next message.

        Raises
        ------
        TimeoutError
            If none comes within ``timeout`` seconds.
        ChildError
            If the child raised; `ChildDiedError` if it died, or what it sent cannot be read.
        DenobenchError
            If the child found the disk full.
        """
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while not self.connection.poll(min(_LOOK_SECONDS, max(0, deadline - time.monotonic()))):
            if self.died():
                raise ChildDiedError(f"its process died ({self.kill()})")
            if time.monotonic() >= deadline:
                raise TimeoutError(f"no answer within {timeout:g} s")
        try:
            kind, value = self.connection.recv()
        except (EOFError, ConnectionError):
            raise ChildDiedError(self._how_it_ended()) from None
        except Exception:  # whatever a method may have written
            self.kill()
            raise ChildDiedError("it wrote into the pipe of its process") from None
        if kind == "error":
            raise ChildError(value)
        if kind == "full":
            raise DenobenchError(value)
        return value

    def died(self) -> bool:
        """Return whether the child is gone, though what it has started may hold its pipe."""
        return self._process.poll() is not None and not self.connection.poll()

    def _how_it_ended(self) -> str:
        """Say what became of a child whose pipe is closed."""
        try:
            self._process.wait(_STALL_SECONDS)  # the exit code is known a little later
        except subprocess.TimeoutExpired:
            self.kill()
            return "it closed the pipe of its process"
        return f"its process died ({self.kill()})"

    def kill(self) -> str:
        """End the child and all that it has started, and say how the child ended."""
        kill_all([self])
        code = self._process.wait()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def kill_all(children: Sequence[Child]) -> None:
    """End children and all that they have started, at once."""
    import psutil

    for child in children:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    # Those that have left their group, and perhaps lost their parent, still carry its mark.
    cookies = {child.cookie for child in children}
    for process in psutil.process_iter() if children else ():
        with suppress(psutil.Error):
            if process.environ().get(_COOKIE) in cookies:
                process.kill()
    for child in children:
        child.connection.close()
        child._process.wait()


@contextmanager
def _naming_limits() -> Iterator[None]:
    """Turn the error of a limit on processes or open files into one that says so."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM):
            raise
        raise DenobenchError(
            f"A process cannot be started ({error.strerror}): allow more processes, open files or "
            "memory (ulimit), or use fewer workers (--set workers=1)."
        ) from error


class _Pipe(Connection):
    """A child's end of its pipe; a copy of the child that a method has forked may not speak."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self._owner = os.getpid()

    def send(self, message: Any) -> None:
        """Send a message, or end the copy."""
        if os.getpid() != self._owner:
            os._exit(0)
        super().send(message)


def _environment(threads: int) -> dict[str, str]:
    """Return the child's environment: thread counts must be set before libraries load."""
    kept = surroundings.environment(os.environ)
    return {
        **{name: value for name, value in kept.items() if not name.startswith(_LOCALE)},
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
        **device.hidden(os.environ),
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _fresh(pipe: int, log: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a child whose libraries see variables of its own when they are imported."""
    return subprocess.Popen(
        [*surroundings.python(_BOOT), str(pipe)],
        env=dict(environment),
        pass_fds=[pipe],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        process_group=0,  # a new session would leave the priority of ours
    )


def main(descriptor: int) -> None:
    """Prepare the child, run what it is for, and send home what it raises."""
    connection = _Pipe(descriptor)
    # Ctrl-C is the coordinator's to handle. What methods start has the default, even where this
    # run was started in the background, with the signal ignored.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        parent, threads, plugins = connection.recv()
        _die_with(parent)

        surroundings.import_unseen()

        import cv2

        from denobench.registry import load_plugins

        cv2.setNumThreads(threads)
        with load_plugins(plugins):
            serve, args = connection.recv()  # may hold what plugins define
            serve(connection, *args)
    except (BrokenPipeError, EOFError):
        pass
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        told = reason(error).removeprefix(f"{DenobenchError.__name__}: ")  # a sentence by itself
        connection.send(("full" if full else "error", told))


def _die_with(parent: int) -> None:
    """End this process when its parent dies, however that dies."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)
