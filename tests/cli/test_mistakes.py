"""Whatever is wrong on the command line: one message, exit code 2, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fitted import GAIN
from PIL import Image

from denobench.cli import main

# A method without weights; whether it could learn some, nobody asks.
LEARNS = """
class Learns(Gain):
    info = Info("learns", "Learns", tracks=("blind",))

    def fit(self, training, *, folder, progress):
        raise NotImplementedError
"""
FILES = {
    "file": b"x\n",
    "empty.yaml": b"",
    "binary.yaml": b"\x89PNG\xff\x00",
    "twice.yaml": b"size: 64\nsize: 32\n",
    "dashes.yaml": b"methods: [identity, tv: {weight: 0.3}]\n",
    "space.yaml": b"noise: [gaussian: 0.1]\n",
    "no.yaml": b"methods: {no: }\n",
    "on.yaml": b"on: 3\n",
    "exits.py": b"raise SystemExit(3)\n",
    "syntax.py": b"def f(:\n",
    "learns.py": (GAIN + LEARNS).encode(),
    "bad.png": b"no image",
    "junk/manifest.json": b"{",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good images and much that is wrong."""
    folder = tmp_path_factory.mktemp("place")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    for name in ("d/a.png", "d/b.png", "in.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        pixels = np.random.default_rng(len(name)).integers(0, 255, (48, 48))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
    (folder / "link.png").symlink_to("in.png")
    (folder / "nothing").mkdir()
    os.mkfifo(folder / "pipe")
    return folder


RUN = [
    ("rnu", "Did you mean 'run'"),
    ("run --dta x", "--data"),
    ("run quick extra", "extra"),
    ("run qick", "Did you mean 'quick'"),
    ("run d", "d is a folder"),
    ("run file", "file holds"),
    ("run gone.yaml", "gone.yaml"),
    ("run empty.yaml", "empty.yaml is empty"),
    ("run binary.yaml", "no text in UTF-8"),
    ("run twice.yaml", "line 2: 'size' is set twice"),
    ("run dashes.yaml", "without a dash"),
    ("run space.yaml", "gaussian:0.1"),
    ("run no.yaml", "Unknown method 'no'"),
    ("run on.yaml", "Unknown key 'on'"),
    ("run --limit -1", "limit: must be 1 or more"),
    ("run --limit x", "--limit"),
    ("run --noise gaussian", "gaussian:25/255"),
    ("run --noise gaussian:0.1,,rician:0.1", "--noise"),
    ("run --noise gaussian:25/0", "MODEL:LEVEL"),
    ("run --noise gausian:0.1", "Did you mean 'gaussian'"),
    ("run --methods tv,,nlm", "--methods"),
    ("run --methods TVV", "Did you mean 'tv'"),
    ("run --methods vst(vst(tv)) --noise rician:0.1", "vst"),
    ("run --data file", "file"),
    ("run --data nothing", "nothing"),
    ("run --data ~nobody_of_this_name/x", "no such home folder"),
    ("run --out file --methods identity", "file cannot be the run's folder"),
    ("run --out file/x --methods identity", "cannot be the run's folder"),
    ("run --plugin gone.py", "gone.py"),
    ("run --plugin exits.py", "SystemExit"),
    ("run --plugin syntax.py", "SyntaxError"),
    ("run --executor dusk", "did you mean dask"),
    ("run --set size", "key=value"),
    ("run --set size=[1", "not valid YAML"),
    ("run --set sise=3", "Did you mean 'size'"),
    ("run --set size=yes", "size: must be native"),
    ("run --set seed=1e400", "seed: must be a finite number"),
    ("run --set timeout=.inf", "timeout: must be a finite number"),
    ("run --set limit=true", "limit: must be a whole number (found true)"),
    ("run --set name.x=1", "name is the text 'quick'"),
    ("run --set name=../x", "plain name of a folder"),
    ("run --set metrics=psnr", "must be a list, such as [psnr, ssim]"),
    ("run --set metrics=[psnrr]", "Did you mean 'psnr'"),
    ("run --set timing.repeat=3", "Did you mean 'repeats'"),
    ("run --set timing=3", "timing: must be settings"),
    ("run --set methods.tv.trak=oracle --methods tv", "Did you mean 'track'"),
    ("run --set methods.tv.wieght=3 --methods tv", "Did you mean 'weight'"),
    ("run --set methods.tv.weight=x --methods tv", "weight: must be a number"),
    ("run --set methods.tv=3", "methods.tv: must be settings"),
    ("run --set methods.median.size=4 --methods median", "size: must be odd"),
    ("run --set size=native --methods cdae", "size: native"),
    ("run natural", "--data"),
    ("run paper --data gone", "gone does not exist"),
    ("run pairs --data d --reference d", "d cannot be noisy and its own reference"),
    ("run --plugin d", "d is a folder"),
    ("run --model pipe", "a device or a pipe"),
    ("run --set subjects=0", "subjects: must be auto or none, or 1 or more (found 0)"),
    ("run --set slices.volumes=[0]", "slices.volumes: must be first or all, or 1 or more"),
    ("run --set pairs.noisy=x", "pairs.reference: must be given"),
    ("run --device gpus", "device: must be auto, cpu or gpu (found the text 'gpus'; did you mean"),
    ("train --set backend=theano", "backend: must be tensorflow, jax or torch"),
    ("train --set methods=[tv]", "no method that has to be trained"),
]
OTHERS = [
    ("report", "RUN"),
    *((f"{verb} {folder}", folder) for verb in ("report", "status", "verify", "clean")
      for folder in ("gone", "file", "nothing")),
    ("report junk", "junk/manifest.json"),
    ("verify junk --sample -1", "--sample"),
    ("methods nlmm", "Did you mean 'nlm'"),
    ("check NLMM", "Did you mean 'nlm'"),
    ("denoise in.png", "OUT"),
    ("denoise gone.png o.png", "gone.png"),
    ("denoise bad.png o.png", "bad.png"),
    ("denoise d o.png", "d"),
    ("denoise pipe o.png", "a device or a pipe"),
    ("view in.png --no-open --out pipe", "a device or a pipe"),
    ("denoise in.png in.png", "one file"),
    ("denoise in.png link.png", "one file"),
    ("denoise in.png o.h5", "o.h5"),
    ("denoise in.png gone/o.png", "the folder gone does not exist"),
    ("denoise in.png d", "d"),
    ("denoise in.png o.png --sigma nan", "sigma nan"),
    ("denoise in.png o.png --sigma -1", "sigma -1"),
    ("denoise in.png o.png --plugin learns.py --method learns", "has to be trained"),
    ("denoise in.png o.png --method nlmm", "Did you mean 'nlm'"),
    ("data audti", "audit"),
    ("data audit file", "file"),
    ("models export zzz x.npz", "zzz"),
    ("models remove zzz", "zzz"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), RUN + OTHERS)
def test_mistake_is_named(
    line: str,
    message: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A mistake exits with 2 and is told on standard error, with what is wrong."""
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "argv", ["denobench", *line.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in told
    assert not (place / "o.png").exists()


def program(words: list[str], **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "denobench", *words], **options)  # type: ignore[call-overload,no-any-return]


def test_reader_that_has_seen_enough_ends_it_quietly() -> None:
    """A pipe that is closed early, as by `head`, gives no traceback."""
    ended = program(["methods", "--details"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert ended.stdout is not None
    assert ended.stderr is not None
    ended.stdout.close()
    told = ended.stderr.read()
    ended.wait()
    assert told == b""


@pytest.mark.parametrize("wanted", [True, False])
def test_colour_is_the_user_s_choice(wanted: bool) -> None:
    """On a terminal an error is red, unless NO_COLOR is set."""
    master, slave = os.openpty()
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "" if wanted else "1"}
    program(["run", "qick"], stderr=slave, env=environment).wait()
    os.close(slave)
    told = os.read(master, 4096)
    os.close(master)
    assert b"Did you mean 'quick'" in told
    assert (b"\x1b[31m" in told) == wanted
