"""What goes with cells to machines that do not see it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from networks_in_files import write

from denobench import config
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import make_plan
from denobench.engine.workers import cells
from denobench.engine.workers.sent import SentFile
from denobench.foreign import OnnxModel, recognise

KNOWN = {"layout": "nchw", "range": "0..1", "answer": "image", "multiple": 1}


def _planned(path: Path, images: Path, **settings: Any) -> Cell:
    entry = {"model": path, "device": "cpu", **KNOWN}
    tree = {"data": images, "size": 32, "split": "none", "limit": 1, "noise": ["gaussian:0.1"]}
    return make_plan(config.parse(tree | {"methods": {"mine": entry}} | settings, "test")).cells(
        {}
    )[0]


def test_file_and_what_belongs_to_it_arrive(tmp_path: Path, image_folder: Path) -> None:
    """A network with weights beside it gives the same row where its files were sent to."""
    (tmp_path / "here" / "w").mkdir(parents=True)
    path = write(tmp_path / "here" / "net.onnx")
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="w/net.bin",
              size_threshold=100)  # fmt: skip
    cell = _planned(path, image_folder)
    sent = SentFile.of(cell)
    there = sent.written(tmp_path / "there")
    assert [each.name for each in recognise.files(there)] == ["net.onnx", "net.bin"]
    found = [cells.compute(each).row for each in (cell, replace(cell, weights=there))]
    assert {each.status for each in found} == {"ok"}
    one, two = (replace(each, seconds=0, cpu_seconds=0) for each in found)
    assert one == two
    written = there.stat().st_mtime_ns
    assert sent.written(tmp_path / "there").stat().st_mtime_ns == written


def test_file_that_is_replaced_gives_rows_that_say_so(tmp_path: Path, image_folder: Path) -> None:
    """A process that reads it later fails; the next plan has other keys."""
    path = write(tmp_path / "net.onnx")
    cell = _planned(path, image_folder)
    write(path, threshold=0.05)
    row = cells.compute(cell).row
    assert row.status == "failed"
    assert "is not the file that was planned: it was replaced while the run went on" in row.error
    again = _planned(path, image_folder)
    assert again.key != cell.key
    assert cells.compute(again).row.status == "ok"


def test_what_is_read_is_what_was_hashed(
    tmp_path: Path, image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is replaced between the look at its digest and its reading scores nothing."""
    path = write(tmp_path / "net.onnx")
    cell = _planned(path, image_folder)
    load = OnnxModel.load

    def late(self: OnnxModel, given: Path) -> None:
        write(path, threshold=0.05)
        load(self, given)

    monkeypatch.setattr(OnnxModel, "load", late)
    assert "is not the file that was planned" in cells.compute(cell).row.error


def test_replaced_file_does_not_change_what_a_process_has_loaded(
    tmp_path: Path, image_folder: Path
) -> None:
    """Its next cells are computed by the network that was planned."""
    path = write(tmp_path / "net.onnx")
    cell = _planned(path, image_folder)
    before = cells.compute(cell).row
    write(path, threshold=0.05)
    after = cells.compute(cell).row
    assert (after.status, after.metrics) == ("ok", before.metrics)
    assert np.isfinite(after.metrics["psnr"])
