"""Prediction without Keras: the same function as plain Keras, bit for bit repeatable."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from denobench import models
from denobench.autoencoder.weights import SHAPES, graph
from denobench.errors import DenobenchError
from denobench.networks import weights as weights_module
from denobench.networks.inference.narrow import FewInputs, FewOutputs
from denobench.networks.inference.pixelwise import Pixelwise
from denobench.networks.inference.predictor import Predictor
from denobench.networks.inference.stages import BORDER, NOTHING, laid_out, needed
from denobench.networks.inference.upsampling import UpConvolution
from denobench.networks.inference.winograd import Convolution


def compiled(weights):
    """Return the paper's network with weights in Keras' order."""
    return Predictor(graph(), dict(zip(SHAPES, weights, strict=True)), 8)


@pytest.fixture(scope="module")
def weights():
    """Return weights with which every layer changes what it gets."""
    rng = np.random.default_rng(1)
    drawn = weights_module.draw(SHAPES, 0).values()
    return [
        (1.4 * w if w.ndim > 1 else rng.normal(0, 0.1, w.shape)).astype(np.float32) for w in drawn
    ]


@pytest.fixture(scope="module")
def plain(weights):
    """Return the plain Keras network, for any size."""
    from denobench.autoencoder import build_cdae

    network = build_cdae((None, None, 3))
    network.set_weights(weights)
    return network


@pytest.fixture(scope="module")
def predictor(weights):
    """Return the network for prediction."""
    return compiled(weights)


def images(*shape):
    return np.random.default_rng(2).normal(0.5, 0.5, (*shape, 3)).astype(np.float32)


@pytest.mark.parametrize("size", [(224, 224), (8, 8), (24, 40), (40, 8), (8, 88), (104, 56)])
def test_same_function_as_plain_keras(plain, predictor, size):
    """The two agree to 1e-5 on images whose three channels differ, at any multiple of 8."""
    given = images(2, *size)
    before = given.copy()
    expected = np.asarray(plain(given))  # quicker than to compile it for every size
    answer = predictor.predict_on_batch(given)
    assert answer.dtype == np.float32
    assert expected.std() > 0.05
    np.testing.assert_allclose(answer, expected, atol=1e-5, rtol=0)
    np.testing.assert_array_equal(given, before)


def test_trained_weights():
    """With the weights that come with the package it agrees with plain Keras, too."""
    from denobench.autoencoder import build_cdae

    (path,) = (
        each.weights for each in models.models() if each.shipped and each.record.method == "cdae"
    )
    trained = [*weights_module.read(path, SHAPES, "CDAE").values()]
    network = build_cdae((None, None, 3))
    network.set_weights(trained)
    y, x = np.mgrid[:96, :96] / 96
    disc = np.where(np.hypot(y - 0.5, x - 0.5) < 0.4, 0.8, 0.1)[..., np.newaxis]
    image = (disc + images(1, 96, 96) / 10).astype(np.float32)
    expected = np.asarray(network(image))
    np.testing.assert_allclose(compiled(trained).predict_on_batch(image), expected, atol=1e-5)


def test_same_bits(monkeypatch, weights, predictor):
    """Calls before, other images of the batch and threads do not change a bit."""
    given = images(3, 40, 56)
    first = predictor.predict_on_batch(given)
    predictor.predict_on_batch(images(1, 64, 24))
    np.testing.assert_array_equal(predictor.predict_on_batch(given), first)
    np.testing.assert_array_equal(predictor.predict_on_batch(given[1:2]), first[1:2])
    for threads in (2, 3, 8):
        monkeypatch.setattr(numba, "get_num_threads", lambda threads=threads: threads)
        np.testing.assert_array_equal(compiled(weights).predict_on_batch(given), first)


@pytest.mark.parametrize("shape", [(1, 12, 16, 3), (1, 16, 16, 1), (16, 16, 3)])
def test_wrong_shapes(predictor, shape):
    """Images of another shape raise one error that says what would be right."""
    with pytest.raises(DenobenchError, match="sides that are multiples of 8, not"):
        predictor.predict_on_batch(np.zeros(shape, np.float32))


def test_no_images(predictor):
    """No images give no answers."""
    assert predictor.predict_on_batch(np.zeros((0, 16, 16, 3))).shape == (0, 16, 16, 3)


def convolve(image, kernel, bias):
    """Convolve an image, (H, W, channels), in float64."""
    padded = np.pad(image.astype(np.float64), ((1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))
    return np.einsum("hwcuv,uvcf->hwf", windows, kernel) + bias


def run(stage, image, added=None):
    """Run one stage in two parts, its target not empty before."""
    height, width, _ = image.shape
    border = (BORDER, BORDER, (0, 0))
    shape = (int(stage.growth * height), int(stage.growth * width), stage.channels)
    target = np.pad(np.full(shape, np.nan, np.float32), border)
    more = NOTHING if added is None else np.pad(added, border)
    middle, count = stage.parts(height) // 2, stage.parts(height)
    for parts in ((0, middle), (middle, count)):
        given = (np.pad(image, border), target, more)
        shapes = stage.shapes(width)
        memory = np.full(needed(shapes), np.nan, np.float32)  # what another stage has left
        stage.run(*given, (height, width), parts, laid_out(memory, shapes))
    inner = target[1 : 1 + shape[0], 1 : 1 + shape[1]]
    assert np.count_nonzero(target) == np.count_nonzero(inner)
    return inner


def drawn(*shape):
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


def layer(inputs, filters, side=3):
    return drawn(side, side, inputs, filters), drawn(filters + 1)[1:]


def pooled(image):
    height, width, channels = image.shape
    return image.reshape(height // 2, 2, width // 2, 2, channels).max((1, 3))


@pytest.mark.parametrize("filters", [32, 40, 11])
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (12, 30), (4, 260)])
@pytest.mark.parametrize("kind", [Convolution, FewInputs])
def test_convolution(kind, size, filters):
    """A convolution in NumPy and what is added to it, borders too, is what a stage computes."""
    kernel, bias = layer(5, filters)
    image, added = drawn(*size, 5), drawn(*size, filters)
    sums = convolve(image, kernel, bias)
    stage = kind(kernel, bias, activation="linear")
    np.testing.assert_allclose(run(stage, image, added), sums + added, atol=2e-4)
    stage = kind(kernel, bias, activation="relu")
    np.testing.assert_allclose(run(stage, image), np.maximum(sums, 0), atol=2e-4)


@pytest.mark.parametrize("size", [(2, 2), (6, 10), (12, 30)])
@pytest.mark.parametrize("kind", [Convolution, FewInputs])
def test_convolution_with_pooling(kind, size):
    """A convolution and a pooling in NumPy are what the stage computes."""
    kernel, bias = layer(5, 32)
    image = drawn(*size, 5)
    expected = pooled(np.maximum(convolve(image, kernel, bias), 0))
    np.testing.assert_allclose(run(kind(kernel, bias, pooled=True), image), expected, atol=2e-4)


@pytest.mark.parametrize("filters", [32, 12])
@pytest.mark.parametrize("size", [(1, 1), (3, 4), (10, 7)])
def test_up_sampling(size, filters):
    """Up-sampling and convolving in NumPy are what the stage computes."""
    kernel, bias = layer(5, filters)
    image, added = drawn(*size, 5), drawn(2 * size[0], 2 * size[1], filters)
    expected = np.maximum(convolve(image.repeat(2, 0).repeat(2, 1), kernel, bias), 0) + added
    np.testing.assert_allclose(run(UpConvolution(kernel, bias), image, added), expected, atol=2e-4)


@pytest.mark.parametrize("enlarged", [True, False])
def test_few_outputs(enlarged):
    """Up-sampling or not, convolving and the sigmoid in NumPy are what the stage computes."""
    kernel, bias = layer(64, 3)
    image = drawn(4, 12, 64)
    sums = convolve(image.repeat(2, 0).repeat(2, 1) if enlarged else image, kernel, bias)
    assert np.abs(sums).max() > 50
    answer = run(FewOutputs(kernel, bias, activation="sigmoid", enlarged=enlarged), image)
    np.testing.assert_allclose(answer, 1 / (1 + np.exp(-sums)), atol=2e-6 * np.abs(sums).max())
    assert 0 <= answer.min() <= answer.max() <= 1
    answer = run(FewOutputs(kernel, bias, activation="relu", enlarged=enlarged), image)
    np.testing.assert_allclose(answer, np.maximum(sums, 0), atol=2e-4)


@pytest.mark.parametrize("size", [(2, 2), (6, 14)])
def test_pixelwise(size):
    """Convolutions of one pixel, and of 2 x 2 with stride 2, transposed too, are as in NumPy."""
    image, (height, width) = drawn(*size, 5), size
    kernel, bias = layer(5, 11, 1)
    stage = Pixelwise(kernel, bias, activation="linear")
    np.testing.assert_allclose(run(stage, image), image @ kernel[0, 0] + bias, atol=1e-5)
    kernel, bias = layer(5, 11, 2)
    blocks = image.reshape(height // 2, 2, width // 2, 2, 5)
    expected = np.einsum("yuxvc,uvcf->yxf", blocks, kernel) + bias
    stage = Pixelwise(kernel, bias, activation="relu")
    np.testing.assert_allclose(run(stage, image), np.maximum(expected, 0), atol=1e-5)
    expected = np.einsum("yxc,uvcf->yuxvf", image, kernel).reshape(2 * height, 2 * width, 11) + bias
    added = drawn(*expected.shape)
    stage = Pixelwise(kernel, bias, activation="linear", transposed=True)
    np.testing.assert_allclose(run(stage, image, added), expected + added, atol=1e-5)
