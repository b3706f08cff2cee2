"""The network for prediction: the same function as plain Keras, bit for bit repeatable."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import denobench.autoencoder
from denobench.autoencoder import CDAE
from denobench.autoencoder.ends import First, Last
from denobench.autoencoder.inference import BORDER, Predictor
from denobench.autoencoder.upsampling import UpConvolution
from denobench.autoencoder.weights import SHAPES
from denobench.autoencoder.winograd import Convolution
from denobench.errors import DenobenchError
from denobench.networks import weights as weights_module

PRETRAINED = Path(denobench.autoencoder.__file__).parent / "pretrained"


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
    return Predictor(weights)


def images(*shape):
    return np.random.default_rng(2).normal(0.5, 0.5, (*shape, 3)).astype(np.float32)


@pytest.mark.parametrize("size", [(224, 224), (8, 8), (24, 40), (40, 8), (8, 88), (104, 56)])
def test_same_function_as_plain_keras(plain, predictor, size):
    """The two agree to 1e-5 on images whose three channels differ, at any multiple of 8."""
    given = images(2, *size)
    before = given.copy()
    expected = plain.predict_on_batch(given)
    answer = predictor.predict_on_batch(given)
    assert answer.dtype == np.float32
    assert expected.std() > 0.05
    np.testing.assert_allclose(answer, expected, atol=1e-5, rtol=0)
    np.testing.assert_array_equal(given, before)


def test_trained_weights():
    """With the weights that come with the package it agrees with plain Keras, too."""
    from denobench.autoencoder import build_cdae

    (path,) = PRETRAINED.glob("*/weights*")
    trained = [*weights_module.read(path, SHAPES, "CDAE").values()]
    network = build_cdae((None, None, 3))
    network.set_weights(trained)
    y, x = np.mgrid[:96, :96] / 96
    disc = np.where(np.hypot(y - 0.5, x - 0.5) < 0.4, 0.8, 0.1)[..., np.newaxis]
    image = (disc + images(1, 96, 96) / 10).astype(np.float32)
    expected = network.predict_on_batch(image)
    np.testing.assert_allclose(Predictor(trained).predict_on_batch(image), expected, atol=1e-5)


def test_same_bits(monkeypatch, weights, predictor):
    """Calls before, other images of the batch and threads do not change a bit."""
    given = images(3, 40, 56)
    first = predictor.predict_on_batch(given)
    predictor.predict_on_batch(images(1, 64, 24))
    np.testing.assert_array_equal(predictor.predict_on_batch(given), first)
    np.testing.assert_array_equal(predictor.predict_on_batch(given[1:2]), first[1:2])
    for threads in (2, 3, 8):
        monkeypatch.setattr(numba, "get_num_threads", lambda threads=threads: threads)
        np.testing.assert_array_equal(Predictor(weights).predict_on_batch(given), first)


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


def run(stage, image, *, bordered=(True, True)):
    """Run one stage in two parts, its target's border not zero before."""
    height, width, _ = image.shape
    border = (BORDER, BORDER, (0, 0))
    source = np.pad(image, border) if bordered[0] else image
    shape = (int(stage.growth * height), int(stage.growth * width), stage.channels)
    target = np.full(shape, np.nan, np.float32)
    if bordered[1]:
        target = np.pad(target, border)
    middle, count = stage.parts(height) // 2, stage.parts(height)
    for parts in ((0, middle), (middle, count)):
        stage.run(source, target, (height, width), parts, stage.scratch(width))
    if bordered[1]:
        inner = target[1 : 1 + shape[0], 1 : 1 + shape[1]]
        assert np.count_nonzero(target) == np.count_nonzero(inner)
        return inner
    return target


def layer(inputs, filters):
    rng = np.random.default_rng(3)
    kernel = rng.normal(size=(3, 3, inputs, filters)).astype(np.float32)
    return kernel, rng.normal(size=filters).astype(np.float32)


def pooled(image):
    height, width, channels = image.shape
    return image.reshape(height // 2, 2, width // 2, 2, channels).max((1, 3))


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (12, 30), (4, 260)])
def test_convolution(size):
    """A convolution in NumPy, borders included, is what the stage computes."""
    kernel, bias = layer(5, 32)
    image = np.random.default_rng(4).normal(size=(*size, 5)).astype(np.float32)
    expected = np.maximum(convolve(image, kernel, bias), 0)
    np.testing.assert_allclose(
        run(Convolution(kernel, bias, pooled=False), image), expected, atol=1e-4
    )


@pytest.mark.parametrize("size", [(2, 2), (6, 10), (12, 30)])
def test_convolution_with_pooling(size):
    """A convolution and a pooling in NumPy are what the stage computes."""
    kernel, bias = layer(5, 32)
    image = np.random.default_rng(5).normal(size=(*size, 5)).astype(np.float32)
    expected = pooled(np.maximum(convolve(image, kernel, bias), 0))
    np.testing.assert_allclose(
        run(Convolution(kernel, bias, pooled=True), image), expected, atol=1e-4
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 4), (10, 7)])
def test_up_sampling(size):
    """Up-sampling and convolving in NumPy are what the stage computes."""
    kernel, bias = layer(5, 32)
    image = np.random.default_rng(6).normal(size=(*size, 5)).astype(np.float32)
    expected = np.maximum(convolve(image.repeat(2, 0).repeat(2, 1), kernel, bias), 0)
    np.testing.assert_allclose(run(UpConvolution(kernel, bias), image), expected, atol=1e-4)


def test_first_layer():
    """Convolving and pooling in NumPy are what the first stage computes."""
    kernel, bias = layer(3, 32)
    image = np.random.default_rng(7).normal(size=(8, 16, 3)).astype(np.float32)
    expected = pooled(np.maximum(convolve(image, kernel, bias), 0))
    answer = run(First(kernel, bias), image, bordered=(False, True))
    np.testing.assert_allclose(answer, expected, atol=1e-4)


def test_last_layer():
    """Up-sampling, convolving and the sigmoid in NumPy are what the last stage computes."""
    kernel, bias = layer(64, 3)
    image = np.random.default_rng(8).normal(size=(4, 12, 64)).astype(np.float32)
    sums = convolve(image.repeat(2, 0).repeat(2, 1), kernel, bias)
    assert np.abs(sums).max() > 50
    answer = run(Last(kernel, bias), image, bordered=(True, False))
    np.testing.assert_allclose(answer, 1 / (1 + np.exp(-sums)), atol=2e-6 * np.abs(sums).max())
    assert 0 <= answer.min() <= answer.max() <= 1


def test_denoises_without_tensorflow(tmp_path):
    """Denoising with the paper's network loads no network library."""
    path = tmp_path / "weights.npz"
    weights_module.write(path, weights_module.draw(SHAPES, 0))
    code = (
        "import sys, numpy as np; from pathlib import Path; "
        "from denobench.autoencoder import CDAE; "
        "made = CDAE(); made.load(Path(sys.argv[1])); made.denoise(np.zeros((16, 16)), None); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


def test_another_network_is_kept(tmp_path):
    """A subclass that builds another network denoises with that one."""
    import keras

    class Constant(CDAE):
        def build(self, input_shape):
            model = keras.Sequential([keras.Input(input_shape), keras.layers.Conv2D(3, 1)])
            model.trainable = False
            return model

        def _fitted(self):
            return {"kernel": np.zeros((1, 1, 3, 3)), "bias": np.full(3, 0.25)}

    np.testing.assert_allclose(Constant().denoise(np.zeros((9, 8)), None), 0.25)
