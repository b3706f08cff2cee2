"""How much faster prediction and training are than plain Keras: same weights, call and threads.

Arithmetic bounds the ratios. In prediction the four convolutions between the first and the
up-samplings spend 36 multiplications where plain ones spend 144, the first two up-samplings with
their convolutions 25 for 144, the last 9 for 36. In training the layers that
up-sample spend 16 where plain ones spend 36, and the encoder's convolutions are the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial

import numba
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from denobench.autoencoder import build_cdae
from denobench.autoencoder.weights import SHAPES, graph
from denobench.networks.inference.predictor import Predictor

THREADS = os.environ["OMP_NUM_THREADS"]
SIDE = 224
ROUNDS = 15
# Multiplications an image, in millions, of the eight convolutions: side of the output, taps,
# input and output channels.
ENCODER = (
    (224, 9, 3, 32),
    (112, 9, 32, 64),
    (56, 9, 64, 128),
    (28, 9, 128, 128),
    (28, 9, 128, 128),
)
DECODER = ((56, 9, 128, 128), (112, 9, 128, 64), (224, 9, 64, 3))


@pytest.fixture(autouse=True)
def as_many_threads() -> None:
    numba.set_num_threads(int(THREADS))


def multiplications(layers: tuple[tuple[int, int, int, int], ...]) -> float:
    return sum(side**2 * taps * inputs * outputs for side, taps, inputs, outputs in layers) / 1e6


PLAIN = multiplications(ENCODER) + multiplications(DECODER)
FORWARD_BOUND = PLAIN / (
    multiplications(ENCODER[:1])
    + multiplications(ENCODER[1:]) * 36 / 144
    + multiplications(DECODER[:2]) * 25 / 144
    + multiplications(DECODER[2:]) * 9 / 36
)
# A training step computes the gradients of the layer's input and of its kernel too: 9 each, from
# sums over 2 x 2 blocks, where the plain layers spend 36. The first layer has no input gradient.
FIRST = multiplications(ENCODER[:1])
STEP_BOUND = (3 * PLAIN - FIRST) / (
    3 * multiplications(ENCODER) - FIRST + multiplications(DECODER) * (16 + 9 + 9) / 36
)


def compare(
    benchmark: BenchmarkFixture, name: str, bound: float, calls: list[Callable], batch: int
) -> None:
    """Time the plain network's call and the fast one's in turns, and print the ratio."""
    ratios, seconds = [], []

    def turn() -> None:
        started = time.perf_counter()
        calls[0]()
        middle = time.perf_counter()
        calls[1]()
        seconds.append((middle - started, time.perf_counter() - middle))
        ratios.append(seconds[-1][0] / seconds[-1][1])

    benchmark.pedantic(turn, rounds=ROUNDS, warmup_rounds=2)
    low, middle, high = np.percentile(ratios[2:], [25, 50, 75])
    plain, fast = 1e3 * np.median(seconds[2:], axis=0) / batch
    text = (
        f"{middle:.2f} ({low:.2f} to {high:.2f}), {plain:.0f} and {fast:.0f} ms an image; "
        f"arithmetic gives {bound:.2f}"
    )
    benchmark.extra_info["ratio"] = text
    print(f"\n{name}, plain / fast, {THREADS} thread(s): {text}")


@pytest.mark.parametrize("batch", [1, 8])
def test_prediction_beside_plain_keras(benchmark: BenchmarkFixture, batch: int) -> None:
    """Ratio of ``predict_on_batch``'s times, in turns; the aim is 2.5."""
    plain = build_cdae((SIDE, SIDE, 3))
    plain.compile(jit_compile=False)
    images = draw(batch)
    weights = dict(zip(SHAPES, plain.get_weights(), strict=True))
    networks = (plain, Predictor(graph(), weights))
    calls = [partial(network.predict_on_batch, images) for network in networks]
    compare(benchmark, f"predict, batch {batch}", FORWARD_BOUND, calls, batch)


def test_training_step_beside_plain_keras(benchmark: BenchmarkFixture) -> None:
    """Ratio of ``train_on_batch``'s times at batch 4, in turns; the aim is 1.6."""
    networks = [build_cdae((SIDE, SIDE, 3), fast=fast) for fast in (False, True)]
    networks[1].set_weights(networks[0].get_weights())
    for network in networks:
        network.compile("rmsprop", loss="mean_squared_error", jit_compile=False)
    images = draw(4)
    calls = [partial(network.train_on_batch, images, images) for network in networks]
    compare(benchmark, "training step, batch 4", STEP_BOUND, calls, 4)


def draw(batch: int) -> np.ndarray:
    shape = (batch, SIDE, SIDE, 3)
    return np.random.default_rng(0).random(shape, dtype=np.float32)
