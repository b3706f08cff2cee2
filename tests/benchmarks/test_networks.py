"""How fast networks are predicted, beside ONNX Runtime with the same weights, one thread each."""

from __future__ import annotations

import time
from pathlib import Path

import numba
import numpy as np
import onnxruntime
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from denobench import methods
from denobench.networks import NetworkDenoiser
from denobench.networks.export import export

SIDE = 224
ROUNDS = 15


@pytest.mark.parametrize("name", ["cdae", "unet", "dncnn", "r2unet", "cae", "vae"])
def test_prediction_beside_onnx_runtime(
    name: str, benchmark: BenchmarkFixture, tmp_path: Path
) -> None:
    """Ratio of the times of one image, in turns; the aim is 2 for ``unet`` and ``dncnn``.

    The bound is by the multiplications: Winograd's 36 for 144 of a 3 x 3 convolution, were all
    products as fast and the transforms free.
    """
    numba.set_num_threads(1)
    method = methods.build(name, {})
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
    billions = graph.multiplications(SIDE, SIDE) / 1e9
    print(
        f"\n{name}: ONNX Runtime {1e3 * np.median(theirs):.1f}, here {1e3 * np.median(ours):.1f} "
        f"ms, ratio {middle:.2f} ({low:.2f} to {high:.2f}); {billions:.2f} billion products, "
        f"{billions / np.median(theirs):.0f} and {billions / np.median(ours):.0f} a second"
    )
