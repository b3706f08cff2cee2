"""Keras' backends: the same network trained with each, and weights that move between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from denobench import methods
from denobench.networks import NetworkDenoiser

HELPERS = Path(__file__).parents[1] / "helpers"
SEEDS = (1, 2, 3)
# Small, and with what backends do differently: a penalty, rearranged pixels, gradients of our own.
ONE_EPOCH = {
    "contractive-dae": {},
    "unet": {"crops": 1, "crop": 24},
    "cdae": {},
}
TRAIN = """
import json, sys
from pathlib import Path
import numpy as np
from denobench import methods
from denobench.datasets import open_folder
from denobench.methods import TrainingSet
from denobench.networks import device
from denobench.networks.recipe import Recipe
from tiny import Tiny

images, folder = Path(sys.argv[1]), Path(sys.argv[2])
items = open_folder(images).items

def fit(method, seed, name):
    training = TrainingSet(items[:12], items[12:16], 32, "gaussian", (0.05, 0.2), seed)
    history = method.fit(training, folder=folder / name, progress=lambda *_: None)
    method.save(folder / f"{name}.npz")
    assert set(history["backend"]) == {device.backend()} and set(history["device"]) == {"cpu"}
    return float(history["val_psnr"].iloc[-1])

told = {}
for seed in json.loads(sys.argv[3]):
    told[f"tiny {seed}"] = fit(Tiny(epochs=10, batch_size=4), seed, f"tiny-{seed}")
for name, changes in json.loads(sys.argv[4]).items():
    method = methods.build(name, {"epochs": 1, "batch_size": 4, **changes})
    told[name] = fit(method, 0, name)
try:
    with device.naming_too_little_memory("Tiny", Recipe(1, 4, 0.1)):
        import keras
        keras.ops.zeros((2**20, 2**20, 2**10))
except Exception as error:
    told["memory"] = str(error)
print(json.dumps(told))
"""


def trained(backend: str, images: Path, folder: Path, seeds: tuple[int, ...]) -> dict[str, float]:
    """Train with a backend in a process of its own, and return the last validation's scores."""
    folder.mkdir()
    environment = {**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "-1"}
    words = (str(images), str(folder), json.dumps(seeds), json.dumps(ONE_EPOCH))
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, *words],
        cwd=HELPERS, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def tensorflows(image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Return the scores of TensorFlow's trainings, with several seeds."""
    return trained("tensorflow", image_folder, tmp_path_factory.mktemp("all") / "tensorflow", SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_backends_agree(
    backend: str, request: pytest.FixtureRequest, image_folder: Path, tmp_path: Path
) -> None:
    """Trained alike, scores differ by less than those of seeds; the weights predict anywhere."""
    pytest.importorskip(backend)
    tensorflows = request.getfixturevalue("tensorflows")  # not where there is nothing to hold to it
    folder = tmp_path / backend
    found = trained(backend, image_folder, folder, SEEDS[:1])
    spread = np.std([tensorflows[f"tiny {seed}"] for seed in SEEDS], ddof=1)
    assert found["tiny 1"] == pytest.approx(tensorflows["tiny 1"], abs=max(spread, 0.01))
    for name in ONE_EPOCH:
        assert found[name] == pytest.approx(tensorflows[name], abs=0.1), name
    assert "memory is too little" in str(found["memory"])
    # Here Keras computes with TensorFlow, and the engine of our own with nothing of either.
    noisy = np.random.default_rng(0).normal(0.5, 0.2, (32, 32)).astype(np.float32)
    for name in ONE_EPOCH:
        method = methods.build(name, {})
        assert isinstance(method, NetworkDenoiser)
        method.load(folder / f"{name}.npz")
        model = method.trained()
        given = method.encode(noisy, 0.1)[np.newaxis]
        expected = method.decode(np.asarray(model.predict_on_batch(given))[0])
        np.testing.assert_allclose(method.denoise(noisy, 0.1), expected, atol=2e-5)
