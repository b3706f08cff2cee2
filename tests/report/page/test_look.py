"""The viewer of any files: pictures and volumes, one reference, one size."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import denobench
from denobench.cli import app
from denobench.errors import DenobenchError
from denobench.metrics import psnr
from denobench.report import Report
from denobench.report.page.pixels import Packed, unpack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, two volumes and a picture of another size."""
    rng = np.random.default_rng(0)
    for name, shape in (("a", (12, 16)), ("b", (12, 16)), ("c", (12, 16)), ("wide", (12, 20))):
        pixels = rng.integers(0, 256, shape).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    for name in ("v", "w"):
        np.save(tmp_path / f"{name}.npy", rng.random((5, 12, 16)).astype(np.float32))
    return tmp_path


def embedded(page: Path) -> tuple[dict, list[np.ndarray]]:
    """Return what a page holds for the viewer."""
    html = page.read_text("utf-8")
    (text,) = re.findall(r'id="viewer-data">(.*?)</script>', html, re.DOTALL)
    data = json.loads(text)
    packed = re.findall(r'id="picture-\d+">([^<]*)</script>', html)
    return data, [
        unpack(Packed(**about, data=content))
        for about, content in zip(data["pictures"], packed, strict=True)
    ]


def test_pictures_side_by_side(folder: Path) -> None:
    """Each file is shown at its values, with its scores against the reference."""
    files = [folder / "a.png", folder / "b.png"]
    found = denobench.view(*files, reference=folder / "c.png", out=folder / "out.html")
    data, pixels = embedded(found.path)
    (view,) = data["views"]
    clean, first, _ = (np.asarray(Image.open(folder / f"{n}.png")) / 255 for n in "cab")
    assert pixels[view["clean"]] == pytest.approx(clean, abs=1e-5)
    assert pixels[view["answers"]["0"]] == pytest.approx(first, abs=1e-5)
    assert view["scores"]["0"]["psnr"] == pytest.approx(psnr(clean, first), abs=1e-3)
    assert [method["label"] for method in data["methods"]] == ["a.png", "b.png"]
    assert "<iframe" in found._repr_html_()


def test_volumes_slice_by_slice(folder: Path) -> None:
    """A volume is one view per slice, and the middle one is shown first."""
    found = denobench.view(folder / "v.npy", folder / "w.npy", out=folder / "out.html")
    data, pixels = embedded(found.path)
    assert [(view["slice"], view["depth"]) for view in data["views"]] == [
        (number, 5) for number in range(1, 6)
    ]
    assert data["start"] == 2
    volume = np.load(folder / "w.npy")
    for number, view in enumerate(data["views"]):
        assert pixels[view["answers"]["1"]] == pytest.approx(volume[number], abs=1e-5)


def test_scans_are_upright_and_of_one_scale(tmp_path: Path) -> None:
    """In whichever order a file has its voxels; half as bright is shown half as bright."""
    x, y, z = np.indices((12, 16, 5))
    voxels = (40 * x + 10 * y + z).astype(np.int16)
    first = nibabel.Nifti1Image(voxels, np.diag([1.0, 1, 2, 1]))
    nibabel.save(first, tmp_path / "a.nii.gz")
    turned = nibabel.Nifti1Image((voxels // 2)[::-1, ::-1], np.diag([-1.0, -1, 2, 1]))
    nibabel.save(turned, tmp_path / "b.nii.gz")
    found = denobench.view(tmp_path / "a.nii.gz", tmp_path / "b.nii.gz", out=tmp_path / "p.html")
    data, pixels = embedded(found.path)
    view = data["views"][2]
    clean, half = (pixels[view["answers"][name]] for name in "01")
    assert clean.shape == (16, 12)
    # The nose is up, and the patient's right on the left.
    assert clean[0].mean() > clean[-1].mean()
    assert clean[:, 0].mean() > clean[:, -1].mean()
    assert half == pytest.approx(clean / 2, abs=2e-3)


def test_mistakes_are_one_sentence(folder: Path) -> None:
    """Other sizes, missing files, folders without a report: each names the file."""
    for files, message in (
        (["a.png", "wide.png"], r"wide.png: 20 × 12 pixels, and .*a.png has 16 × 12"),
        (["a.png", "v.npy"], "16 × 12 × 5"),
        (["none.png"], "none.png: no such file"),
        (["."], "a run is viewed alone"),
    ):
        with pytest.raises(DenobenchError, match=message):
            denobench.view(*(folder / name for name in files), out=folder / "x.html")
    with pytest.raises(DenobenchError, match="not the folder of a run"):
        denobench.view(folder)
    with pytest.raises(DenobenchError, match="Nothing to view"):
        denobench.view()


def test_a_run_is_its_report(report: Report, folder: Path) -> None:
    """A folder with a report is viewed as it lies, and a page of files goes where it is asked."""
    assert denobench.view(report.folder).path == report.page
    words = ["view", str(folder / "a.png"), "--out", str(folder / "p.html"), "--no-open"]
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0
    assert (folder / "p.html").is_file()
