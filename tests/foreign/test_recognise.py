"""Files that are said to hold a network: what each is, and why some are refused."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denobench.errors import DenobenchError
from denobench.foreign import open_network


def _lambda(path: Path) -> None:
    """Write a Keras file whose layer would run code."""
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "code"}}
    _keras(path, layer)


def _keras(path: Path, layer: object) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": [layer]}))
        archive.writestr("metadata.json", "{}")


class _Runs:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return exec, ("raise SystemExit('it ran')",)


def _state(path: Path) -> None:
    path.write_bytes(pickle.dumps({"conv.weight": [1.0, 2.0]}, protocol=2))


def _legacy(path: Path, object_: object) -> None:
    """Write a file as torch before 1.6 did: several pickles, then the tensors."""
    parts = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, object_, ["0"])
    path.write_bytes(b"".join(pickle.dumps(each, protocol=2) for each in parts) + bytes(64))


def _safetensors(path: Path) -> None:
    """Write weights as safetensors has them: the header's length, the header, the numbers."""
    header = json.dumps({"m.weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(4))


def _checkpoint(path: Path) -> None:
    """Make a folder as TensorFlow 1 saved networks."""
    path.mkdir()
    for suffix in ("index", "meta", "data-00000-of-00001"):
        (path / f"model.ckpt-1.{suffix}").write_bytes(b"\0")


def _torch_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", pickle.dumps(_Runs(), protocol=2))


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "page.onnx": (lambda p: p.write_text("\n<!DOCTYPE html><html>"), "is a web page"),
    "lfs.onnx": (
        lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1"),
        "Git LFS pointer.*git lfs pull",
    ),
    "empty.onnx": (lambda p: p.write_bytes(b""), "is an empty file"),
    "text.onnx": (lambda p: p.write_text("hello"), "a text that begins 'hello'"),
    "array.onnx": (lambda p: np.save(p.open("wb"), np.zeros(3)), "a NumPy array"),
    "cut.keras": (lambda p: p.write_bytes(b"PK\x03\x04" + bytes(40)), "a damaged archive"),
    "cut.onnx": (lambda p: p.write_bytes(b"\x08\x08\x12\x04onnx" + b"\xff" * 40), "cannot be read"),
    "folder": (lambda p: p.mkdir(), "without a saved_model.pb"),
    "gone.onnx": (Path.exists, "No such file"),
    "state.pth": (_state, r"a state dict: weights \(conv.weight\).*load_state_dict"),
    "old-state.pth": (
        lambda p: _legacy(p, {"model.0.weight": 1.0, "model.0.bias": 2.0}),
        r"a state dict: weights \(model.0.weight, model.0.bias\) without",
    ),
    "old-whole.pth": (lambda p: _legacy(p, _Runs()), "would run code.*Export"),
    "net.safetensors": (_safetensors, "a safetensors file.*load_model.*Export"),
    "net.tflite": (
        lambda p: p.write_bytes(b"\x1c\0\0\0TFL3" + bytes(64)),
        "a TFLite file.*tf2onnx.convert --tflite",
    ),
    "net.mat": (lambda p: p.write_bytes(b"MATLAB 7.3 MAT-file" + bytes(600)), "exportONNXNetwork"),
    "net.xml": (lambda p: p.write_text("<?xml version='1.0'?><net name='x'>"), "an OpenVINO"),
    "graph.pb": (lambda p: p.write_bytes(b"\n\x1a\n\x01x\x12\x0bPlaceholder"), "--graphdef"),
    "net.ort": (lambda p: p.write_bytes(b"\x1c\0\0\0ORTM" + bytes(64)), "onnxruntime's own"),
    "net.tar": (lambda p: p.write_bytes(bytes(257) + b"ustar" + bytes(300)), "a tar archive"),
    "checkpoint": (_checkpoint, "a checkpoint of TensorFlow without a saved_model.pb"),
    "pickled.pt": (lambda p: p.write_bytes(pickle.dumps(_Runs())), "would run code.*Export"),
    "archive.pt": (_torch_archive, "would run code.*Export"),
    "lambda.keras": (_lambda, "Lambda layer.*Export"),
    "own.keras": (
        lambda p: _keras(p, {"module": "my.layers", "class_name": "Mine", "config": {}}),
        "'Mine' of my.layers",
    ),
    "system.keras": (
        lambda p: _keras(p, {"module": "os", "class_name": "function", "config": "system"}),
        "'function' of os",
    ),
    "builtin.keras": (
        lambda p: _keras(p, {"module": "builtins", "class_name": "exec", "config": ""}),
        "'exec' of builtins",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_file_that_is_no_network_is_named_for_what_it_is(tmp_path: Path, name: str) -> None:
    """One error says what the file is and, where there is one, the way out; nothing in it runs."""
    make, message = REFUSED[name]
    make(tmp_path / name)
    with pytest.raises(DenobenchError, match=f"(?s){message}"):
        open_network(tmp_path / name)


def test_saved_model_that_reaches_outside_is_refused(tmp_path: Path) -> None:
    """A graph that writes files is not loaded."""
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01\x12\x10 WriteFile \x00")
    with pytest.raises(DenobenchError, match=r"reaches outside of itself \(WriteFile\)"):
        open_network(tmp_path)


def test_weights_without_a_network_are_named(tmp_path: Path) -> None:
    """An HDF5 file of Keras' save_weights() says how to save the whole."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["conv/kernel"] = np.zeros((3, 3))
    with pytest.raises(DenobenchError, match="weights without the network"):
        open_network(tmp_path / "weights.h5")


def _dncnn(keras: Any) -> Any:
    """Return a network as DnCNN's public training code builds it, compiled with its own loss."""
    layers = keras.layers

    def sum_squared_error(true: Any, given: Any) -> Any:
        return ((true - given) ** 2) / 2

    image = layers.Input((None, None, 1))
    maps = layers.Conv2D(4, 3, padding="same", kernel_initializer="Orthogonal")(image)
    maps = layers.BatchNormalization(axis=3, momentum=0.0, epsilon=1e-4)(maps)
    maps = layers.Conv2D(1, 3, padding="same")(layers.Activation("relu")(maps))
    model = keras.Model(image, layers.Subtract()([image, maps]))
    model.compile(optimizer="adam", loss=sum_squared_error)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model_050.hdf5", "net.keras"])
@pytest.mark.parametrize("version", [2, 3])
def test_keras_files_with_a_loss_of_their_own_are_read(
    tmp_path: Path, name: str, version: int
) -> None:
    """Of Keras 2, too: what it was trained with is not needed, and not looked for."""
    keras = pytest.importorskip("tf_keras" if version == 2 else "keras")
    model = _dncnn(keras)
    model.save(tmp_path / name)
    image = np.random.default_rng(0).random((1, 16, 24, 1), np.float32)
    (found,) = open_network(tmp_path / name)([image])
    np.testing.assert_allclose(found, np.asarray(model(image)), atol=1e-5)
