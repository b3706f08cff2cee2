"""What a training leaves for the reader: how it went, and what the network costs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from baselines.networks.unet import UNet
from denobench import config, models
from denobench.autoencoder import CDAE
from denobench.engine.planning.plan import make_plan
from denobench.engine.stages.training import _cost, train_methods
from denobench.models import SHIPPED, Model
from denobench.networks import NetworkDenoiser
from denobench.progress import Silent
from denobench.rows import RunFolder

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


def test_weights_that_methods_share_are_copied_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that is asked in several ways has one copy in the run, and one row for each way."""
    monkeypatch.setattr(models, "cache_folder", lambda: tmp_path / "cache")
    twice = {"unet": {}, "U-Net (8 ways)": {"method": "unet", "ensemble": 8}, "cdae": {}}
    plan = make_plan(config.load("quick", {"methods": twice}))
    weights = train_methods(plan, RunFolder(tmp_path / "run"), Silent())
    copies = [*weights.copies.values()]
    assert len(copies) == 2
    assert {path.name for path in (tmp_path / "run" / "models").iterdir()} == {*copies}
    assert {*weights.records} == {*twice}
    one, eight = (weights.records[name].model_dump() for name in ("unet", "U-Net (8 ways)"))
    assert eight == one | {"multiplications": 8 * one["multiplications"]}
    assert len({found for _, found in weights.paths.values()}) == 2
    assert weights.remarks == {"unet": "", "U-Net (8 ways)": "the weights of unet", "cdae": ""}
