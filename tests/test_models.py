"""The cache of trained weights, with a small method that is really fitted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from denobench import methods, models
from denobench.datasets import Item, open_folder
from denobench.errors import DenobenchError
from denobench.methods import FittedDenoiser, Info, TrainingSet

# Of the U-Net that comes with the package; `models.SHIPPED` is another folder in these tests.
PACKAGED = next(path.parent for path in models.SHIPPED.glob("*/model.json")
                if json.loads(path.read_text())["method"] == "unet")  # fmt: skip


class Mean(FittedDenoiser):
    """Answers with the mean of the training images, so many times over."""

    info: ClassVar[Info] = Info("mean", "Mean", tracks=("blind",), packages=("numpy",))
    fitted: ClassVar[list[str]] = []

    def __init__(self, *, factor: float = 1.0) -> None:
        self.factor = factor
        self.training = "blind"
        self.mean: np.ndarray | None = None

    def recipe(self) -> dict[str, Any]:
        return {"factor": self.factor}

    def fit(self, training, *, folder, progress):
        self.fitted.append(str(folder))
        assert folder.is_dir()
        (folder / "checkpoint").write_text("half way")
        self.mean = self.factor * np.mean([i.read(training.size) for i in training.train], axis=0)
        progress(1, 1, "done")
        return pd.DataFrame({"epoch": [1, 2], "seconds": [0.5, 0.25], "kept": [False, True]})

    def save(self, path):
        with path.open("wb") as file:
            np.savez(file, mean=self.mean)

    def load(self, path):
        self.mean = np.load(path, allow_pickle=False)["mean"]

    def denoise(self, noisy, sigma):  # noqa: ARG002
        return self.mean


def silent(done: float, total: float, text: str = "") -> None:
    """Say nothing."""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """Keep every test's cache in a folder of its own, and nothing in the package."""
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(models, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(Mean, "fitted", [])
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def items(image_folder) -> tuple[Item, ...]:
    """Return small images, opened once for all tests."""
    return open_folder(image_folder).items


@pytest.fixture
def training(items) -> TrainingSet:
    """Return a training set of four images."""
    return TrainingSet(items[:4], items[4:6], 16, "gaussian", (0.1,), 7)


def test_train_then_find(training, cache):
    """What was trained is found by a new object of the same recipe, and by no other."""
    assert models.find(Mean(), training) is None
    model = models.train(Mean(), training, progress=silent)
    assert model == models.find(Mean(), training)
    assert model.folder == cache / "models" / Mean().weights_key(training)
    assert models.find(Mean(factor=2), training) is None
    again = Mean()
    again.load(model.weights)
    expected = np.mean([item.read(16) for item in training.train], axis=0)
    np.testing.assert_array_equal(again.denoise(expected, None), expected)


def test_training_happens_once(training):
    """A second call returns what the first one trained."""
    first = models.train(Mean(), training, progress=silent)
    assert models.train(Mean(), training, progress=silent) == first
    assert len(Mean.fitted) == 1


def test_what_a_model_says(training):
    """The information and the history say how the weights came about."""
    model = models.train(Mean(factor=3), training, progress=silent)
    info = json.loads((model.folder / models.INFO).read_text())
    assert model.record.training.images == tuple(info["training"]["images"])
    assert info["method"] == "mean"
    assert info["recipe"] == {"factor": 3}
    assert info["training"] == training.describe()
    assert (info["epochs"], info["kept_epoch"], info["seconds"]) == (2, 2, 0.75)
    assert info["versions"]["numpy"] == np.__version__
    assert list(model.history["kept"]) == [False, True]
    digest = subprocess.run(["sha256sum", model.weights], capture_output=True, text=True).stdout
    assert model.digest == digest.split()[0] == info["digest"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.json", "{"),
        ("model.json", ""),
        ("model.json", '{"method": "mean", "digest": 3}'),
        ("model.json", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"),
        ("history.csv", ""),
        ("history.csv", "loss\n1\n"),
    ],
)
def test_a_damaged_record_is_named(training, name, content):
    """A file beside weights that a copy or a full disk left in part is one error that names it."""
    model = models.train(Mean(factor=5), training, progress=silent)
    (model.folder / name).write_text(content)
    with pytest.raises(DenobenchError, match=re.escape(str(model.folder / name))):
        _ = (model.record, model.history)


def test_checkpoints_are_removed_unless_their_place_was_given(training, cache, tmp_path):
    """Checkpoints in the cache go when the training is done; in a given folder they stay."""
    models.train(Mean(), training, progress=silent)
    assert not list((cache / "training").iterdir())
    models.train(Mean(factor=2), training, progress=silent, checkpoints=tmp_path / "mine")
    assert (tmp_path / "mine" / "checkpoint").exists()


def test_a_failed_training_leaves_nothing_but_its_checkpoints(training, cache, monkeypatch):
    """When saving fails, no half-written model is found, and the training can go on."""

    def fail(self, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Mean, "save", fail)
        with pytest.raises(OSError, match="disk full"):
            models.train(Mean(), training, progress=silent)
    assert models.models() == []
    assert models.find(Mean(), training) is None
    assert (cache / "training" / Mean().weights_key(training) / "checkpoint").exists()
    assert models.train(Mean(), training, progress=silent).history.shape == (2, 3)


def test_shipped_weights_are_found_after_the_users(training, tmp_path):
    """Weights in the package are found, listed and exported, but not removed; the cache wins."""
    model = models.train(Mean(), training, progress=silent)
    shipped = tmp_path / "shipped" / model.key
    shipped.parent.mkdir()
    os.rename(model.folder, shipped)
    found = models.find(Mean(), training)
    assert found is not None
    assert found.folder == shipped
    assert found.shipped
    assert models.models() == [found]
    models.export(model.key[:8], tmp_path / "out.npz")
    assert (tmp_path / "out.npz").read_bytes() == found.weights.read_bytes()
    with pytest.raises(DenobenchError, match="came with the package"):
        models.remove(model.key)
    assert models.train(Mean(), training, progress=silent) == found


def test_changed_weights_are_refused(training):
    """A file of weights that was changed or lost raises, and the error says what to remove."""
    model = models.train(Mean(), training, progress=silent)
    model.weights.write_bytes(model.weights.read_bytes() + b" ")
    with pytest.raises(DenobenchError, match="remove the folder"):
        models.find(Mean(), training)
    model.weights.unlink()
    with pytest.raises(DenobenchError, match="remove the folder"):
        models.find(Mean(), training)


def test_list_export_remove(training, tmp_path):
    """Weights are addressed by the first characters of their key."""
    made = [models.train(Mean(factor=n), training, progress=silent) for n in range(1, 4)]
    assert models.models() == sorted(made, key=lambda model: model.key)
    models.remove(made[0].key[:10])
    assert models.models() == sorted(made[1:], key=lambda model: model.key)
    with pytest.raises(DenobenchError, match=r"Unknown key.*Valid: "):
        models.remove(made[0].key[:10])
    with pytest.raises(DenobenchError, match="More than one key"):
        models.export("", tmp_path / "out.npz")
    with pytest.raises(DenobenchError, match="cannot be written"):
        models.export(made[1].key, tmp_path / "no folder" / "out.npz")


def test_a_cache_that_cannot_be_written(training, tmp_path, monkeypatch):
    """A cache folder that is a file raises and names the variable to set."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(DenobenchError, match="set DENOBENCH_CACHE"):
        models.train(Mean(), training, progress=silent)


TWO = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_models import Mean, TrainingSet, models, open_folder, silent
items = open_folder(Path(sys.argv[2])).items
training = TrainingSet(items[:4], items[4:6], 16, "gaussian", (0.1,), 7)
fit = Mean.fit
def slow(self, *arguments, **named):
    time.sleep(1)
    return fit(self, *arguments, **named)
Mean.fit = slow
models.train(Mean(), training, progress=silent)
print(len(Mean.fitted))
"""


def test_two_processes_train_once(image_folder, training):
    """Of two processes that want the same weights one trains, and the other waits for it."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TWO, str(Path(__file__).parent), str(image_folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    fitted = sorted(process.communicate()[0].strip() for process in processes)
    assert fitted == ["0", "1"]
    assert models.find(Mean(), training) is not None


def test_shipped_models_are_whole():
    """Every model in the package has the weights that its description gives the digest of."""
    shipped = models.SHIPPED
    for path in shipped.glob("*/model.json"):
        model = models.Model(path.parent.name, path.parent)
        models._verify(model)
        assert json.loads(path.read_text())["epochs"] == len(model.history)


def test_weights_that_are_ready(training, monkeypatch):
    """Without a training set the weights of the own recipe are taken, else the latest that suit."""
    assert models.ready(Mean()) is None
    first = models.train(Mean(factor=2), training, progress=silent)
    assert models.ready(Mean()) == models.ready(Mean(factor=2)) == first
    own = models.train(Mean(), training, progress=silent)
    assert models.ready(Mean()) == own
    monkeypatch.setattr(Mean, "version", 9)
    assert models.ready(Mean()) is None


@pytest.mark.parametrize(
    "parameters", [{}, {"training": "blind"}, {"widths": [8, 8, 16], "epochs": 2}], ids=str
)
def test_the_exported_network_is_the_trained_one(parameters, cache, monkeypatch):
    """What is exported has what was trained: told sigma or not, and as wide."""
    method = methods.build("unet", parameters)
    method._weights = method.initial_weights(0)
    folder = cache / "models" / "abc"
    folder.mkdir(parents=True)
    method.save(folder / "weights.npz")
    record = json.loads((PACKAGED / "model.json").read_text()) | {"recipe": method.recipe()}
    (folder / "model.json").write_text(json.dumps(record))
    exported = []
    monkeypatch.setattr(models, "export_network", lambda network, _: exported.append(network))
    models.export("abc", cache / "net.onnx")
    (network,) = exported
    assert network.training == method.training
    assert network.recipe() == method.recipe()
    assert network.trained().count_params() >= sum(w.size for w in method._weights.values())
