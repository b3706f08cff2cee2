"""Weights that an ONNX file keeps beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from networks_in_files import write

from denobench.errors import DenobenchError
from denobench.foreign import method_of, open_network, recognise

KNOWN = {"layout": "nchw", "range": "0..1", "answer": "image", "multiple": 1}


def _apart(path: Path, location: str = "my weights.bin") -> Path:
    """Write a denoiser whose weights are in a file of this name."""
    model = onnx.load(write(path))
    onnx.save(model, path, save_as_external_data=True, location=location, size_threshold=100)
    return path


def test_weights_beside_a_file_count_with_it(tmp_path: Path) -> None:
    """The answers are those of the whole, and other weights make another digest."""
    (tmp_path / "whole").mkdir()
    noisy = np.random.default_rng(0).random((40, 40), np.float32)
    path = _apart(tmp_path / "net.onnx")
    whole = method_of(write(tmp_path / "whole" / "net.onnx"), KNOWN)
    np.testing.assert_array_equal(
        method_of(path, KNOWN).denoise(noisy, None), whole.denoise(noisy, None)
    )
    before = recognise.digest(path)
    weights = tmp_path / "my weights.bin"
    content = bytearray(weights.read_bytes())
    content[0] ^= 1
    weights.write_bytes(content)
    assert recognise.digest(path) != before


@pytest.mark.parametrize("how", ["above", "absolute", "link"])
def test_weights_outside_of_the_folder_are_not_read(tmp_path: Path, how: str) -> None:
    """Neither by their path nor behind a link."""
    folder = tmp_path / "folder"
    folder.mkdir()
    path = _apart(folder / "net.onnx", "w.bin")
    shutil.move(folder / "w.bin", tmp_path / "w.bin")
    names = {"above": "../w.bin", "absolute": str(tmp_path / "w.bin"), "link": "w.bin"}
    if how == "link":
        (folder / "w.bin").symlink_to(tmp_path / "w.bin")
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = names[how]
    onnx.save(model, path)
    for opening in (recognise.digest, open_network):
        with pytest.raises(DenobenchError, match=r"outside of its folder \(.*w.bin\)"):
            opening(path)


def test_weights_that_were_not_copied_are_named(tmp_path: Path) -> None:
    """The file alone says which one is missing."""
    path = _apart(tmp_path / "net.onnx")
    (tmp_path / "my weights.bin").unlink()
    with pytest.raises(DenobenchError, match=r"keeps its weights in my weights.bin, which is not"):
        recognise.digest(path)
