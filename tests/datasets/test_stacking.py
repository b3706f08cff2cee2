"""Whole volumes as cells: 2-D and 3-D methods on the same noise, scored on the same voxels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage
from skimage import metrics as reference
from skimage.restoration import denoise_tv_chambolle

from denobench import methods
from denobench.answers import ask
from denobench.config import Config, parse
from denobench.datasets.stacking import SHOWN, VolumeItem
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import Plan, make_plan
from denobench.engine.workers import observations
from denobench.engine.workers.cells import compute
from denobench.engine.workers.executors import Executor
from denobench.errors import DenobenchError
from denobench.rows import RunFolder

PLUGIN = """
from denobench import denoiser
from skimage.restoration import denoise_tv_chambolle

@denoiser("tv-slices", packages=("scikit-image",))
def tv_slices(noisy, sigma):
    assert noisy.ndim == 2
    return denoise_tv_chambolle(noisy, weight=sigma)

@denoiser("tv-volume", title="TV, 3-D", dims=3, packages=("scikit-image",))
def tv_volume(noisy, sigma):
    assert noisy.ndim == 3
    return denoise_tv_chambolle(noisy, weight=sigma)
"""

COUNTING = """
import time
from denobench import denoiser

calls = []

@denoiser("counting")
def counting(noisy, sigma):
    calls.append(1)
    time.sleep(0.002)
    assert len(calls) == 1
    calls.pop()
    return noisy.copy()
"""


def head(number: int) -> np.ndarray:
    """Return a head, (x, y, z), whose first and last slices are empty."""
    x, y, z = np.indices((30, 34, 14))
    inside = ((x - 15 - number) / 11) ** 2 + ((y - 17) / 14) ** 2 + ((z - 7) / 5) ** 2 < 1
    tissue = 600 + 200 * np.cos(x / 3 + number) * np.sin(y / 4) + 100 * np.cos(z)
    return ndimage.gaussian_filter(np.where(inside, tissue, 0.0), 0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two volumes and a plugin file beside it."""
    place = tmp_path_factory.mktemp("volumes")
    (place / "data").mkdir()
    for number in range(2):
        image = nibabel.Nifti1Image(head(number).astype(np.int16), np.diag([-1, 1, 2, 1.0]))
        nibabel.save(image, place / "data" / f"v{number}.nii.gz")
    (place / "plugin.py").write_text(PLUGIN)
    return place


def config(folder: Path, **settings: object) -> Config:
    small = {
        "data": folder / "data",
        "unit": "volume",
        "size": "native",
        "split": "none",
        "noise": ["rician:0.05"],
        "methods": ["identity", "tv-slices", "tv-volume"],
        "plugins": [folder / "plugin.py"],
        "metrics": ["psnr", "ssim", "nrmse", "epi"],
        "stabilise": False,
    }
    return parse(small | settings, "test")


@pytest.fixture(scope="module")
def plan(folder: Path) -> Iterator[Plan]:
    made = make_plan(config(folder))
    with made.plugins:
        yield made


@pytest.fixture(scope="module")
def cells(plan: Plan) -> dict[str, Cell]:
    """Return the cells of the first volume, by method."""
    first = plan.test[0].id
    return {cell.method: cell for cell in plan.cells({}) if cell.item.id == first}


def test_a_volume_is_all_its_slices_as_they_are_read_alone(plan: Plan) -> None:
    """Its pixels are the file's, along the plane, at one scale, empty slices among them."""
    items = {item.id: item for item in plan.test}
    assert set(items) == {"v0.nii.gz", "v1.nii.gz"}
    item = items["v1.nii.gz"]
    assert isinstance(item, VolumeItem)
    stored = head(1).astype(np.int16).transpose(2, 1, 0)[:, ::-1].astype(float)
    expected = np.clip(stored / np.percentile(stored, 99.9), 0, 1)
    np.testing.assert_allclose(item.read(), expected, atol=1e-6)
    np.testing.assert_array_equal(item.read(), [part.read() for part in item.slices])
    assert len(item.filled) < len(item.slices) == 14
    assert len(item.shown) <= SHOWN
    assert {item.slices[number] for number in item.shown} <= {*item.filled}


def test_both_kinds_of_method_meet_one_noise(cells: dict[str, Cell], folder: Path) -> None:
    """A slice has the noise that it has where slices are cells; methods differ in nothing else."""
    noisy, digest = observations.noisy(cells["tv-volume"])
    assert {observations.noisy(cell)[1] for cell in cells.values()} == {digest}
    alone = make_plan(config(folder, unit="slice", methods=["identity"]))
    (sliced,) = [c for c in alone.cells({}) if c.item.id == f"{cells['identity'].item.id}#07"]
    np.testing.assert_array_equal(noisy[6], observations.noisy(sliced)[0])


def test_answers_are_those_of_the_packages_and_scores_of_all_voxels(cells: dict[str, Cell]) -> None:
    """Slice by slice or at once; PSNR and NRMSE over all voxels, SSIM the mean of slices."""
    noisy, _ = observations.noisy(cells["identity"])
    clean = observations.clean(cells["identity"].item, None)
    expected = {
        "identity": noisy,
        "tv-slices": np.stack([denoise_tv_chambolle(each, weight=0.05) for each in noisy]),
        "tv-volume": denoise_tv_chambolle(noisy, weight=0.05),
    }
    for name, answer in expected.items():
        found = compute(cells[name])
        assert found.row.status == "ok", found.row.error
        pixels = np.clip(answer.astype(float), 0, 1)
        scores, image = found.row.metrics, clean.image.astype(float)
        assert scores["psnr"] == pytest.approx(
            reference.peak_signal_noise_ratio(image, pixels, data_range=1), abs=1e-9
        )
        assert scores["nrmse"] == pytest.approx(reference.normalized_root_mse(image, pixels))
        maps = [
            reference.structural_similarity(
                one, other, data_range=1, gaussian_weights=True, use_sample_covariance=False,
                full=True,
            )
            for one, other in zip(image, pixels, strict=True)
        ]  # fmt: skip
        assert scores["ssim"] == pytest.approx(np.mean([mean for mean, _ in maps]))
        similarity = np.stack([each for _, each in maps])
        assert scores["ssim_foreground"] == pytest.approx(similarity[clean.foreground].mean())
        assert -1 <= scores["epi"] <= 1


@pytest.mark.parametrize("name", ["tv", "nlm", "fast-bm3d", "median"])
def test_slices_side_by_side_are_the_same_bits(folder: Path, name: str) -> None:
    """However many slices are denoised at a time, and each call's time is counted for itself."""
    made = make_plan(config(folder, methods=[name], metrics=["psnr", "sure-psnr"]))
    with made.plugins:
        cell = made.cells({})[0]
        noisy, _ = observations.noisy(cell)
        method = methods.build(name, {})
        answers = [ask(method, noisy, 0.05, lanes=lanes) for lanes in (1, 2, 5)]
        rows = [compute(cell, lanes).row.metrics for lanes in (1, 3)]
    for each in answers[1:]:
        np.testing.assert_array_equal(each.pixels, answers[0].pixels)
    assert rows[0] == rows[1]


def test_strangers_are_asked_for_one_slice_at_a_time(folder: Path, tmp_path: Path) -> None:
    """A method that is not of the package may keep what it likes between calls."""
    (tmp_path / "counting.py").write_text(COUNTING)
    made = make_plan(config(folder, methods=["counting"], plugins=[tmp_path / "counting.py"]))
    with made.plugins:
        assert compute(made.cells({})[0], 4).row.status == "ok"


def test_a_single_volume_has_all_workers(folder: Path, tmp_path: Path) -> None:
    """One cell on four cores gets four slices at a time; four cells one each."""
    run = RunFolder(tmp_path)
    lanes = {most: Executor(config(folder, workers=4), run, most)._lanes for most in (1, 2, 4, 9)}
    assert lanes == {1: 4, 2: 2, 4: 1, 9: 1}


def test_a_volume_s_sigma_is_estimated_once(folder: Path) -> None:
    """On the track estimated every method is told one sigma of the volume, near the true one."""
    entries = {name: {"method": name, "track": "estimated"} for name in ("tv-slices", "tv-volume")}
    asked = config(folder, noise=["gaussian:0.05"], methods=entries)
    made = make_plan(asked)
    with made.plugins:
        told = {compute(cell).row.sigma for cell in made.cells({}) if cell.item == made.test[0]}
    assert len(told) == 1
    assert told.pop() == pytest.approx(0.05, rel=0.15)


def test_sure_is_estimated_over_all_voxels(folder: Path) -> None:
    """In Gaussian noise the estimated PSNR of a volume is near the true one, for both kinds."""
    made = make_plan(config(folder, noise=["gaussian:0.05"], metrics=["psnr", "sure-psnr"]))
    with made.plugins:
        for cell in made.cells({}):
            scores = compute(cell).row.metrics
            # Clipping the answer to [0, 1] takes noise away that SURE counts for the identity.
            if cell.method != "identity" and cell.item == made.test[0]:
                assert scores["sure-psnr"] == pytest.approx(scores["psnr"], abs=0.5)


def test_networks_learn_from_the_slices_that_hold_something(folder: Path) -> None:
    """A method that is fitted to slices gets the slices, the empty ones left out as ever."""
    from denobench.engine.planning.plan import _taught

    made = make_plan(config(folder, methods=["identity"]))
    taught = _taught(made.test, 2)
    assert {item.digest for item in taught} == {
        part.digest
        for volume in made.test
        for part in volume.filled  # type: ignore[attr-defined]
    }
    assert _taught(made.test, 3) == made.test


def test_pictures_are_chosen_slices(cells: dict[str, Cell]) -> None:
    """The gallery keeps a few slices of clean volume, noisy volume and answer, the same of each."""
    from dataclasses import replace

    cell = replace(cells["tv-volume"], picture=True)
    pictures = compute(cell).pictures
    assert pictures is not None
    shown = [*cell.item.shown]
    np.testing.assert_array_equal(pictures.noisy, observations.noisy(cell)[0][shown])
    assert pictures.answer.shape == pictures.clean.shape == (len(shown), 34, 30)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unit": "slice"}, "'tv-volume' takes whole volumes: use unit: volume"),
        ({"unit": "volumes"}, "did you mean volume"),
        ({"slices": {"every": 2}}, "slices.every: 2 leaves gaps in a volume"),
        ({"tasks": ["tumour-classification"], "split": "folds"}, "tasks"),
    ],
)
def test_what_no_volume_can_have_is_refused(
    folder: Path, settings: dict[str, object], message: str
) -> None:
    """A method for volumes without any, gaps, tasks of single images: one sentence each."""
    with pytest.raises(DenobenchError, match=message):
        make_plan(config(folder, **settings))


def test_single_images_are_no_volumes(image_folder: Path, folder: Path) -> None:
    """A folder of pictures is refused, and among volumes a single image is left out by name."""
    with pytest.raises(DenobenchError, match="unit: volume needs files or series of several"):
        make_plan(config(folder, data=image_folder, methods=["identity"]))


def test_dims_are_two_or_three() -> None:
    """A method that takes anything else is a mistake that is named."""
    with pytest.raises(DenobenchError, match=r"dims of method 'x' must be 2 .* or 3"):
        methods.Info("x", "x", dims=4)


def test_a_list_is_no_volume() -> None:
    """What a method for volumes returns is checked as a whole; a fault in one slice is named."""

    @methods.denoiser("listing", dims=3)
    def listing(noisy: np.ndarray, sigma: float) -> list[np.ndarray]:
        return [*noisy]

    @methods.denoiser("changing")
    def changing(noisy: np.ndarray, sigma: float) -> np.ndarray:
        noisy *= 2
        return noisy.copy()

    volume = np.ones((3, 4, 4), np.float32)
    for function, fault in ((listing, "returned list"), (changing, "changed its input")):
        with pytest.raises(DenobenchError, match=fault):
            ask(methods.FunctionDenoiser(function), volume, 0.1)
    np.testing.assert_array_equal(volume, 1)
