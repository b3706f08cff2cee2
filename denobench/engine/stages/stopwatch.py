"""One method under the clock: a fresh process that loads it, and calls it when it is told to."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from denobench import methods
from denobench.answers import parts
from denobench.engine.planning.cell import Cell
from denobench.engine.workers.child import (
    THREAD_VARIABLES,
    Child,
    ChildDiedError,
    ChildError,
)
from denobench.methods import Denoiser
from denobench.registry import load_plugins

# Short calls are repeated within a round until they fill this many seconds.
_ROUND_SECONDS = 0.02
# Threads that a library has just started look for work, busily, for some 0.1 s: they are not the
# method's. They rest where the process has less than this share of a look's time.
_LOOK_SECONDS = 0.02
_LOOKS = 50
_RESTING = 0.1
# Libraries that decide when they start how many threads they use, and do not change it then.
_FIXED = ("tensorflow", "jax", "onnxruntime", "itk", "SimpleITK", "ants")

# Seconds by the clock, of the processor, of the processor for the calling thread alone, and by the
# clock for a command without its files.
Measured = tuple[float, float, float, float | None]


class Stopwatch:
    """A process that calls one method on one image, and what was measured of it.

    Parameters
    ----------
    cell
        The method, its parameters and weights.
    noisy, sigma
        What the method is given.
    threads
        Threads that it may use.
    most
        Threads that it may be allowed later.
    timeout
        Seconds that one call may take.
    log
        File that takes what the method prints.

    Attributes
    ----------
    name, size
        The method's; the image's, such as ``224x224``, or the volume's.
    failure
        Status and reason where it gave no answer: then it is not asked again. Else None.
    device
        Where the method computes.
    cold_ms
        Milliseconds of imports, weights and the first call.
    seconds
        Of a call, one number per round.
    spent
        Seconds of all rounds: what is judged by little of them is judged by a clock's tick.
    parallelism
        Processor seconds per second: the most of all rounds, as other programs only make it less.
    helped
        Share of the processor time that other threads had than the one that calls, the median of
        the rounds: a library may start its threads in one of them. Other programs do not change it.
    peak_mb
        Peak memory so far.
    program_seconds
        Of a command's call, without its files; one number per round.
    """

    def __init__(
        self,
        cell: Cell,
        noisy: np.ndarray,
        sigma: float | None,
        *,
        threads: int,
        most: int,
        timeout: float,
        log: Path,
    ) -> None:
        self.name = cell.method
        self.size = "x".join(map(str, noisy.shape))
        self.failure: tuple[str, str] | None = None
        self.device = ""
        self.cold_ms = 0.0
        self.peak_mb = 0.0
        self._timeout = timeout
        self.forget()
        plugin = methods.origin(cell.registered).plugin
        numba = "numba" in methods.load(cell.registered).info.packages
        self._child = Child(
            _serve,
            *(cell.registered, cell.parameters, cell.weights, cell.weights_digest, noisy, sigma),
            *((plugin,) if plugin else (), threads if numba else None),
            threads=threads,
            # Numba takes no more threads later than it is told of at first, but fewer.
            variables={"NUMBA_NUM_THREADS": str(max(threads, most))} if numba else {},
            plugins=(),  # registered when the clock runs: their import is a cold start's
            log=log,
        )

    def forget(self) -> None:
        """Begin a new series of rounds."""
        self.seconds: list[float] = []
        self.program_seconds: list[float] = []
        self.spent = 0.0
        self.parallelism = 0.0
        self._shares: list[float] = []

    @property
    def helped(self) -> float:
        """The share of other threads; 0 before the first round."""
        return float(np.median(self._shares)) if self._shares else 0.0

    def close(self) -> None:
        """End the process."""
        self._child.kill()

    def wait(self) -> None:
        """Wait until the process is ready to start the method."""
        self._answer()

    def start(self) -> None:
        """Load the method and call it for the first time."""
        if started := self._ask("start"):
            cold, self.device = started
            self.cold_ms = 1000 * cold

    def call(self) -> None:
        """Time a round."""
        if measured := self._ask("call"):
            calls, (wall, cpu, own), self.peak_mb, program = measured
            self.seconds.append(wall / calls)
            if program is not None:
                self.program_seconds.append(program / calls)
            self.spent += wall
            self.parallelism = max(self.parallelism, cpu / wall)
            self._shares.append(1 - own / cpu if cpu else 0.0)

    def widen(self, threads: int) -> bool:
        """Allow the method more threads, and return whether it can take that in this process."""
        return bool(self._ask(threads))

    def _ask(self, question: str | int) -> Any:
        if self.failure:
            return None
        with suppress(OSError):  # it has died, which shows when its answer is read
            self._child.connection.send(question)
        return self._answer()

    def _answer(self) -> Any:
        """Return the process's answer, or note that it failed."""
        try:
            return self._child.receive(self._timeout)
        except TimeoutError as error:
            self.failure = "timeout", str(error)
        except (ChildDiedError, OSError) as error:
            self.failure = "crashed", str(error)
        except ChildError as error:
            self.failure = "failed", str(error)
        self._child.kill()
        return None


def _serve(
    connection: Connection,
    registered: str,
    parameters: str,
    weights: Path | None,
    weights_digest: str,
    noisy: np.ndarray,
    sigma: float | None,
    plugins: Sequence[Path],
    numba_threads: int | None,
) -> None:
    """Load the method and call it once, then once per request; send home the seconds."""
    from denobench.engine.workers.cells import load_method

    connection.send(("ready", None))
    if connection.recv() != "start":
        return
    started = time.perf_counter()
    with load_plugins(plugins):
        method = load_method(registered, parameters, weights, weights_digest)
        if numba_threads is not None:
            import numba

            numba.set_num_threads(numba_threads)
        for part in parts(method, noisy.copy()):
            method.denoise(part, sigma)
        connection.send(("cold", (time.perf_counter() - started, method.device)))
        calls, rested = 0, False
        while question := connection.recv():
            if question != "call":
                connection.send(("widened", _widen(question)))
                rested = False
                continue
            if not rested:
                _rest()
                rested = True
            measured = _call(method, noisy, sigma, max(calls, 1))
            if not calls:
                calls, measured = _calibrate(method, noisy, sigma, measured)
            connection.send(("time", (calls, measured[:3], _peak_megabytes(), measured[3])))


def _calibrate(
    method: Denoiser, noisy: np.ndarray, sigma: float | None, measured: Measured
) -> tuple[int, Measured]:
    """Return how many calls fill a round, and such a round; a call that fills it is one."""
    calls = 1
    while measured[0] < _ROUND_SECONDS:
        calls = max(2 * calls, round(calls * _ROUND_SECONDS / max(measured[0], 1e-7)))
        measured = _call(method, noisy, sigma, calls)
    return calls, measured


def _call(method: Denoiser, noisy: np.ndarray, sigma: float | None, calls: int) -> Measured:
    """Return the seconds of so many calls; of a volume, of all its slices."""
    given = parts(method, noisy.copy())
    clocks = time.perf_counter, time.process_time, time.thread_time
    before: float | None = getattr(method, "program_seconds", None)
    started = [clock() for clock in clocks]
    for _ in range(calls):
        for part in given:
            method.denoise(part, sigma)
    wall, cpu, own = (clock() - first for clock, first in zip(clocks, started, strict=True))
    program = None if before is None else getattr(method, "program_seconds", before) - before
    return wall, cpu, own, program


def _rest() -> None:
    """Wait until no thread works, a second at most: a method may keep some busy for ever."""
    for _ in range(_LOOKS):
        before = time.process_time()
        time.sleep(_LOOK_SECONDS)
        if time.process_time() - before < _RESTING * _LOOK_SECONDS:
            return


def _widen(threads: int) -> bool:
    """Let libraries use more threads; return whether all that are loaded can."""
    import cv2
    import threadpoolctl

    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    cv2.setNumThreads(threads)
    threadpoolctl.threadpool_limits(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    if "numba" in sys.modules:
        numba = sys.modules["numba"]
        if threads > numba.config.NUMBA_NUM_THREADS:
            return False
        numba.set_num_threads(threads)
    return not any(name in sys.modules for name in _FIXED)


def _peak_megabytes() -> float:
    """Return this process's peak resident memory."""
    try:
        # Unlike getrusage's, this peak does not include the parent's from before this started.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 2**10
    except (OSError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)
