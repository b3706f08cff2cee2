"""The audit of a folder tells its formats, frames, noise, duplicates and leak as they are."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from alterations import as_bytes
from PIL import Image
from skimage import data

from denobench.datasets import simulated
from denobench.datasets.audit import Audit, audit
from denobench.datasets.sheet import contact_sheet
from denobench.errors import DenobenchError

COUNT, PAIRS = 24, 4
Made = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 24 images, two labels, of which four slices occur twice, and three odd files."""
    folder = tmp_path_factory.mktemp("audited")
    for label in ("no", "yes"):
        (folder / label).mkdir()
    for number in range(COUNT - PAIRS):
        image = Image.fromarray(as_bytes(simulated.generate(number)[0]))
        image.save(folder / ("no", "yes")[number % 2] / f"{number:02d}.png")
    shutil.copy(folder / "no" / "00.png", folder / "no" / "00 copy.png")
    shutil.copy(folder / "no" / "02.png", folder / "yes" / "02 copy.png")
    with Image.open(folder / "yes" / "01.png") as image:
        image.convert("RGB").resize((300, 260)).save(folder / "yes" / "01 larger.jpg")
    with Image.open(folder / "yes" / "03.png") as image:
        image.crop((20, 20, 200, 200)).save(folder / "yes" / "03 cropped.jpg", "PNG")
    (folder / "no" / "empty.png").touch()
    (folder / "no" / "half.png").write_bytes((folder / "no" / "00.png").read_bytes()[:9000])
    (folder / "yes" / "text.jpg").write_text("no image")
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> Audit:
    return audit(folder)


def test_formats_are_those_of_the_content(found: Audit) -> None:
    """Format and mode come from the content, and a suffix that says otherwise is counted."""
    of = found.to_frame().set_index("id")
    assert of.loc["yes/01 larger.jpg", ["format", "mode", "width", "height"]].tolist() == [
        "JPEG",
        "RGB",
        300,
        260,
    ]
    odd = of.loc["yes/03 cropped.jpg"]
    assert (odd["format"], odd["suffix_format"], odd["mode"]) == ("PNG", "JPEG", "L")
    assert (
        found.table()["formats"] == f"PNG {COUNT - 1}, JPEG 1; 1 with the suffix of another format"
    )


def test_unreadable_files_have_a_cause(found: Audit) -> None:
    """Empty, truncated and foreign files are listed with what is wrong, and do not stop it."""
    causes = {file.path: file.reason for file in found.unreadable}
    assert set(causes) == {"no/empty.png", "no/half.png", "yes/text.jpg"}
    assert "truncated" in causes["no/half.png"]
    assert "not an image" in causes["yes/text.jpg"]


def test_duplicates_and_conflicts(found: Audit) -> None:
    """Copies, near-duplicates, and the slice that has two labels, are told apart."""
    assert (len(found.files), found.copies, found.clusters) == (COUNT, 2, COUNT - PAIRS)
    members = {tuple(file.id for file in files) for files in found.groups.values()}
    assert members == {
        ("no/00 copy.png", "no/00.png"),
        ("no/02.png", "yes/02 copy.png"),
        ("yes/01 larger.jpg", "yes/01.png"),
        ("yes/03 cropped.jpg", "yes/03.png"),
    }
    (conflict,) = found.conflicts
    assert [file.id for file in found.groups[conflict]] == ["no/02.png", "yes/02 copy.png"]


def test_leak_is_the_expected_one(found: Audit) -> None:
    """The mean leak agrees with the closed form for random splits stratified by label."""
    count = {label: sum(file.label == label for file in found.files) for label in ("no", "yes")}
    test = {label: round(0.2 * number) for label, number in count.items()}
    expected = 0.0
    for one, two in found.groups.values():
        share = {label: test[label] / count[label] for label in count}
        if one.label == two.label:
            total, tested = count[one.label], test[one.label]
            expected += 2 * share[one.label] * (total - tested) / (total - 1)
        else:
            expected += share["no"] * (1 - share["yes"]) + share["yes"] * (1 - share["no"])
    # At most PAIRS leaks a split, so that the mean's standard error is below 2 / sqrt(1000).
    assert found.leak.mean == pytest.approx(expected, abs=4 * PAIRS / 2 / 1000**0.5)
    assert 0 <= found.leak.low <= found.leak.mean <= found.leak.high <= PAIRS
    assert (found.leak.test, found.leak.splits) == (sum(test.values()), 1000)


def test_frame_is_measured(tmp_path: Path) -> None:
    """A black frame is measured at each side, with the stains that JPEG leaves in it."""
    pixels = np.pad(data.camera()[:200, :300] // 2 + 60, ((16, 24), (40, 8)))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(pixels).save(tmp_path / "b.jpg", quality=90)
    exact, stained = (np.array(file.frame) for file in audit(tmp_path, splits=2).files)
    assert exact.tolist() == [16, 8, 24, 40]
    assert np.abs(stained - exact).max() <= 2


@pytest.mark.parametrize("sigma", [0.01, 0.05, 0.1])
def test_noise_is_estimated(sigma: float, tmp_path: Path) -> None:
    """Noise that was added to a smooth image is found again within 5 %."""
    y, x = np.mgrid[:256, :256] / 256
    smooth = 0.5 + 0.15 * np.sin(5 * x) * np.cos(4 * y)
    noisy = smooth + np.random.default_rng(0).normal(0, sigma, smooth.shape)
    Image.fromarray(np.round(noisy * 65535).astype(np.uint16)).save(tmp_path / "a.png")
    assert audit(tmp_path, splits=2).files[0].sigma == pytest.approx(sigma, rel=0.05)


def test_plain_image_has_no_noise(tmp_path: Path) -> None:
    """Black and single-pixel images pass, without noise, wholly framed or not at all."""
    Image.new("L", (30, 20)).save(tmp_path / "black.png")
    Image.new("L", (1, 1), 200).save(tmp_path / "pixel.png")
    black, pixel = audit(tmp_path, splits=2).files
    assert (black.sigma, pixel.sigma) == (0, 0)
    assert pixel.frame == (0, 0, 0, 0)


def test_json_holds_everything(found: Audit) -> None:
    """The JSON says what the audit says."""
    content = json.loads(found.to_json())
    assert [file["id"] for file in content["files"]] == [file.id for file in found.files]
    assert (content["copies"], content["clusters"]) == (found.copies, found.clusters)
    assert content["leak"]["mean"] == found.leak.mean
    assert len(content["unreadable"]) == 3


def test_contact_sheet_shows_the_groups(found: Audit, tmp_path: Path) -> None:
    """Every image of a group is drawn, its grey values as they are."""
    contact_sheet(found, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    caption, side = 18, 156
    with Image.open(found.folder / "no" / "00 copy.png") as image:
        first = np.asarray(image.resize((side, side), Image.Resampling.BICUBIC), float)
    drawn = sheet[caption : caption + side, :side].astype(float)
    assert np.corrcoef(first.ravel(), drawn.ravel())[0, 1] > 0.999
    columns = (sheet[caption : caption + side] > 150).any(0)
    starts = np.flatnonzero(np.diff(columns.astype(int)) == 1)
    assert sheet.shape[1] == 9 * 160
    assert starts.max() > 7 * 160  # four pairs and the gaps between them fill the line


def test_contact_sheet_without_groups(tmp_path: Path) -> None:
    """Without a group, and with a suffix of no format, there is one clear error."""
    Image.fromarray(data.camera()).save(tmp_path / "a.png")
    with pytest.raises(DenobenchError, match="nothing to draw"):
        contact_sheet(audit(tmp_path, splits=2), tmp_path / "sheet.png")


def test_contact_sheet_of_unknown_format(found: Audit, tmp_path: Path) -> None:
    """A suffix that names no format is an error that offers one."""
    with pytest.raises(DenobenchError, match=r"use \.png"):
        contact_sheet(found, tmp_path / "sheet.none")


def test_command(
    program: Callable[..., subprocess.CompletedProcess[str]], folder: Path, tmp_path: Path
) -> None:
    """The command prints the findings, or JSON alone on standard output, and draws the sheet."""
    printed = program("data", "audit", folder, "--sheet", tmp_path / "sheet.png")
    assert printed.returncode == 0, printed.stderr
    assert "2 files are a copy of another" in printed.stdout
    assert "no/half.png" in printed.stdout
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
    as_json = program("data", "audit", folder, "--json")
    assert json.loads(as_json.stdout)["clusters"] == COUNT - PAIRS


def test_command_refuses_a_missing_folder(
    program: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """A folder that is not there is one line and exit code 2."""
    refused = program("data", "audit", tmp_path / "gone")
    assert refused.returncode == 2
    assert "gone does not exist" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.slow
def test_real_set(real_images: Path) -> None:
    """What is known of the brain-tumour set comes out: 199 slices, none with two labels."""
    found = audit(real_images)
    assert (len(found.files), found.copies, found.clusters) == (253, 25, 199)
    assert found.unreadable == ()
    assert found.conflicts == ()
    table = found.table()
    assert table["formats"] == "JPEG 245, PNG 8; 6 with the suffix of another format"
    assert table["modes"] == "RGB 217, L 30, RGBA 5, P 1"
    assert table["sizes"].startswith("184 different")
    assert 0.25 < found.leak.mean / found.leak.test < 0.4
    clusters = {Path(file.id).stem: file.cluster for file in found.files}
    times = Counter(file.cluster for file in found.files)
    assert Counter(times.values()) == {1: 161, 2: 28, 3: 6, 4: 2, 5: 2}
    assert len({(file.cluster, file.label) for file in found.files}) == 199
    # Seen by eye to be one slice: a copy, a rescaled one, another brightness, another frame.
    for pair in (("Y10", "Y37"), ("Y107", "Y163"), ("N16", "N17"), ("Y112", "Y146")):
        assert clusters[pair[0]] == clusters[pair[1]]
    # Seen by eye to be different, though alike.
    for pair in (("no 96", "no 923"), ("No14", "No17"), ("Y101", "Y27"), ("no 97", "no 99")):
        assert clusters[pair[0]] != clusters[pair[1]]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda clean, one, two: np.hypot(clean + one, two), "looks Rician"),
        (lambda clean, one, _: clean + one, "looks Gaussian"),
        (lambda clean, one, _: np.abs(clean + one), "the magnitude of Gaussian noise"),
        (lambda clean, one, _: np.where(clean > 0, clean + one, 0), "masked or too small"),
        (lambda clean, one, _: np.maximum(clean + one, 0), "masked or too small"),
        (
            lambda clean, one, two: np.sqrt(
                np.hypot(clean + one, two) ** 2 + one[::-1] ** 2 + two[::-1] ** 2
            ),
            "several coils' magnitude",
        ),
    ],
)
def test_the_background_tells_the_noise(tmp_path: Path, made: Made, expected: str) -> None:
    """Per volume: Rayleigh's distribution, half a Gaussian, a Gaussian, or nothing to be told."""
    y, x = np.mgrid[:96, :96]
    clean = np.where(np.hypot(y - 48, x - 48) < 30, 600 + 100 * np.cos(x / 5), 0)
    rng = np.random.default_rng(0)
    one, two = 20 * rng.standard_normal((2, 5, 96, 96))
    values = np.rint(made(np.stack([clean] * 5), one, two)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values.T, np.eye(4)), tmp_path / "v.nii.gz")
    assert expected in audit(tmp_path, splits=2).table()["background"]


def test_volumes_are_told_as_wholes(tmp_path: Path, program) -> None:
    """Neighbouring slices are no near-duplicates; a group names volumes, and not their slices."""
    x, y, z = np.indices((40, 44, 12))
    for name, shift in (("a", 0), ("b", 9)):
        head = (((x - 20) / 15) ** 2 + ((y - 22 + shift / 3) / 12) ** 2 < 1) * (
            500 + 300 * np.sin(x / (3 + shift)) * np.cos(y / 4) + 40 * z
        )
        nibabel.save(
            nibabel.Nifti1Image(head.astype(np.int16), np.eye(4)), tmp_path / f"{name}.nii"
        )
    found = audit(tmp_path)
    told = found.table()
    assert told["near-duplicates"] == "0 more files or volumes show the slice of another"
    assert told["different slices or volumes"] == "2, 0 of them more than once"
    shown = program("data", "audit", tmp_path).stdout
    assert "a.nii (12 slices)" in shown
    assert "a.nii#" not in shown
    with pytest.raises(DenobenchError, match="no two images show the same slice"):
        contact_sheet(found, tmp_path / "sheet.png")
