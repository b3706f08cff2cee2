"""What a training leaves for the reader: how it went, and what the network costs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from baselines.networks.unet import UNet
from denobench.autoencoder import CDAE
from denobench.engine.stages.training import _cost
from denobench.models import SHIPPED, Model
from denobench.networks import NetworkDenoiser

SIDE = 224
_FOLDERS = (path for path in SHIPPED.iterdir() if path.is_dir())
SHIPPED_WITH = {model.record.method: model for model in (Model(p.name, p) for p in _FOLDERS)}


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a network is built, which starts TensorFlow."""
    for method in (UNet, CDAE):
        monkeypatch.setattr(method, "build", lambda *_: pytest.fail("no network need be built"))


@pytest.mark.parametrize("method", [UNet(), CDAE()], ids=lambda method: method.info.name)
def test_costs_are_in_the_file_of_weights(method: NetworkDenoiser, unbuilt: None) -> None:
    """Parameters, products and images seen of weights of the package, without TensorFlow."""
    model = SHIPPED_WITH[method.info.name]
    with np.load(model.weights) as file:
        kernels = {name: file[name].shape for name in file.files if name != "graph"}
    found = _cost(method, model, SIDE)
    assert found["parameters"] == sum(map(np.prod, kernels.values()))
    # The least and the most that convolutions take: each kernel once at the coarsest scale, and
    # each at every pixel.
    least, most = ((SIDE / factor) ** 2 * found["parameters"] for factor in (method.factor, 1))
    assert least < found["multiplications"] < most
    record = model.record
    squares = record.recipe["crops"] if method.info.name == "unet" else 1
    assert found["seen"] == record.epochs * 166 * squares
    assert found["device"] == record.machine


def test_weights_of_before_cost_what_they_tell(unbuilt: None, tmp_path: Path) -> None:
    """A file that describes no network has its parameters counted; its products are not known."""
    shutil.copytree(SHIPPED_WITH["unet"].folder, tmp_path / "old")
    old = Model("old", tmp_path / "old")
    with np.load(old.weights) as file:
        arrays = {name: file[name] for name in file.files if name != "graph"}
    np.savez(old.weights, **arrays)
    found, known = (_cost(UNet(), model, SIDE) for model in (old, SHIPPED_WITH["unet"]))
    assert found == {name: value for name, value in known.items() if name != "multiplications"}
