"""What an installed package carries."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_wheel_carries_what_runs_need(tmp_path: Path) -> None:
    """The wheel holds configs, the page's template, the digests and the baselines, and no tests."""
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, str(ROOT)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "denobench/configs/quick.yaml",
        "denobench/configs/paper.yaml",
        "denobench/configs/full.yaml",
        "denobench/report/page.html.j2",
        "denobench/datasets/brain_tumor.sha256",
        "denobench/py.typed",
        "baselines/bm3d.py",
    ):
        assert name in names
    assert not any(name.startswith("tests/") for name in names)
