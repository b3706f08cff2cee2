"""How a network's file is used is found by trying."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from networks_in_files import write

from denobench.errors import DenobenchError
from denobench.foreign import inspect, method_of
from denobench.foreign.finding import find
from denobench.foreign.model import open_network

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "channels last": {"layout": "nhwc"},
    "colour": {"channels": 3},
    "colour, channels last": {"channels": 3, "layout": "nhwc"},
    "from -1": {"range": (-1.0, 1.0), "sigma": "vector"},
    "bytes": {"range": (0.0, 255.0), "sigma": "map"},
    "residual": {"answer": "residual"},
    "negative residual": {"answer": "negative-residual"},
    "residual of bytes": {"answer": "residual", "range": (0.0, 255.0), "sigma": "channel"},
    "told a number": {"sigma": "vector"},
    "told a map": {"sigma": "map", "range": (-1.0, 1.0)},
    "told in a channel": {"sigma": "channel"},
    "told in the first channel": {"sigma": "first-channel", "layout": "nhwc"},
    "colour and sigma": {"channels": 3, "sigma": "channel"},
    "multiple of eight": {"multiple": 8},
    "fixed sides": {"sides": (64, 64)},
    "oblong sides": {"sides": (96, 160)},
    "large sides": {"sides": (256, 256)},
}
RANGES = {(0.0, 1.0): "0..1", (-1.0, 1.0): "-1..1", (0.0, 255.0): "0..255"}


@pytest.mark.parametrize("case", CASES)
def test_reading_is_found_by_trying(tmp_path: Path, case: str) -> None:
    """Layout, channels, range, answer, sigma and sides are those that the file was written with."""
    made = dict(CASES[case])
    found = find(open_network(write(tmp_path / "net.onnx", **made)), {}).reading
    height, width = made.pop("sides", (0, 0))
    made["range"] = RANGES[made.get("range", (0.0, 1.0))]
    assert {name: asdict(found)[name] for name in made} == made
    assert (found.height, found.width) == (height, width)
    if "sigma" in made:
        assert found.sigma_scale == 1


def test_statement_is_not_tried_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    """What is stated is taken as it is; a name that is none gets the closest."""
    network = open_network(write(tmp_path / "net.onnx", answer="residual"))
    stated = find(network, {"answer": "residual", "range": "0..1", "multiple": 4})
    assert len(stated.tried) == 1
    assert stated.reading.multiple == 4
    with pytest.raises(DenobenchError, match="Did you mean 'layout'"):
        find(network, {"layuot": "nchw"})


def test_network_of_one_level_is_named(tmp_path: Path) -> None:
    """A fixed threshold suits one level, which is named; one that follows sigma suits all."""
    one = find(open_network(write(tmp_path / "one.onnx", threshold=0.12)), {})
    assert "made for one level of noise, about 0.0" in one.remark
    assert find(open_network(write(tmp_path / "told.onnx", sigma="vector")), {}).remark == ""


def test_what_does_not_denoise_is_not_guessed_at(tmp_path: Path) -> None:
    """A network that leaves its image as it is, in no way a denoiser, is refused."""
    network = open_network(write(tmp_path / "net.onnx", threshold=0.0))
    with pytest.raises(DenobenchError, match="does not denoise in any of the"):
        find(network, {})


@pytest.mark.parametrize("sides", [("h", "w"), (64, 64), (32, 48)])
@pytest.mark.parametrize("shape", [(50, 70), (128, 128), (200, 90)])
def test_any_image_is_denoised_without_seams(
    tmp_path: Path, sides: tuple[Any, Any], shape: tuple[int, int]
) -> None:
    """In tiles a network gives what it gives for the whole image, but near the image's ends."""
    path = write(tmp_path / "net.onnx", sides=sides, sigma="none")
    known = {"layout": "nchw", "range": "0..1", "answer": "image"}
    whole = method_of(write(tmp_path / "whole.onnx"), known)
    rng = np.random.default_rng(0)
    noisy = (0.5 + 0.1 * rng.standard_normal(shape)).astype(np.float32)
    answer, expected = (each.denoise(noisy, None) for each in (method_of(path, known), whole))
    assert answer.shape == shape
    # Within 5 pixels of a tile's end, where it weighs little, its edge is not the image's.
    assert np.abs(answer - expected).mean() < 0.004
    assert np.abs(answer - expected).max() < 0.1


def test_finding_is_kept_by_the_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is tried once, wherever it lies; another content is tried again."""
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path / "cache"))
    first = inspect(write(tmp_path / "a.onnx"))
    assert inspect(write(tmp_path / "b.onnx")).found == first.found
    assert len(list((tmp_path / "cache" / "readings").iterdir())) == 1
    inspect(write(tmp_path / "a.onnx", answer="residual"))
    assert len(list((tmp_path / "cache" / "readings").iterdir())) == 2


def test_answer_is_the_runtime_s_own(tmp_path: Path) -> None:
    """What denoise() returns is what onnxruntime returns for the same array."""
    import onnxruntime

    path = write(tmp_path / "net.onnx", answer="residual")
    noisy = np.random.default_rng(0).random((40, 56), np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (residual,) = session.run(None, {"x": noisy[None, None]})
    method = method_of(path, {"range": "0..1", "answer": "residual"})
    np.testing.assert_array_equal(method.denoise(noisy, None), noisy - residual[0, 0])
