"""Where a network's file is computed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from networks_in_files import write

from denobench.config import parse
from denobench.engine.planning.methods import plan_methods
from denobench.errors import DenobenchError, UnavailableError
from denobench.foreign import Command, method_of, model, onnx, opened
from denobench.foreign.network import Network, Port

KNOWN = {"layout": "nchw", "range": "0..1", "answer": "image", "multiple": 1}
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
DIRECT = "DmlExecutionProvider"


@pytest.mark.parametrize(
    ("device", "here", "asked"),
    [
        ("auto", [CPU], [CPU]),
        ("auto", ["TensorrtExecutionProvider", CUDA, CPU], [CUDA, CPU]),
        ("auto", [DIRECT, CUDA, CPU], [CUDA, CPU]),
        ("gpu", [DIRECT, CPU], [DIRECT, CPU]),
        ("cpu", [CUDA, CPU], [CPU]),
        ("auto", ["AzureExecutionProvider", "CoreMLExecutionProvider", CPU], [CPU]),
    ],
)
def test_onnxruntime_is_asked_for_the_best_that_it_has(
    device: str, here: list[str], asked: list[str]
) -> None:
    """An accelerator that computes in single precision, and the CPU for what that cannot."""
    assert [name for name, _ in onnx.providers(device, here)] == asked


def test_accelerator_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """``gpu`` says what is missing and what helps; ``auto`` is the CPU, and says so."""
    import onnxruntime

    if CUDA in onnxruntime.get_available_providers():
        pytest.skip("there is an accelerator here")
    path = write(tmp_path / "net.onnx")
    with pytest.raises(UnavailableError, match=r"device: gpu.*onnxruntime-gpu.*device: auto"):
        method_of(path, KNOWN, "gpu")
    assert method_of(path, KNOWN).device == "cpu"


@pytest.mark.parametrize(
    ("device", "cuda", "mps", "found"),
    [
        ("auto", False, False, "cpu"),
        ("auto", True, True, "cuda"),
        ("gpu", False, True, "mps"),
        ("cpu", True, True, "cpu"),
    ],
)
def test_torch_takes_what_it_has(
    monkeypatch: pytest.MonkeyPatch, device: str, cuda: bool, mps: bool, found: str
) -> None:
    """CUDA before MPS; without either ``gpu`` is unavailable."""
    torch = pytest.importorskip("torch")
    from denobench.foreign.torch import _found

    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    assert _found(torch, device) == found
    assert torch.backends.cudnn.allow_tf32 == (found != "cuda")
    if not (cuda or mps):
        with pytest.raises(UnavailableError, match="has no accelerator here"):
            _found(torch, "gpu")


class _Elsewhere(Network):
    """Adds nothing; refuses to where its code names another device."""

    inputs = (Port("x", (1, 1, None, None)),)
    packages = ()

    def __init__(self, device: str, works: bool) -> None:
        self.device, self._works = device, works

    def __call__(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        if not self._works:
            raise RuntimeError("Expected all tensors to be on the same device")
        return [*arrays]


@pytest.mark.parametrize(("works", "found"), [(True, "cuda"), (False, "cpu")])
def test_network_that_an_accelerator_cannot_compute_goes_to_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, works: bool, found: str
) -> None:
    """It is tried once where it lies; what was asked for by name is not changed."""

    def opening(path: Path, device: str = "cpu") -> Network:
        return _Elsewhere("cpu", True) if device == "cpu" else _Elsewhere("cuda", works)

    monkeypatch.setattr(model, "open_network", opening)
    one = model.OnnxModel(device="auto")
    one.load(tmp_path / "net.onnx")
    assert one.device == found
    asked = model.OnnxModel(device="gpu")
    asked.load(tmp_path / "net.onnx")
    assert asked.device == "cuda"


def test_command_sees_accelerators_where_that_is_stated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are hidden from it else, as from every method."""
    told = tmp_path / "told"
    program = (
        "import os, shutil, sys\n"
        f"open({str(told)!r}, 'a').write(os.environ['CUDA_VISIBLE_DEVICES'] + ' ')\n"
        "shutil.copy(sys.argv[1], sys.argv[2])"
    )
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(program)} {{noisy}} {{denoised}}"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setenv("DENOBENCH_VISIBLE_DEVICES", "0,1")
    for device in ("cpu", "gpu"):
        given = opened("mine", None, command, {"device": device, "format": "npy"}, "auto")
        method = Command(**given.parameters)
        method.denoise(np.zeros((16, 16), np.float32), None)
        assert method.device == device
    assert told.read_text() == "-1 0,1 "


def test_config_says_where_networks_compute(tmp_path: Path) -> None:
    """For all of a run, or for one of its methods; another word is one error."""
    path = write(tmp_path / "net.onnx")

    def planned(**entry: Any) -> Any:
        tree = {"device": "cpu", "methods": {"mine": {"model": str(path), **KNOWN, **entry}}}
        (found,) = plan_methods(parse(tree, "test"))
        return found.parameters["device"]

    assert (planned(), planned(device="auto")) == ("cpu", "auto")
    with pytest.raises(DenobenchError, match=r"Unknown device 'cuda'.*auto, cpu, gpu"):
        planned(device="cuda")
    with pytest.raises(DenobenchError, match="device: must be auto, cpu or gpu"):
        parse({"device": "cuda"}, "test")
