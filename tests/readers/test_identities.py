"""What headers say of persons stays in them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pandas as pd
import pydicom
import pytest
import scans
from pydicom.data import get_testdata_file

from denobench import api, view
from denobench.cache import cache_folder
from denobench.datasets.audit import audit

VOLUME = np.random.default_rng(0).integers(0, 1000, (12, 16, 20)).astype(np.int16)
AFFINE = np.diag([2.0, 1.0, 1.5, 1.0])
PLANTED = ("ZZNAME", "ZZID77", "19121212", "ZZHOSPITAL", "ZZDESCRIP", "ZZFASTMRI", "planted-7")


def plant(folder: Path) -> None:
    """Save files of many formats, each with something of a person in its header."""
    scans.series(folder / "a", 3)
    for path in (folder / "a").iterdir():
        found = pydicom.dcmread(path)
        found.PatientName, found.PatientID = "ZZNAME^A", "ZZID77"
        found.PatientBirthDate, found.InstitutionName = "19121212", "ZZHOSPITAL"
        found.SeriesDescription = "ZZNAME"
        found.save_as(path)
    scans.enhanced_mr(slopes=(1.0, 0.5)).save_as(folder / "e.dcm", enforce_file_format=True)
    for name, source in (("cut.dcm", "MR_truncated.dcm"), ("plan.dcm", "rtplan.dcm")):
        broken = pydicom.dcmread(get_testdata_file(source))
        broken.PatientName = "ZZNAME"
        broken.save_as(folder / name)
    image = nibabel.Nifti1Image(VOLUME, AFFINE)
    image.header["descrip"], image.header["aux_file"] = b"ZZDESCRIP", b"ZZNAME"
    image.header["intent_name"] = b"ZZNAME"
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"ZZID77"))
    nibabel.save(image, folder / "b.nii.gz")
    with h5py.File(folder / "c.h5", "w") as file:
        file["reconstruction_rss"] = VOLUME.astype(np.float32) + 7
        file["ismrmrd_header"] = b"<patientName>ZZNAME</patientName>"
        file.attrs["patient_id"] = "ZZFASTMRI"


@pytest.mark.slow
def test_no_identity_is_left_in_any_file(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of headers nothing is in rows, manifest, report, page, gallery, logs, cache or terminal.

    Neither as it is written, nor as a digest that could be found by trying names.
    """
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
    plant(tmp_path / "data")
    settings = {
        "data": str(tmp_path / "data"), "dataset": "folder", "split": "none", "size": 32,
        "methods": ["identity", "gaussian-filter"], "noise": ["gaussian:0.1"],
        "timing.repeats": 1, "gallery": 2, "slices.every": 6,
    }  # fmt: skip
    api.run("quick", settings, out=tmp_path / "own", progress=True)
    view(tmp_path / "own")
    whole = {"unit": "volume", "slices.every": 1, "gallery.share": True, "timing.repeats": 0}
    api.run("quick", settings | whole, out=tmp_path / "shared", progress=False)
    told = audit(tmp_path / "data").to_json() + repr(capsys.readouterr())
    assert "cut.dcm" in told
    tops = [*(tmp_path / name for name in ("own", "shared")), cache_folder()]
    files = [path for top in tops for path in top.rglob("*") if path.is_file()]
    assert {".sqlite", ".parquet", ".html", ".log", ".npy", ".json"} <= {p.suffix for p in files}
    contents = {str(path): path.read_bytes() for path in files}
    for path in files:  # which is compressed
        if path.suffix == ".parquet":
            contents[f"{path} unpacked"] = pd.read_parquet(path).to_csv().encode()
    ways = [hashlib.md5, hashlib.sha1, hashlib.sha256]
    words = [*PLANTED, *(way(word.encode()).hexdigest()[:10] for word in PLANTED for way in ways)]
    for name, content in {**contents, "terminal": told.encode()}.items():
        for word in words:
            assert word.encode() not in content, name
            assert word not in name
