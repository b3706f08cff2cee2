"""Images of one slice are put together, whatever was done to them, and no others."""

from __future__ import annotations

import shutil
from collections import Counter
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
from alterations import ALTERATIONS, HARDER, as_bytes, cluster, precision_and_recall
from nilearn.datasets import load_mni152_template
from PIL import Image
from scipy.cluster.vq import kmeans2

from denobench import seeds
from denobench.cache import cache_folder
from denobench.datasets import clusters, simulated
from denobench.errors import DenobenchError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test from finding what another has computed."""
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def slices() -> list[np.ndarray]:
    """Return a dozen simulated slices, the first ones of the set."""
    return [simulated.generate(index)[0] for index in range(12)]


def save(folder: Path, images: dict[str, np.ndarray]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in images.items():
        Image.fromarray(as_bytes(image)).save(folder / name)
    return [folder / name for name in images]


@pytest.mark.parametrize("name", ALTERATIONS)
def test_altered_copies_are_found(name: str, slices: list[np.ndarray], tmp_path: Path) -> None:
    """Nearly every altered copy joins its original, and different slices are never joined."""
    precision, recall = precision_and_recall(slices, ALTERATIONS[name], tmp_path)
    assert precision == 1
    assert recall >= 0.95


@pytest.mark.parametrize("name", HARDER)
def test_spoilt_copies_join_no_other(name: str, slices: list[np.ndarray], tmp_path: Path) -> None:
    """A copy that is too spoilt to be recognised stays alone; it joins no other slice."""
    precision_and_recall(slices, HARDER[name], tmp_path)
    paths = sorted(tmp_path.glob("*.png"))
    names = cluster(paths)
    sources = {(name, path.name.split()[0]) for name, path in zip(names, paths, strict=True)}
    assert len(sources) == len(set(names)) >= len(slices)


def test_chain_is_one_cluster(slices: list[np.ndarray], tmp_path: Path) -> None:
    """Two crops that share too little are of one cluster if a third image links them."""
    whole = slices[0]
    parts = {"upper.png": whole[:118], "lower.png": whole[106:]}
    apart = cluster(save(tmp_path, parts))
    assert apart[0] != apart[1]
    assert len(set(cluster(save(tmp_path, {**parts, "whole.png": whole})))) == 1


def test_neighbouring_slices_stay_apart(tmp_path: Path) -> None:
    """Slices of one real (averaged) head, 5 mm apart, are different slices."""
    volume = load_mni152_template(resolution=1).get_fdata()
    volume = np.clip(volume / volume.max(), 0, 1)
    stack = {f"{z}.png": np.rot90(volume[:, :, z]) for z in range(50, 140, 5)}
    names = cluster(save(tmp_path, stack))
    assert len(set(names)) == len(stack)


def test_simulated_slices_stay_apart(slices: list[np.ndarray], tmp_path: Path) -> None:
    """Simulated slices differ, also those of one slab."""
    found = simulated.slices()
    slab, _ = Counter(each.slab for each in found).most_common(1)[0]
    same = [simulated.generate(each.index)[0] for each in found if each.slab == slab]
    assert len(same) > 3
    images = {f"{number}.png": image for number, image in enumerate([*slices, *same])}
    names = cluster(save(tmp_path, images))
    assert len(set(names)) == len({image.tobytes() for image in images.values()})


def test_other_weighting_is_another_picture(slices: list[np.ndarray], tmp_path: Path) -> None:
    """The inverted grey values of a slice, as between T1 and T2, do not make a near-duplicate."""
    names = cluster(
        save(
            tmp_path, {"t1.png": slices[0], "t2.png": np.where(slices[0] > 0.05, 1 - slices[0], 0)}
        )
    )
    assert names[0] != names[1]


def test_name_is_the_smallest_digest(slices: list[np.ndarray], tmp_path: Path) -> None:
    """A cluster's name comes from its files' contents, wherever they lie, in whatever order."""
    images = {"a.png": slices[0], "b.png": cv2.resize(slices[0], (200, 200)), "c.png": slices[1]}
    paths = save(tmp_path / "here", images)
    digests = [sha256(path.read_bytes()).hexdigest() for path in paths]
    names = cluster(paths)
    assert names == (*[f"c-{min(digests[:2])[:10]}"] * 2, f"c-{digests[2][:10]}")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    moved = [tmp_path / "there" / path.name for path in reversed(paths)]
    assert cluster(moved) == names[::-1]


def test_exact_copies_share_a_cluster(tmp_path: Path) -> None:
    """Copies of a picture without anything to recognise in it are found by their digest."""
    blank = np.full((40, 30), 0.5)
    paths = save(tmp_path, {"a.png": blank, "b.png": blank, "c.png": blank[:-1]})
    names = cluster(paths)
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (8, 8), (3000, 20)])
def test_any_size_is_taken(shape: tuple[int, int], tmp_path: Path) -> None:
    """Single pixels, single lines and long strips are images like any other."""
    rng = np.random.default_rng(0)
    paths = save(tmp_path, {"a.png": rng.uniform(size=shape), "b.png": rng.uniform(size=shape)})
    assert len(set(cluster(paths))) == 2


@pytest.mark.parametrize("count", [64, 65, 900])
def test_first_words_are_scipy_s(count: int) -> None:
    """Of the same generator k-means++ chooses the features that SciPy's does, bit for bit."""
    features = np.random.default_rng(count).integers(0, 256, (count, 128)).astype(np.float32)
    expected, _ = kmeans2(features, 64, iter=10, minit="++", rng=seeds.numbered(0))
    found, _ = kmeans2(features, clusters._first_words(features), iter=10, minit="matrix")
    np.testing.assert_array_equal(found, expected)


def test_nothing_gives_nothing() -> None:
    """No paths, no names."""
    assert cluster([]) == ()


def test_second_time_is_read_from_the_cache(slices: list[np.ndarray], tmp_path: Path) -> None:
    """The first call counts a step for each image to the end; the second has none left to do."""
    paths = save(tmp_path, {f"{number}.png": image for number, image in enumerate(slices[:4])})
    steps: list[tuple[int, int]] = []
    names = cluster(paths, progress=lambda *step: steps.append(step))
    assert steps == [(done, 4) for done in range(1, 5)]
    assert cluster(paths, progress=lambda *step: steps.append(step)) == names
    assert len(steps) == 4


@pytest.mark.parametrize("damage", ["", "{", "{}", "[1]", '{"other": "c-0"}', "7"])
def test_damaged_cache_is_computed_anew(damage: str, tmp_path: Path) -> None:
    """A truncated or foreign cache file costs time, not the result."""
    paths = save(tmp_path, {"a.png": np.eye(30), "b.png": np.eye(31)})
    names = cluster(paths)
    (file,) = cache_folder().glob("clusters/*.json")
    file.write_text(damage)
    assert cluster(paths) == names
    assert file.read_text() != damage


def test_unwritable_cache_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that cannot be written is one error that says which variable helps."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(DenobenchError, match="set DENOBENCH_CACHE"):
        cluster(save(tmp_path, {"a.png": np.eye(30)}))
