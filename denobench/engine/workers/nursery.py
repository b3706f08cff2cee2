"""Where children of one thread come from: a process that has imported what they need, and forks.

A fresh Python takes a second to import what every worker needs, a fork of one that has done so some
hundredths. It has run nobody's methods, so that neither has its fork. On Linux alone: elsewhere a
fork is not safe.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from typing import Any

from denobench import surroundings

AVAILABLE = sys.platform == "linux"
IDLE_SECONDS = 5.0  # without a child, after which the process ends

_LOOK_SECONDS = 0.5
_WAIT_SECONDS = 0.002  # between looks at a child that is about to end
_BOOT = (
    "from denobench.engine.workers import child, nursery; "
    "nursery.nurse(child.main, *map(int, sys.argv[1:]))"
)


@dataclass(frozen=True)
class _Wish:
    """What a child is to be: a module that it needs, and what it has from its parent."""

    module: str
    environment: Mapping[str, str]
    path: tuple[str, ...]
    folder: str | None


class Forked:
    """A process that was forked; used like a `subprocess.Popen`."""

    def __init__(self, nursery: _Nursery, pid: int) -> None:
        self.pid = pid
        self.parent = nursery.pid
        self._nursery = nursery
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while the process lives."""
        if self._code is None:
            self._code = self._nursery.exit_code(self.pid)
        return self._code

    def wait(self, timeout: float = float("inf")) -> int:
        """Return the exit code when the process has ended.

        Raises
        ------
        subprocess.TimeoutExpired
            If it does not within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(_WAIT_SECONDS)
        return code


class _Nursery:
    """The process that forks, as its parent sees it."""

    def __init__(self, environment: Mapping[str, str], log: int) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            process = subprocess.Popen(
                [*surroundings.python(_BOOT), str(theirs.fileno()), str(os.getpid())],
                env=dict(environment),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
            self._connection = Connection(ours.detach())
        self.pid = process.pid
        self._lock = threading.Lock()
        # It ends by itself, and somebody has to take note.
        threading.Thread(target=process.wait, daemon=True).start()
        self._wait = process.wait

    def fork(self, wish: _Wish, pipe: int, log: int) -> Forked:
        """Return a new child; raises EOFError or ConnectionError if this process has ended."""
        answer = self._ask(wish, pipe, log)
        if isinstance(answer, OSError):
            raise answer
        return Forked(self, answer)

    def exit_code(self, pid: int) -> int | None:
        """Return a child's exit code, or None while it lives; with this process all have died."""
        try:
            code: int | None = self._ask(pid)
            return code
        except (EOFError, ConnectionError):
            return -signal.SIGKILL

    def _ask(self, question: _Wish | int, *descriptors: int) -> Any:
        """Return the answer to a question; after one that was interrupted there is no other."""
        with self._lock:
            if self._connection.closed:
                raise EOFError
            try:
                self._connection.send(question)
                for descriptor in descriptors:
                    send_handle(self._connection, descriptor, self.pid)
                return self._connection.recv()
            except BaseException:
                self._connection.close()
                raise

    def end(self) -> None:
        """End the process, and with it all that it has forked."""
        with self._lock:
            self._connection.close()
        self._wait()


_lock = threading.Lock()
_current: _Nursery | None = None


def fork(
    module: str, pipe: int, log: int, environment: Mapping[str, str], own: Mapping[str, str]
) -> Forked | None:
    """Return a new process in which ``main(pipe)`` of `nurse` runs, in a process group of its own.

    None where nobody can fork it: this is no Linux, or what forks was killed again and again.

    Parameters
    ----------
    module
        What it will need, imported once for all.
    pipe, log
        Descriptors: its end of its pipe, and what takes standard output and error.
    environment, own
        Its variables: those that the process that forks has, too, and what it alone has.

    Raises
    ------
    OSError
        If a limit of the system is reached.
    """
    global _current
    if not AVAILABLE:
        return None
    paths = tuple(path for path in sys.path if os.path.isabs(path))
    wish = _Wish(module, {**environment, **own}, paths, _folder())
    with _lock:
        for _ in range(2):  # one that was idle may have ended just now
            if _current is None:
                _current = _Nursery(environment, log)
            try:
                return _current.fork(wish, pipe, log)
            except (EOFError, ConnectionError):
                _current.end()
                _current = None
    return None


def end() -> None:
    """End the process that forks, if there is one."""
    global _current
    with _lock:
        if _current is not None:
            _current.end()
            _current = None


def _forget() -> None:
    """Leave the process that forks to the one that has started it: this is a copy of that."""
    global _current, _lock
    _current, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)


def _folder() -> str | None:
    """Return the working folder, or None where it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return None


def nurse(main: Callable[[int], None], descriptor: int, parent: int) -> None:
    """Fork what is asked for, until the parent dies or has long asked for nothing.

    Parameters
    ----------
    main
        What runs in a child, given its end of its pipe.
    descriptor
        Of the pipe to the parent.
    parent
        Its process.
    """
    set_child_subreaper = 36  # what a method leaves behind becomes ours
    ctypes.CDLL(None).prctl(set_child_subreaper, 1)
    gc.disable()  # what is imported here stays
    connection = Connection(descriptor)
    ended: dict[int, int] = {}
    alive: set[int] = set()
    asked = time.monotonic()
    try:
        while os.getppid() == parent and (alive or time.monotonic() - asked < IDLE_SECONDS):
            ready = connection.poll(_LOOK_SECONDS)
            _reap(ended)
            if alive:
                asked = time.monotonic()
                alive -= ended.keys()
                if not alive:
                    _kill_all()
            if not ready:
                continue
            question = connection.recv()
            if isinstance(question, int):
                connection.send(ended.get(question))
                continue
            answer = _fork(main, connection, question)
            if isinstance(answer, int):
                ended.pop(answer, None)  # of an earlier process of that number
                alive.add(answer)
            connection.send(answer)
    except (EOFError, ConnectionError):
        pass
    _kill_all()


def _reap(ended: dict[int, int]) -> None:
    """Note the exit codes of the children that have ended."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            ended[pid] = os.waitstatus_to_exitcode(status)


def _fork(main: Callable[[int], None], connection: Connection, wish: _Wish) -> int | OSError:
    """Fork a child, and return its process, or why there is none."""
    pipe, log = (recv_handle(connection) for _ in range(2))
    with suppress(Exception):  # else the child says what is wrong
        importlib.import_module(wish.module)
    gc.freeze()  # so that a child, which looks for garbage again, does not copy all this
    try:
        pid = os.fork()
    except OSError as error:
        return error
    if not pid:
        try:
            gc.enable()
            os.setpgid(0, 0)
            connection.close()
            _become(wish, log)
            main(pipe)
        finally:
            os._exit(0)
    with suppress(OSError):  # it has done so itself
        os.setpgid(pid, pid)
    for descriptor in (pipe, log):
        os.close(descriptor)
    return pid


def _become(wish: _Wish, log: int) -> None:
    """Take over what a child has from its parent."""
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)
    os.environ.clear()
    os.environ.update(wish.environment)
    sys.path += [path for path in wish.path if path not in sys.path]
    if wish.folder is not None:
        with suppress(OSError):
            os.chdir(wish.folder)
    if "numpy" in sys.modules:  # whose global generator is not to be every child's
        sys.modules["numpy"].random.seed()


def _kill_all() -> None:
    """End what lives of the children and of all that they have started, wherever that went."""
    import psutil

    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            process.kill()
