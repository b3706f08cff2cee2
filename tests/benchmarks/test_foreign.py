"""What a network's file costs through denobench, beside onnxruntime's own session."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from pytest_benchmark.fixture import BenchmarkFixture

from denobench.foreign import method_of

ROUNDS = 40
SECONDS = 0.1  # of a round's half
KNOWN = {
    "layout": "nchw", "channels": 1, "range": "0..1", "answer": "residual", "sigma": "none",
    "answer_range": "same", "multiple": 1,
}  # fmt: skip


def _dncnn(path: Path, layers: int = 17, width: int = 64) -> Path:
    """Write a network of DnCNN's size with random weights."""
    rng = np.random.default_rng(0)
    nodes, weights, image = [], [], "x"
    widths = [1, *[width] * (layers - 1), 1]
    for number, sides in enumerate(zip(widths[1:], widths[:-1], strict=True)):
        kernel = rng.normal(0, 0.01, (*sides, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"w{number}"))
        nodes.append(
            helper.make_node("Conv", [image, f"w{number}"], [f"c{number}"], pads=[1, 1, 1, 1])
        )
        nodes.append(helper.make_node("Relu", [f"c{number}"], [f"r{number}"]))
        image = f"r{number}"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, "h", "w"])
        for name in ("x", image)
    ]
    graph = helper.make_graph(nodes, "dncnn", ends[:1], ends[1:], weights)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def _seconds(call: Callable[[], object], calls: int) -> float:
    started = time.process_time()
    for _ in range(calls):
        call()
    return time.process_time() - started


@pytest.mark.parametrize("side", [32, 64, 224])
def test_a_call_costs_what_the_session_s_own_does(
    benchmark: BenchmarkFixture, tmp_path: Path, side: int
) -> None:
    """Processor time, side by side in one process, one thread each: at most 5 % more."""
    path = _dncnn(tmp_path / "net.onnx")
    method = method_of(path, KNOWN)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    noisy = np.random.default_rng(0).random((side, side), np.float32)
    given = {"x": noisy[None, None]}

    def own() -> object:
        return session.run(None, given)

    def ours() -> object:
        return method.denoise(noisy, None)

    own(), ours()
    calls = max(1, round(SECONDS / _seconds(own, 1)))
    ratios = [_seconds(ours, calls) / _seconds(own, calls) for _ in range(ROUNDS)]
    benchmark.extra_info["ratio"] = low, middle, high = np.percentile(ratios, [25, 50, 75]).tolist()
    benchmark.pedantic(ours, rounds=3)
    print(f"{side} x {side}: {middle:.3f} times the session's own, quartiles {low:.3f}, {high:.3f}")
