"""A command as a method."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from denobench.answers import checked
from denobench.errors import DenobenchError, UnavailableError
from denobench.foreign import Command, exchange, opened

PYTHON = shlex.quote(sys.executable)
HALVE = """
import sys
from pathlib import Path
from denobench.foreign import exchange
image = exchange.read(Path(sys.argv[1]))
exchange.write(Path(sys.argv[2]), image * float(sys.argv[3]))
print(Path.cwd())
"""


@pytest.fixture
def noisy() -> np.ndarray:
    """Return an image, (20, 30), with values outside [0, 1] but for PNG."""
    return np.random.default_rng(0).uniform(-0.2, 1.2, (20, 30)).astype(np.float32)


@pytest.mark.parametrize("format", ["nii", "npy", "tif"])
def test_image_goes_to_the_command_and_comes_back(
    tmp_path: Path, noisy: np.ndarray, format: str
) -> None:
    """As floats, unclipped, oriented as it was; sigma is a fraction of full scale."""
    script = tmp_path / "with space.py"
    script.write_text(HALVE)
    command = f"{PYTHON} {shlex.quote(str(script))} {{noisy}} {{denoised}} {{sigma}}"
    answer = Command(command=command, format=format).denoise(noisy, 0.25)
    np.testing.assert_array_equal(checked(answer, noisy, noisy), noisy * np.float32(0.25))


def test_png_has_sixteen_bits_and_cuts_off(tmp_path: Path, noisy: np.ndarray) -> None:
    """What is below black or above white is lost, which is said; the rest keeps 16 bits."""
    exchange.write(tmp_path / "x.png", noisy)
    np.testing.assert_allclose(exchange.read(tmp_path / "x.png"), noisy.clip(0, 1), atol=1e-5)
    command = f"{PYTHON} {{noisy}} {{denoised}}"
    assert "16 bits" in opened("mine", None, command, {"format": "png"}).remark


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; print('no licence'); sys.exit(3)", "exit code 3: no licence"),
        ("pass", "wrote no {denoised}"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL"),
        ("import sys; open(sys.argv[2], 'w').write('x')", "is no npy file"),
    ],
)
def test_command_that_fails_says_what_it_printed(
    noisy: np.ndarray, program: str, message: str
) -> None:
    """The row's reason has the exit code and the last lines."""
    command = f"{PYTHON} -c {shlex.quote(program)} {{noisy}} {{denoised}}"
    with pytest.raises((RuntimeError, ValueError), match=message):
        Command(command=command, format="npy").denoise(noisy, None)


@pytest.mark.parametrize("away", [False, True])
def test_what_a_command_leaves_running_is_ended(
    tmp_path: Path, noisy: np.ndarray, away: bool
) -> None:
    """A process that it has put into the background is gone, also from a session of its own."""
    import psutil

    program = (
        "import subprocess, sys, shutil\n"
        f"child = subprocess.Popen(['sleep', '600'], start_new_session={away})\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "shutil.copy(sys.argv[1], sys.argv[2])"
    )
    command = f"{PYTHON} -c {shlex.quote(program)} {{noisy}} {{denoised}}"
    Command(command=command, format="npy").denoise(noisy, None)
    pid = int((tmp_path / "pid").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_program_s_time_is_known_apart_and_much_output_is_cut(noisy: np.ndarray) -> None:
    """Of a megabyte that it prints the end is kept; its seconds do not hold the files'."""
    program = "import sys; print('x' * 2**20); print('the end'); sys.exit(1)"
    command = Command(
        command=f"{PYTHON} -c {shlex.quote(program)} {{noisy}} {{denoised}}", format="npy"
    )
    with pytest.raises(RuntimeError, match=r"exit code 1: x+\nthe end$") as raised:
        command.denoise(noisy, None)
    assert len(str(raised.value)) < 1000
    assert command.program_seconds > 0


@pytest.mark.parametrize(
    ("command", "settings", "message"),
    [
        ("cp {noisy}", {}, "has no {denoised}"),
        ("cp {noisy} {denoised} {sgima}", {}, "Did you mean 'sigma'"),
        ("cp '{noisy} {denoised}", {}, "No closing quotation"),
        ("cp {noisy} {denoised}", {"format": "bmp"}, "Valid: nii, npy, png, tif"),
        ("cp {noisy} {denoised}", {"formt": "nii"}, "Unknown setting of a command"),
    ],
)
def test_malformed_command_is_one_error(
    command: str, settings: dict[str, str], message: str
) -> None:
    """Before anything runs, with what would be right."""
    with pytest.raises(DenobenchError, match=message):
        opened("mine", None, command, settings)


def test_program_that_is_not_there_is_unavailable() -> None:
    """Its cells are skipped with the reason."""
    with pytest.raises(UnavailableError, match="'no-such-program' is not on this machine"):
        opened("mine", None, "no-such-program {noisy} {denoised}", {})


def test_words_in_quotes_stay_as_they_are() -> None:
    """Spaces and line ends within them are the program's; those between words say nothing."""
    one, two = (
        opened("mine", None, command, {}).parameters["command"]
        for command in ("cp 'a  b\nc' {noisy}  {denoised}", "cp  'a  b\nc' {noisy} {denoised}")
    )
    assert one == two
    assert shlex.split(one) == ["cp", "a  b\nc", "{noisy}", "{denoised}"]


def test_script_s_contents_count(tmp_path: Path) -> None:
    """An edited script gives other parameters, so that its cells are computed again."""
    (tmp_path / "f.py").write_text("1")
    command = f"{PYTHON} {tmp_path / 'f.py'} {{noisy}} {{denoised}}"
    before = opened("mine", None, command, {}).parameters
    (tmp_path / "f.py").write_text("2")
    assert opened("mine", None, command, {}).parameters != before
    with pytest.raises(DenobenchError, match="has changed"):
        Command(**before)
