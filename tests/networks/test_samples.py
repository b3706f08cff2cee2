"""Samples: fresh noise, levels, squares and order in every epoch, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import Tiny

from denobench import noise
from denobench.datasets import Item, open_folder
from denobench.methods import TrainingSet
from denobench.networks import Recipe
from denobench.networks.samples import Images, Samples, Validation, blind_spots, noisy_image

SIZE = 32


@pytest.fixture(scope="module")
def items(image_folder: Path) -> tuple[Item, ...]:
    """Return the items of the folder of small images."""
    return open_folder(image_folder).items


@pytest.fixture
def make(items, tmp_path):
    """Return a function that makes samples of 12 images with a recipe and a training set."""

    def samples(recipe=None, *, training="blind", **changes) -> Samples:
        made = TrainingSet(items[:12], items[12:16], SIZE, "gaussian", (0.05, 0.1, 0.2), 0)
        recipe = {"epochs": 1, "batch_size": 5, "learning_rate": 0.1} | (recipe or {})
        network = Tiny(training=training, **recipe)
        return Samples(network, replace(made, **changes), Recipe(**recipe), tmp_path)

    return samples


def pair(samples: Samples, index: int, epoch: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Return one sample with noise and without, and the noise's level."""
    noisy, level = samples.noisy(index, epoch)
    return noisy, samples.clean(index, epoch), level


def test_every_epoch_has_fresh_noise(make):
    """Noise and level of an image differ between epochs, and are the same when drawn again."""
    samples = make()
    one, again, next_epoch = (pair(samples, 3, epoch)[0] for epoch in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    ratio = (one - samples.images[3]) / (next_epoch - samples.images[3])
    assert ratio.std() > 0.1


def test_streams_are_pinned(make):
    """Order, level and field of a sample are those that the shipped weights were trained with."""
    samples = make()
    order = np.random.Generator(np.random.PCG64(331744745974163491294090943137993178617))
    inputs, targets = next(samples.batches(4))
    assert inputs.shape == targets.shape == (5, SIZE, SIZE, 1)
    chosen = order.permutation(12)[:5]
    np.testing.assert_array_equal(targets[..., 0], [samples.images[index] for index in chosen])
    noisy, clean, level = pair(samples, 3, 4)
    digest = samples.training.train[3].digest
    fields = noise.draw_fields((1, SIZE, SIZE), seed=0, image=digest, realisation=4, stream="train")
    np.testing.assert_array_equal(noisy, noise.corrupt(clean, noise.gaussian, level, fields))


def test_levels_fill_the_range(make):
    """The levels drawn spread over the range from the lowest to the highest."""
    samples = make()
    pairs = [pair(samples, index, epoch) for index in range(12) for epoch in range(20)]
    for noisy, clean, level in pairs[:10]:
        assert (noisy - clean).std() == pytest.approx(level, rel=0.1)
    levels = [level for *_, level in pairs]
    assert 0.05 <= min(levels) < 0.06
    assert 0.19 < max(levels) <= 0.2
    assert np.mean(levels) == pytest.approx(0.125, abs=0.01)


def test_training_noise_is_not_the_tests_noise(make):
    """The field of epoch 0 is not the field that a test draws for the same image."""
    samples = make(levels=(0.1,))
    noisy, clean, _ = pair(samples, 0, 0)
    digest = samples.training.train[0].digest
    tested = noisy_image(samples.training, clean, digest, 0, "test", 0.1)
    correlation = np.corrcoef((noisy - clean).ravel(), (tested - clean).ravel())[0, 1]
    assert abs(correlation) < 0.15


def test_images_are_decoded_once(items, tmp_path, monkeypatch):
    """The second reader of a folder takes the resized images from its file."""
    first = Images(items[:3], SIZE, tmp_path)
    monkeypatch.setattr(type(items[0]), "read", lambda *_: pytest.fail("decoded again"))
    second = Images(items[:3], SIZE, tmp_path)
    for index in range(3):
        np.testing.assert_array_equal(first[index], second[index])


def test_squares(make):
    """Squares come from their image, flipped or turned, several per image and all different."""
    samples = make({"crop": 9, "crops": 16, "turns": True})
    assert len(samples) == 12 * 16
    squares = [pair(samples, 16 * 3 + number, 0)[1] for number in range(16)]
    windows = np.lib.stride_tricks.sliding_window_view(samples.images[3], (9, 9)).reshape(-1, 9, 9)
    turned = [np.rot90(w, n, (1, 2)) for w in (windows, windows[:, ::-1]) for n in range(4)]
    for square in squares:
        assert any((square == each).all((1, 2)).any() for each in turned)
    assert len({square.tobytes() for square in squares}) == 16
    assert len({pair(samples, 16 * 3 + number, 0)[2] for number in range(16)}) == 16
    inputs, _ = next(samples.batches(0))
    assert inputs.shape == (5, 12, 12, 1)  # reflected to a side that the network takes


def test_turns_use_all_eight_ways(make):
    """Whole images that are turned come in all eight positions, equally often."""
    samples = make({"turns": True})
    image = samples.images[0]
    ways = [np.rot90(i, n) for i in (image, image[:, ::-1]) for n in range(4)]
    seen = [
        next(n for n, way in enumerate(ways) if np.array_equal(way, samples.clean(0, epoch)))
        for epoch in range(80)
    ]
    assert np.bincount(seen, minlength=8).min() >= 3


def test_told_networks_get_the_level(make):
    """A network that is told sigma gets the sample's level in a second channel."""
    samples = make(training="told")
    inputs, targets = next(samples.batches(0))
    assert inputs.shape[-1] == 2
    spread = (inputs[..., 0] - targets[..., 0]).std((1, 2))
    np.testing.assert_allclose(spread, inputs[:, 0, 0, 1], rtol=0.1)
    assert (np.ptp(inputs[..., 1], axis=(1, 2)) == 0).all()


def test_validation_without_images(make, tmp_path):
    """Scores without images are not numbers."""
    samples = make(validation=())
    validation = Validation(samples.network, samples.training, tmp_path)
    assert np.isnan(validation.scores(None, 4)).all()


def test_noise2noise_sees_no_clean_pixel(make):
    """Input and target are the same image with two independent noise fields of one level."""
    samples = make({"supervision": "noise2noise"}, levels=(0.1,))
    order = np.concatenate([targets for _, targets in samples.batches(0)])[..., 0]
    given = np.concatenate([inputs for inputs, _ in samples.batches(0)])[..., 0]
    for clean in samples.images:
        assert not (order == clean).any()
        assert not (given == clean).any()
    difference = given - order
    assert difference.std() == pytest.approx(0.1 * np.sqrt(2), rel=0.05)
    assert abs(difference.mean()) < 0.01


def test_noise2void_sees_no_clean_pixel_and_not_what_it_is_to_find(make):
    """Targets are noisy; a hidden pixel's own value is not in the input at its place."""
    samples = make({"supervision": "noise2void", "crops": 8, "turns": True}, levels=(0.1,))
    for inputs, targets in samples.batches(0):
        given, noisy, hidden = inputs[..., 0], targets[..., 0], targets[..., 1]
        np.testing.assert_array_equal(given[hidden == 0], noisy[hidden == 0])
        assert (given[hidden == 1] != noisy[hidden == 1]).all()
        assert not any((noisy == clean).any() for clean in samples.images)


def test_hidden_pixels_are_replaced_by_neighbours():
    """One pixel in 128 is hidden, by any of the 24 around it and never by itself."""
    image = np.arange(400 * 300, dtype=np.float32).reshape(400, 300)
    given, hidden = blind_spots(image, np.random.default_rng(0))
    assert hidden.mean() == pytest.approx(1 / 128, rel=0.15)
    rows, columns = np.nonzero(hidden)
    down, right = np.divmod(given[rows, columns], 300)
    moves = {*zip((down - rows).astype(int), (right - columns).astype(int), strict=True)}
    assert moves == {(i, j) for i in range(-2, 3) for j in range(-2, 3)} - {(0, 0)}


def test_networks_may_ask_for_random_numbers(make):
    """Channels of standard normal numbers come behind the image's, new ones in every epoch."""
    samples = make()
    samples.network.draws = 3
    (one, _), (two, _) = next(samples.batches(0)), next(samples.batches(1))
    assert one.shape == (5, SIZE, SIZE, 4)
    assert one[..., 1:].std() == pytest.approx(1, rel=0.05)
    assert abs(np.corrcoef(one[..., 1].ravel(), two[..., 1].ravel())[0, 1]) < 0.1
