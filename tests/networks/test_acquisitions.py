"""Training on measured noise: acquisitions in, and references only where they are asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage import data
from tiny import Tiny

from denobench.datasets import Reading
from denobench.datasets.base import FileItem
from denobench.datasets.pairs import PairItem, open_pairs
from denobench.errors import DenobenchError
from denobench.methods import TrainingSet
from denobench.networks import Recipe
from denobench.networks.acquisitions import Acquired, AcquiredValidation, check
from denobench.scale import Scale

SIZE, SIGMA, ITEMS, REPEATS = 32, 0.1, 6, 3


def silent(done: float, total: float, text: str = "") -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[PairItem, ...]:
    """Return six items of three noisy acquisitions and a reference each."""
    folder, rng = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    photograph = data.camera().astype(np.float32) / 255
    for part in ("noisy", "clean"):
        (folder / part).mkdir()
    for number in range(ITEMS):
        clean = photograph[40 * number :, 30 * number :][: 2 * SIZE, : 2 * SIZE][::2, ::2]
        np.save(folder / "clean" / f"x{chr(97 + number)}.npy", clean)
        for repeat in range(1, REPEATS + 1):
            noisy = clean + SIGMA * rng.standard_normal(clean.shape).astype(np.float32)
            np.save(folder / "noisy" / f"x{chr(97 + number)}_{repeat}.npy", noisy)
    reading = Reading(scale=Scale.parse([0, 1]))
    found = open_pairs(folder / "noisy", folder / "clean", reading).items
    assert [item.realisations for item in found] == [REPEATS] * ITEMS
    return found  # type: ignore[return-value]


def training_set(pairs, **changes) -> TrainingSet:
    return replace(TrainingSet(pairs[:4], pairs[4:], SIZE, "measured", (SIGMA,), 0), **changes)


def samples(pairs, folder, supervision, *, training="blind", **recipe) -> Acquired:
    chosen = {"epochs": 1, "batch_size": 4, "learning_rate": 0.1, "supervision": supervision}
    network = Tiny(training=training, **chosen, **recipe)
    return Acquired(network, training_set(pairs), Recipe(**chosen, **recipe), folder)


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every reference an error, read in whatever way."""

    def refuse(*_: object) -> None:
        pytest.fail("a reference was read")

    monkeypatch.setattr(PairItem, "read", refuse)
    monkeypatch.setattr(PairItem, "observe", refuse)
    monkeypatch.setattr(FileItem, "read", refuse)  # of a reference; acquisitions are not clipped


def test_noise2noise_takes_two_acquisitions(pairs, tmp_path, unreadable) -> None:
    """Input and target are two different acquisitions of one item; no reference is read."""
    made = samples(pairs, tmp_path, "noise2noise")
    which = {
        item.acquired(SIZE, number).tobytes(): (place, number)
        for place, item in enumerate(pairs[:4])
        for number in range(REPEATS)
    }
    seen = set()
    for epoch in range(80):
        for inputs, targets in made.batches(epoch):
            for given, wanted in zip(inputs[..., 0], targets[..., 0], strict=True):
                one, other = which[given.tobytes()], which[wanted.tobytes()]
                assert one[0] == other[0]
                assert one[1] != other[1]
                seen.add((one, other))
    assert len(seen) == 4 * REPEATS * (REPEATS - 1)  # every ordered pair comes


def test_noise2noise_of_squares(pairs, tmp_path, unreadable) -> None:
    """Both acquisitions are cut and turned alike: their difference is noise alone."""
    made = samples(pairs, tmp_path, "noise2noise", crop=12, crops=20, turns=True)
    inputs, targets = (np.concatenate(x) for x in zip(*made.batches(0), strict=True))
    assert inputs.shape == (80, 12, 12, 1)
    assert (inputs - targets).std() == pytest.approx(SIGMA * np.sqrt(2), rel=0.1)


def test_noise2void_takes_one(pairs, tmp_path, unreadable) -> None:
    """The target is the acquisition that the input is, where a pixel is hidden."""
    made = samples(pairs, tmp_path, "noise2void")
    acquired = [item.acquired(SIZE, n) for item in pairs[:4] for n in range(REPEATS)]
    for inputs, targets in made.batches(0):
        given, noisy, hidden = inputs[..., 0], targets[..., 0], targets[..., 1]
        np.testing.assert_array_equal(given[hidden == 0], noisy[hidden == 0])
        assert (given[hidden == 1] != noisy[hidden == 1]).all()
        assert all(any(np.array_equal(each, one) for each in acquired) for one in noisy)


def test_clean_takes_the_reference(pairs, tmp_path) -> None:
    """An acquisition is the input, never the reference, which is the target."""
    made = samples(pairs, tmp_path, "clean", training="told")
    ((inputs, targets),) = made.batches(0)
    references = [item.read(SIZE) for item in pairs[:4]]
    for given, wanted in zip(inputs, targets[..., 0], strict=True):
        assert any(np.array_equal(wanted, each) for each in references)
        assert (given[..., 0] - wanted).std() == pytest.approx(SIGMA, rel=0.1)
        assert np.ptp(given[..., 1]) == 0
        assert given[0, 0, 1] == pytest.approx(SIGMA, rel=0.25)  # the estimate is what it is told


@pytest.mark.parametrize("supervision", ["clean", "noise2noise", "noise2void"])
def test_networks_learn_from_measured_images(pairs, tmp_path, supervision) -> None:
    """A network of each supervision trains, and validation is against references."""
    method = Tiny(epochs=12, batch_size=2, supervision=supervision)
    history = method.fit(training_set(pairs), folder=tmp_path, progress=silent)
    assert np.isfinite(history["val_psnr"]).all()
    assert history["val_psnr"].iloc[-1] > history["val_psnr"].iloc[0]


def test_without_references(pairs, tmp_path) -> None:
    """noise2void needs none, and then nothing is validated; clean is refused with what would do."""
    alone = tuple(replace(item, reference=None) for item in pairs)
    made = samples(alone, tmp_path, "noise2void")
    assert len(made) == 4
    validation = AcquiredValidation(made.network, training_set(alone), tmp_path)
    assert np.isnan(validation.scores(None, 4)).all()
    with pytest.raises(DenobenchError, match=r"needs a reference .* none of the 6 has"):
        check("unet", alone, "clean")


def test_single_acquisitions(pairs, tmp_path) -> None:
    """Items of one acquisition are left out of noise2noise; with none else it is an error."""
    single = tuple(replace(item, noisy=item.noisy[:1]) for item in pairs)
    assert len(samples((*pairs[:2], *single[2:]), tmp_path, "noise2noise")) == 2
    with pytest.raises(DenobenchError, match="needs two noisy acquisitions"):
        check("unet", single, "noise2noise")
    check("unet", single, "noise2void")


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGB", "RGBA"])
def test_plain_pictures_have_older_keys(mode, image_folder, tmp_path) -> None:
    """How pictures of 8 bits, grey or colour, become pixels is not in a training's key."""
    from PIL import Image

    from denobench.datasets import open_folder

    for number, path in enumerate(sorted(image_folder.rglob("*.png"))[:2]):
        Image.open(path).convert(mode).save(tmp_path / f"{number}.png")
    items = open_folder(tmp_path).items
    training = TrainingSet(items[:1], items[1:], SIZE, "gaussian", (SIGMA,), 0)
    assert {*training.describe()} == {
        *("train", "validation", "images", "size", "noise", "levels", "seed"),
    }


def test_what_is_measured_is_in_the_key(pairs, image_folder) -> None:
    """Another second acquisition or scale is another training."""
    from denobench.datasets import open_folder

    key = Tiny().weights_key(training_set(pairs))
    fewer = (replace(pairs[0], noisy=pairs[0].noisy[:2]), *pairs[1:])
    assert Tiny().weights_key(training_set(fewer)) != key
    items = open_folder(image_folder).items
    training = TrainingSet(items[:4], items[4:6], SIZE, "gaussian", (SIGMA,), 0)
    scaled = replace(items[0], scale="[0, 200]", high=200.0)
    other = replace(training, train=(scaled, *items[1:4]))
    assert Tiny().weights_key(other) != Tiny().weights_key(training)
