"""The network: the paper's Table 1, and the fast layers' equality with the plain ones."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from denobench.autoencoder.weights import SHAPES
from denobench.networks import weights as weights_module

TABLE_1 = [
    ("Conv2D", (224, 224, 32), 896),
    ("MaxPooling2D", (112, 112, 32), 0),
    ("Conv2D", (112, 112, 64), 18_496),
    ("MaxPooling2D", (56, 56, 64), 0),
    ("Conv2D", (56, 56, 128), 73_856),
    ("MaxPooling2D", (28, 28, 128), 0),
    ("Conv2D", (28, 28, 128), 147_584),
    ("Conv2D", (28, 28, 128), 147_584),
    ("UpSampling2D", (56, 56, 128), 0),
    ("Conv2D", (56, 56, 128), 147_584),
    ("UpSampling2D", (112, 112, 128), 0),
    ("Conv2D", (112, 112, 64), 73_792),
    ("UpSampling2D", (224, 224, 64), 0),
    ("Conv2D", (224, 224, 3), 1_731),
]


@pytest.fixture(scope="module")
def pair():
    """Return the plain and the fast network with the same weights."""
    from denobench.autoencoder import build_cdae

    plain, fast = build_cdae(), build_cdae(fast=True)
    weights = [*weights_module.draw(SHAPES, 0).values()]
    rng = np.random.default_rng(1)
    weights = [1.4 * w if w.ndim > 1 else rng.normal(0, 0.1, w.shape) for w in weights]
    plain.set_weights(weights)
    fast.set_weights(weights)
    return plain, fast


def test_table_1(pair):
    """Every layer has the type, output shape and parameter count of the paper's Table 1."""
    plain, _ = pair
    rows = [(type(x).__name__, x.output.shape[1:], x.count_params()) for x in plain.layers]
    assert rows == TABLE_1
    assert plain.input_shape == (None, 224, 224, 3)
    assert plain.count_params() == 611_523


def test_details_that_the_table_leaves_out(pair):
    """Kernels are 3 x 3 with 'same' padding and ReLU, the last is a sigmoid; sides change by 2."""
    plain, _ = pair
    convolutions = [x for x in plain.layers if "Conv" in type(x).__name__]
    assert {x.kernel_size for x in convolutions} == {(3, 3)}
    assert {x.padding for x in convolutions} == {"same"}
    assert {x.strides for x in convolutions} == {(1, 1)}
    assert [x.activation.__name__ for x in convolutions] == ["relu"] * 7 + ["sigmoid"]
    assert {x.pool_size for x in plain.layers if "Pool" in type(x).__name__} == {(2, 2)}
    ups = [x for x in plain.layers if "Up" in type(x).__name__]
    assert {(x.size, x.interpolation) for x in ups} == {((2, 2), "nearest")}


def test_fast_has_the_same_weights(pair):
    """Weights of the fast network fit the plain one and back, and are what a file holds."""
    plain, fast = pair
    shapes = [w.shape for w in fast.get_weights()]
    assert shapes == [w.shape for w in plain.get_weights()] == [*SHAPES.values()]
    assert fast.count_params() == 611_523


def test_fast_is_the_same_function(pair):
    """The two agree to 1e-5 on images whose three channels differ."""
    plain, fast = pair
    images = np.random.default_rng(2).normal(0.5, 0.5, (2, 224, 224, 3)).astype(np.float32)
    expected = np.asarray(plain(images))
    assert expected.std() > 0.05
    np.testing.assert_allclose(fast(images), expected, atol=1e-5, rtol=0)


def test_fast_has_the_same_gradients(pair):
    """One step from the same weights changes the plain network and the fast one alike."""
    import keras

    rng = np.random.default_rng(3)
    noisy, clean = rng.random((2, 2, 32, 32, 3), np.float32)
    from denobench.autoencoder import build_cdae

    start, after = pair[0].get_weights(), []
    for fast in (False, True):
        model = build_cdae((None, None, 3), fast=fast)
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(1.0), loss="mse", jit_compile=False)
        model.train_on_batch(noisy, clean)
        after.append(model.get_weights())
    for one, other, old in zip(*after, start, strict=True):
        np.testing.assert_allclose(one - old, other - old, atol=1e-6)
    assert max(np.abs(one - old).max() for one, old in zip(after[0], start, strict=True)) > 1e-4


@pytest.mark.parametrize("shape", [(1, 3, 5, 2), (2, 4, 4, 3), (1, 1, 1, 1)])
def test_phase_layer_alone(shape):
    """Up-sampling and convolving in plain NumPy gives what the layer gives, borders included."""
    from denobench.autoencoder import PhaseConv2D

    rng = np.random.default_rng(4)
    image = rng.normal(size=shape).astype(np.float32)
    layer = PhaseConv2D(4)
    layer.build(shape)
    kernel, bias = rng.normal(size=(3, 3, shape[-1], 4)), rng.normal(size=4)
    layer.set_weights([kernel, bias])
    large = np.pad(image.repeat(2, 1).repeat(2, 2), ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(large, (3, 3), (1, 2))
    expected = np.einsum("nhwcuv,uvcf->nhwf", windows, kernel) + bias
    np.testing.assert_allclose(np.array(layer(image)), expected, atol=1e-5)


def test_any_size():
    """With open sides the networks take any multiple of 8, and agree."""
    from denobench.autoencoder import build_cdae

    networks = [build_cdae((None, None, 3), fast=fast) for fast in (False, True)]
    networks[1].set_weights(networks[0].get_weights())
    image = np.random.default_rng(5).random((1, 24, 40, 3), np.float32)
    plain, fast = (np.asarray(network(image)) for network in networks)
    assert plain.shape == (1, 24, 40, 3)
    np.testing.assert_allclose(fast, plain, atol=1e-5)


def test_fast_network_can_be_saved(tmp_path, pair):
    """Keras writes and reads the fast network in its own format."""
    import keras

    _, fast = pair
    fast.save(tmp_path / "cdae.keras")
    again = keras.saving.load_model(tmp_path / "cdae.keras")
    for one, other in zip(again.get_weights(), fast.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_importing_is_light():
    """Importing the package and reading what CDAE says of itself loads no network library."""
    code = (
        "import sys; from denobench.autoencoder import CDAE; assert CDAE.info.name == 'cdae'; "
        "CDAE().recipe(); assert not {'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
