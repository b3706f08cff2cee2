"""How a network's file is used is found by trying."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from networks_in_files import KERNEL, write
from onnx import TensorProto, helper, numpy_helper

from denobench.config import load
from denobench.errors import DenobenchError
from denobench.foreign import config_line, finding, inspect, method_of, name_of
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
    "told a plain number": {"sigma": "scalar"},
    "told a column": {"sigma": "column"},
    "told a pixel": {"sigma": "pixel", "answer": "residual"},
    "told a map": {"sigma": "map", "range": (-1.0, 1.0)},
    "told in a channel": {"sigma": "channel"},
    "told in the first channel": {"sigma": "first-channel", "layout": "nhwc"},
    "colour and sigma": {"channels": 3, "sigma": "channel"},
    "bytes in, whole out": {"range": (0.0, 255.0), "answer_range": (0.0, 1.0)},
    "answer from -1": {"answer_range": (-1.0, 1.0), "layout": "nhwc"},
    "told a variance": {"sigma": "vector", "sigma_power": 2},
    "third output": {"output": 2},
    "multiple of eight": {"multiple": 8},
    "windows of seven": {"multiple": 7},
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
    if "answer_range" in made:
        made["answer_range"] = RANGES[made["answer_range"]]
    assert {name: asdict(found)[name] for name in made} == made
    assert (found.height, found.width) == (height, width)
    if "sigma" in made:
        assert found.sigma_scale == 1


@pytest.mark.parametrize("axes", [[1], [0, 1]])
def test_old_file_whose_answer_lacks_axes(tmp_path: Path, axes: list[int]) -> None:
    """Weights among the inputs, as files of 2018 have them, are none; an axis of length 1 is."""
    kernel = numpy_helper.from_array(KERNEL[None, None], "k")
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["y"], pads=[3, 3, 3, 3]),
        helper.make_node("Squeeze", ["y"], ["z"], axes=axes),
    ]
    given = {"x": ["batch", 1, "h", "w"], "k": [1, 1, 7, 7]}
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in given.items()]
    answer = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "old", inputs, [answer], [kernel])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 7)], ir_version=3)
    onnx.save(made, tmp_path / "old.onnx")
    found = find(open_network(tmp_path / "old.onnx"), {}).reading
    assert (found.layout, found.channels, found.answer) == ("nchw", 1, "image")


def test_statement_is_not_tried_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    """What is stated is taken as it is; a name that is none gets the closest."""
    network = open_network(write(tmp_path / "net.onnx", answer="residual"))
    stated = find(network, {"answer": "residual", "range": "0..1", "multiple": 4})
    assert {way.answer for way, *_ in stated.tried} == {"residual"}
    assert stated.reading.multiple == 4
    with pytest.raises(DenobenchError, match="Did you mean 'layout'"):
        find(network, {"layuot": "nchw"})


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (
            {"layout": "nhwc"},
            r"what is stated: layout nhwc; it takes x \(1, 1, \?",
        ),
        ({"channels": 3}, "does not fit what is stated: channels 3"),
        ({"sigma": "map"}, "does not fit what is stated: sigma map"),
        ({"image": 1}, "does not fit what is stated: image 1"),
        ({"output": 3}, "gives no image that fits what is stated: output 3"),
        ({"range": "0-1"}, r"Unknown range of a model '0-1'. Did you mean '0..1'"),
        ({"multiple": 0}, "multiple of a model is a whole number from 1, not 0"),
        ({"sigma_scale": "255"}, "sigma_scale of a model is a number above 0, not '255'"),
    ],
)
def test_statement_that_the_file_contradicts_is_one_error(
    tmp_path: Path, stated: dict[str, Any], message: str
) -> None:
    """It says which statement does not fit, and what the file takes."""
    network = open_network(write(tmp_path / "net.onnx"))
    with pytest.raises(DenobenchError, match=message):
        find(network, stated)


def test_line_of_config_states_what_was_found(tmp_path: Path) -> None:
    """Pasted into a config, the line gives the same reading without trying, whatever the path."""
    folder = tmp_path / "a: b, {c} # d"
    folder.mkdir()
    write(folder / "yes.onnx", range=(-1.0, 1.0), sigma="vector", answer="residual")
    found = inspect(folder / "yes.onnx")
    line = config_line(name_of(found.path), found.path, found.found.reading)
    (tmp_path / "c.yaml").write_text(f"noise: [gaussian:0.1]\n{line}\n")
    ((name, entry),) = load(tmp_path / "c.yaml").methods.items()
    assert (name, entry.model) == ("yes", found.path)
    again = inspect(entry.model, entry.parameters).found
    assert again.reading == found.found.reading
    assert len(again.tried) == 1


def test_network_of_one_level_is_named(tmp_path: Path) -> None:
    """A fixed threshold suits one level, which is named; one that follows sigma suits all."""
    one = find(open_network(write(tmp_path / "one.onnx", threshold=0.12)), {})
    assert "made for one level of noise, about 0.0" in one.remark
    assert find(open_network(write(tmp_path / "told.onnx", sigma="vector")), {}).remark == ""


def test_slow_machine_tells_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings are then tried on smaller samples; what is told of the network is not."""
    network = open_network(write(tmp_path / "one.onnx", threshold=0.12))
    here = find(network, {})
    monkeypatch.setattr(finding, "_SLOW_SECONDS", -1.0)
    slow = find(network, {})
    assert slow.tried != here.tried
    assert (slow.reading, slow.gains, slow.remark) == (here.reading, here.gains, here.remark)


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
