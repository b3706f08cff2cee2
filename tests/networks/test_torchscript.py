"""A network's graph as a module of torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from denobench.networks import torchscript
from denobench.networks.inference.graph import Graph, Node
from denobench.networks.inference.predictor import Predictor

NODES = (
    Node("unshuffle", (0,)),
    Node("convolution", (1,), ("k1", "b1")),
    Node("normalisation", (2,), ("gamma", "", "mean", "variance"), 1e-3),
    Node("relu", (3,)),
    Node("halving", (4,), ("k2", "")),
    Node("doubling", (5,), ("k3", "b3")),
    Node("sum", (6, 4, 3)),
    Node("shuffle", (7,)),
    Node("pooling", (7,)),
    Node("enlargement", (9,)),
    Node("difference", (10, 7)),
    Node("concatenation", (11, 2)),
    Node("enlargement", (12,)),
    Node("concatenation", (13, 8)),
    Node("convolution", (14,), ("k4", "b4")),
    Node("sigmoid", (15,)),
    Node("first", (16,), (), 2),
)
SHAPES = {
    "k1": (3, 3, 8, 12), "b1": (12,), "gamma": (12,), "mean": (12,), "variance": (12,),
    "k2": (2, 2, 12, 20), "k3": (2, 2, 12, 20), "b3": (12,), "k4": (1, 1, 27, 3), "b4": (3,),
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".pt", ".pt2"])
def test_answers_are_the_network_s(tmp_path: Path, suffix: str) -> None:
    """With every operation that graphs have, on other sides than it was written with."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    weights = {
        name: rng.uniform(0.1, 0.5, shape).astype(np.float32) for name, shape in SHAPES.items()
    }
    graph = Graph("all", 2, NODES, SHAPES)
    images = rng.uniform(-0.5, 0.5, (1, 24, 40, 2)).astype(np.float32)
    expected = Predictor(graph, weights, 4).predict_on_batch(images)
    torchscript.write(graph, weights, 4, tmp_path / f"net{suffix}")
    if suffix == ".pt":
        loaded = torch.jit.load(str(tmp_path / "net.pt"))
    else:
        loaded = torch.export.load(tmp_path / "net.pt2").module()
    with torch.inference_mode():
        found = loaded(torch.from_numpy(images.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(found.numpy().transpose(0, 2, 3, 1), expected, atol=1e-5)
