"""A command as a method: the image goes to it and comes back in a file."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import numpy as np

from denobench.device import Device, show
from denobench.errors import DenobenchError, UnavailableError, unknown
from denobench.files import digest, digest_of
from denobench.foreign import exchange
from denobench.methods import Denoiser, Info

PLACES = ("noisy", "denoised", "sigma")
_PLACE = re.compile(r"\{(\w*)\}")
_LONGEST = 600  # letters of what a command prints that a row keeps
_MARK = "DENOBENCH_COMMAND"  # in the environment of all that a command starts
_PATIENCE_SECONDS = 5  # with what is killed


class Command(Denoiser):
    """A command that is called for every image, in a folder of its own and without a shell.

    ``program_seconds`` is how long the program itself has run so far, without its files.

    Parameters
    ----------
    command
        The command. In its words ``{noisy}`` and ``{denoised}`` stand for the paths of the files
        that it reads and writes, ``{sigma}`` for the noise's standard deviation in the image's
        units.
    format
        Of the files: one of `exchange.FORMATS`.
    files
        Digest of the files that the command names, as they were when the run was planned.
    device
        Whether it sees the machine's accelerators: ``gpu``; they are hidden from it else.
    """

    info: ClassVar[Info] = Info("command", "Command", packages=("nibabel", "pillow"))

    def __init__(
        self, *, command: str = "", format: str = "nii", files: str = "", device: Device = "cpu"
    ) -> None:
        self._words = words(command)
        self._format = format
        self.program_seconds = 0.0
        if device == "gpu":
            show()
            self.device = device
        if files and files != files_digest(command):
            raise DenobenchError(
                f"A file that the command {command!r} names has changed: run again."
            )

    def denoise(self, noisy: np.ndarray, sigma: float | None) -> np.ndarray:
        """Write the image, call the command, and read what it has written."""
        with tempfile.TemporaryDirectory(prefix="denobench-") as folder:
            place = {name: Path(folder) / f"{name}.{self._format}" for name in PLACES[:2]}
            exchange.write(place["noisy"], noisy)
            known = {name: str(path) for name, path in place.items()}
            if sigma is not None:
                known["sigma"] = f"{sigma * exchange.SCALES[self._format]:.9g}"
            self._run(
                [_PLACE.sub(lambda found: known[found[1]], word) for word in self._words], folder
            )
            if not place["denoised"].is_file():
                raise RuntimeError(f"{self._words[0]} ended well but wrote no {{denoised}}")
            return exchange.read(place["denoised"])

    def _run(self, words_: list[str], folder: str) -> None:
        """Run the command, and end all that it has started with it."""
        mark = uuid.uuid4().hex
        with tempfile.TemporaryFile() as output:
            started = time.perf_counter()
            try:
                process = subprocess.Popen(
                    words_,
                    cwd=folder,
                    env=os.environ | {_MARK: mark},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    process_group=0,
                )
            except OSError as error:
                raise UnavailableError(
                    f"{words_[0]} cannot be started ({error.strerror})"
                ) from None
            try:
                code = process.wait()
                self.program_seconds += time.perf_counter() - started
            finally:
                _end(process, mark)
            if code:
                output.seek(max(0, output.seek(0, os.SEEK_END) - 4 * _LONGEST))
                said = output.read().decode(errors="replace").strip()[-_LONGEST:]
                how = f"exit code {code}" if code > 0 else signal.Signals(-code).name
                raise RuntimeError(f"{words_[0]} ended with {how}: {said or 'it printed nothing'}")


def _end(process: subprocess.Popen[bytes], mark: str) -> None:
    """End a command and what it has started, wherever that has gone, and wait for its end."""
    import psutil

    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    left = []
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if each.environ().get(_MARK) == mark:
                each.kill()
                left.append(each)
    psutil.wait_procs(left, timeout=_PATIENCE_SECONDS)


def words(command: str) -> list[str]:
    """Return a command's words; those that name a file are its whole path.

    Raises
    ------
    DenobenchError
        If a quote is not closed, a place is unknown, or the files have none.
    """
    try:
        found = shlex.split(command)
    except ValueError as error:
        raise DenobenchError(f"command {command!r}: {error}.") from None
    places = [name for word in found for name in _PLACE.findall(word)]
    for name in places:
        if name not in PLACES:
            raise unknown(f"place of the command {command!r}", name, PLACES)
    missing = [name for name in PLACES[:2] if name not in places]
    if missing:
        raise DenobenchError(
            f"command {command!r} has no {' and no '.join(f'{{{name}}}' for name in missing)}: "
            "write {noisy} and {denoised} where the paths of its files belong."
        )
    return [str(Path(word).expanduser().absolute()) if _is_file(word) else word for word in found]


def check(command: str, format: str) -> list[str]:
    """Return a command's words if it can be called.

    Raises
    ------
    DenobenchError
        If it is malformed, or the format unknown; `UnavailableError` if there is no such program.
    """
    if format not in exchange.FORMATS:
        raise unknown("format of a command's files", format, exchange.FORMATS)
    found = words(command)
    if shutil.which(found[0]) is None:
        raise UnavailableError(f"the program {found[0]!r} is not on this machine")
    return found


def files_digest(command: str) -> str:
    """Return the digest of the contents of the files that a command names, scripts among them."""
    return digest_of([digest(Path(word)) for word in words(command) if _is_file(word)])


def _is_file(word: str) -> bool:
    return bool(word) and Path(word).expanduser().is_file()
