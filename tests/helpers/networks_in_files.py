"""Small denoisers in ONNX files, used in every way that files from the field are.

Each smooths the image and keeps what is left of the fine detail above a threshold: a fixed one,
which suits one level of noise, or one that follows sigma.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_WIDTH = np.exp(-0.5 * (np.arange(-3, 4) / 1.2) ** 2)
KERNEL = (np.outer(_WIDTH, _WIDTH) / _WIDTH.sum() ** 2).astype(np.float32)


class _Graph:
    """Nodes of a graph, added one by one."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: object) -> str:
        names = [f"{kind}{len(self.nodes)}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0]

    def constant(self, value: object, dtype: type = np.float32) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name


def write(
    path: Path,
    *,
    layout: str = "nchw",
    channels: int = 1,
    range: tuple[float, float] = (0.0, 1.0),
    answer: str = "image",
    answer_range: tuple[float, float] | None = None,
    sigma: str = "none",
    sigma_power: int = 1,
    sides: tuple[int | str, int | str] = ("h", "w"),
    multiple: int = 1,
    threshold: float = 0.1,
    output: int = 0,
) -> Path:
    """Write a denoiser; the options are those of `denobench.foreign.reading.Reading`.

    Outputs before the answer are single numbers.
    """
    graph = _Graph()
    low, high = range
    total = channels + ("channel" in sigma)
    shape = [1, total, *sides] if layout == "nchw" else [1, *sides, total]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    image, told = "x", ""
    if layout == "nhwc":
        image = graph.add("Transpose", image, perm=[0, 3, 1, 2])
    if "channel" in sigma:
        parts = [channels, 1] if sigma == "channel" else [1, channels]
        first = graph.add("Split", image, graph.constant(parts, np.int64), outputs=2, axis=1)
        second = first.replace("_0", "_1")
        image, told = (first, second) if sigma == "channel" else (second, first)
    elif sigma != "none":
        shapes: dict[str, list[int | str]] = {"scalar": [], "vector": [1], "column": [1, 1]}
        shapes |= {"pixel": [1, 1, 1, 1], "map": [1, 1, *sides]}
        inputs.append(helper.make_tensor_value_info("s", TensorProto.FLOAT, shapes[sigma]))
        told = "s"
        if sigma != "map":
            told = graph.add("Reshape", "s", graph.constant([1, 1, 1, 1], np.int64))
    if channels == 3:
        image = graph.add("ReduceMean", image, axes=[1])
    if multiple > 1:
        image = graph.add("SpaceToDepth", image, blocksize=multiple)
        image = graph.add("DepthToSpace", image, blocksize=multiple)
    # To [0, 1]: what the thresholds mean depends on the range.
    unit = graph.add("Sub", image, graph.constant(low))
    unit = graph.add("Div", unit, graph.constant(high - low))
    padded = graph.add("Pad", unit, graph.constant([0, 0, 3, 3] * 2, np.int64), mode="edge")
    smooth = graph.add("Conv", padded, graph.constant(KERNEL[None, None]))
    detail = graph.add("Sub", unit, smooth)
    if sigma_power == 2:
        told = graph.add("Sqrt", told)
    level = graph.add("Mul", told, graph.constant(1.2)) if told else graph.constant(threshold)
    kept = graph.add("Relu", graph.add("Sub", graph.add("Abs", detail), level))
    clean = graph.add("Add", smooth, graph.add("Mul", kept, graph.add("Sign", detail)))
    clean = graph.add("Clip", clean, graph.constant(0.0), graph.constant(1.0))
    out_low, out_high = answer_range or range
    clean = graph.add("Mul", clean, graph.constant(out_high - out_low))
    clean = graph.add("Add", clean, graph.constant(out_low))
    if answer == "residual":
        clean = graph.add("Sub", image, clean)
    elif answer == "negative-residual":
        clean = graph.add("Sub", clean, image)
    if channels == 3:
        clean = graph.add("Concat", clean, clean, clean, axis=1)
    if layout == "nhwc":
        clean = graph.add("Transpose", clean, perm=[0, 2, 3, 1])
    given = [graph.add("ReduceMean", clean, keepdims=0) for _ in [0] * output]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in [*given, clean]]
    made = helper.make_graph(graph.nodes, "denoiser", inputs, outputs, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path
