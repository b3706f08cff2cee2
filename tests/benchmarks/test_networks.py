"""How fast networks are predicted, beside ONNX Runtime with the same weights, one thread each."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import onnxruntime
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from threadpoolctl import threadpool_limits

from denobench import methods
from denobench.networks import NetworkDenoiser
from denobench.networks.export import export
from denobench.networks.inference.assembly import FEW
from denobench.networks.inference.graph import Graph

SIDE = 224
ROUNDS = 15
LARGE = {"widths": [64, 96, 128]}
NAMES = ["cdae", "unet", "dncnn", "r2unet", "cae", "vae"]


def least_products(graph: Graph) -> float:
    """Return how many an image takes, with Winograd's 36 for 144 in wide 3 x 3 convolutions."""
    wide = {
        name: shape if shape[:2] == (3, 3) and min(shape[2:]) > FEW else (0,)
        for name, shape in graph.shapes.items()
    }
    spared = 0.75 * replace(graph, shapes=wide).multiplications(SIDE, SIDE)
    return graph.multiplications(SIDE, SIDE) - spared


def matrix_products_a_second() -> float:
    """Return how many products NumPy's BLAS does on one thread."""
    matrix = np.ones((768, 768), np.float32)
    best = math.inf
    with threadpool_limits(1):
        for _ in range(20):
            started = time.perf_counter()
            matrix @ matrix
            best = min(best, time.perf_counter() - started)
    return float(len(matrix) ** 3 / best)


@pytest.mark.parametrize(
    ("name", "parameters"), [*((name, {}) for name in NAMES), ("unet", LARGE)], ids=str
)
def test_prediction_beside_onnx_runtime(
    name: str, parameters: dict[str, object], benchmark: BenchmarkFixture, tmp_path: Path
) -> None:
    """Ratio of the times of one image, in turns; the aim is 2 for ``unet`` and ``dncnn``.

    The bound is that of the products, were all as fast as in a large matrix product and all else
    free.
    """
    numba.set_num_threads(1)
    method = methods.build(name, parameters)
    assert isinstance(method, NetworkDenoiser)
    method._weights = method.initial_weights(0)
    export(method, tmp_path / "network.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx", options)
    predictor = method.predictor(method._weights)
    rng = np.random.default_rng(0)
    images = rng.random((1, SIDE, SIDE, method.channels), dtype=np.float32)
    given = {session.get_inputs()[0].name: images}
    np.testing.assert_allclose(
        predictor.predict_on_batch(images), session.run(None, given)[0], atol=1e-5
    )
    seconds = []

    def turn() -> None:
        started = time.perf_counter()
        session.run(None, given)
        middle = time.perf_counter()
        predictor.predict_on_batch(images)
        seconds.append((middle - started, time.perf_counter() - middle))

    benchmark.pedantic(turn, rounds=ROUNDS, warmup_rounds=2)
    theirs, ours = np.array(seconds[2:]).T
    low, middle, high = np.percentile(theirs / ours, [25, 50, 75])
    graph = method.graph()
    assert graph is not None
    bound = least_products(graph) / matrix_products_a_second()
    print(
        f"\n{name} {parameters or ''}: ONNX Runtime {1e3 * np.median(theirs):.1f}, here "
        f"{1e3 * np.median(ours):.1f} ms, ratio {middle:.2f} ({low:.2f} to {high:.2f}); "
        f"{graph.multiplications(SIDE, SIDE) / 1e9:.2f} billion products, with Winograd's "
        f"{least_products(graph) / 1e9:.2f}; bound {1e3 * bound:.1f} ms"
    )
