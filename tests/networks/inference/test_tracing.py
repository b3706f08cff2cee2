"""Graphs of Keras models: every layer that one knows, and those that none knows."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from denobench import methods
from denobench.networks import weights as weights_module
from denobench.networks.inference import graph as graphs
from denobench.networks.inference.predictor import Predictor
from denobench.networks.inference.tracing import UntraceableError, trace
from denobench.networks.layers import FirstChannels, Shuffle, Unshuffle
from denobench.networks.weights import shapes_of

NETWORKS = ("cae", "vae", "dncnn", "r2unet", "unet")


def filled(model: keras.Model) -> dict[str, np.ndarray]:
    """Give a model weights with which every layer changes what it gets; return them."""
    rng = np.random.default_rng(1)
    weights = {}
    for name, shape in shapes_of(model).items():
        if name.endswith("variance"):
            drawn = rng.uniform(0.5, 2, shape)
        elif len(shape) > 1:
            drawn = rng.normal(0, (2 / np.prod(shape[:3])) ** 0.5, shape)
        elif name.endswith("gamma"):  # so that many layers neither fade nor grow beyond all bounds
            drawn = rng.normal(0.8, 0.2, shape)
        else:
            drawn = rng.normal(0.2, 0.2, shape)
        weights[name] = drawn.astype(np.float32)
    model.set_weights([*weights.values()])
    return weights


def assert_same(model: keras.Model, size: tuple[int, int], tolerance: float = 1e-5) -> None:
    """Assert that the model's graph, written and read, computes what the model does."""
    weights = filled(model)
    graph = graphs.read(trace(model, "some").written())
    images = np.random.default_rng(2).normal(0.5, 0.5, (2, *size, graph.channels))
    expected = np.asarray(model(images.astype(np.float32)))  # quicker than to compile it
    assert expected.std() > 0.01
    answers = Predictor(graph, weights).predict_on_batch(images)
    np.testing.assert_allclose(answers, expected, atol=tolerance * max(1, np.abs(expected).max()))


@cache
def network(name: str) -> keras.Model:
    """Return a network of the package, for any size."""
    method = methods.build(name, {})
    return method.build((None, None, method.channels))


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_the_package(name: str) -> None:
    """The package's networks are computed as Keras computes them, to 1e-5 of the answer's range."""
    assert_same(network(name), (24, 40))


def test_costs_are_those_of_the_definition() -> None:
    """Parameters are Keras' count, products the closed form of a network's definition."""
    for name in NETWORKS:
        assert methods.build(name, {}).graph().parameters == network(name).count_params()
    # DnCNN: 64 channels at full size, 17 layers.
    expected = (9 * 64 + 15 * 9 * 64**2 + 9 * 64) * 40 * 56
    assert methods.build("dncnn", {}).graph().multiplications(40, 56) == expected
    # U-Net: pixels at half, a quarter and an eighth of the sides.
    half = 9 * 8 * 40 + 8 * 9 * 40**2 + 9 * 40 * 4
    quarter = 4 * 40 * 80 + 8 * 9 * 80**2 + 4 * 80 * 40
    eighth = 4 * 80 * 128 + 4 * 9 * 128**2 + 4 * 128 * 80
    expected = half * 20 * 28 + quarter * 10 * 14 + eighth * 5 * 7
    assert methods.build("unet", {}).graph().multiplications(40, 56) == expected


LAYERS = {
    "one pixel": lambda x: layers.Conv2D(5, 1, activation="sigmoid")(x),
    "halved": lambda x: layers.Conv2D(12, 2, strides=2, activation="relu")(x),
    "doubled": lambda x: layers.Conv2DTranspose(12, 2, strides=2, use_bias=False)(x),
    "pooled few": lambda x: layers.MaxPooling2D(2)(layers.Conv2D(3, 3, padding="same")(x)),
    "pooled many": lambda x: layers.MaxPooling2D(2)(layers.Conv2D(20, 3, padding="same")(x)),
    "normalised first": lambda x: layers.Conv2D(9, 3, padding="same")(
        layers.BatchNormalization()(x)
    ),
    "normalised, not scaled": lambda x: layers.BatchNormalization(scale=False, center=False)(
        layers.Conv2D(9, 3, padding="same")(x)
    ),
    "enlarged, one pixel": lambda x: layers.Conv2D(9, 1)(layers.UpSampling2D(2)(x)),
    "enlarged and pooled": lambda x: layers.MaxPooling2D(2)(
        layers.Conv2D(9, 3, padding="same", activation="relu")(layers.UpSampling2D(2)(x))
    ),
    "summed with itself": lambda x: layers.Add()([x, x]),
    "summed in threes": lambda x: layers.Add()([x, layers.ReLU()(x), layers.Conv2D(2, 1)(x)]),
    "activation after a sum": lambda x: layers.Activation("relu")(
        layers.Add()([layers.Conv2D(2, 3, padding="same")(x), layers.Conv2D(2, 1)(x)])
    ),
    "sigmoid of many": lambda x: layers.Conv2D(20, 3, padding="same", activation="sigmoid")(x),
    "joined and cut": lambda x: FirstChannels(3)(layers.Concatenate()([x, x[..., :1], x])),
    "rearranged": lambda x: Shuffle()(layers.Conv2D(8, 3, padding="same")(Unshuffle()(x))),
    "dropped": lambda x: layers.Subtract()([layers.Dropout(0.5)(x), layers.Conv2D(2, 1)(x)]),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str) -> None:
    """Each layer, and what follows or precedes a convolution, is computed as Keras computes it."""
    given = keras.Input((None, None, 2))
    found = layers.Conv2D(2, 3, padding="same")(given)
    assert_same(keras.Model(given, LAYERS[name](found)), (8, 12))


def test_shared_layer() -> None:
    """A layer that is called twice is computed twice, with the same weights."""
    given = keras.Input((None, None, 4))
    shared = layers.Conv2D(4, 3, padding="same", activation="relu")
    assert_same(keras.Model(given, shared(layers.Add()([given, shared(given)]))), (7, 9))


UNKNOWN = {
    "dilated": lambda x: layers.Conv2D(4, 3, padding="same", dilation_rate=2)(x),
    "valid": lambda x: layers.Conv2D(4, 3)(x),
    "five": lambda x: layers.Conv2D(4, 5, padding="same")(x),
    "grouped": lambda x: layers.Conv2D(4, 3, padding="same", groups=2)(x),
    "tanh": lambda x: layers.Conv2D(4, 3, padding="same", activation="tanh")(x),
    "leaky": lambda x: layers.LeakyReLU()(x),
    "bounded": lambda x: layers.ReLU(max_value=6)(x),
    "average": lambda x: layers.AveragePooling2D(2)(x),
    "bilinear": lambda x: layers.UpSampling2D(2, interpolation="bilinear")(x),
    "attention": lambda x: layers.Multiply()([x, x]),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_layers_are_named(name: str) -> None:
    """What a graph does not know is refused by the layer's name, and never computed wrongly."""
    given = keras.Input((None, None, 4))
    last = UNKNOWN[name](given)
    model = keras.Model(given, last)
    with pytest.raises(UntraceableError, match=model.layers[-1].name):
        trace(model, "some")


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"name":"a","channels":1,"nodes":[],"shapes":{}}',
        '{"name":"a","channels":1,"nodes":[{"operation":"exec","inputs":[0],"weights":[],'
        '"number":0}],"shapes":{}}',
        '{"name":"a","channels":1,"nodes":[{"operation":"relu","inputs":[1],"weights":[],'
        '"number":0}],"shapes":{}}',
        '{"name":"a","channels":1,"nodes":[{"operation":"convolution","inputs":[0],'
        '"weights":["k","b"],"number":0}],"shapes":{}}',
        "[" * 100_000,
    ],
)
def test_text_that_is_no_graph(text: str) -> None:
    """A text of another form is refused before anything is computed."""
    with pytest.raises(ValueError, match=r"graph|JSON|Expecting"):
        graphs.read(text)


def test_weights_bring_their_network(tmp_path: Path) -> None:
    """A saved network is loaded and computed without building it; another's is not taken for it."""
    method = methods.build("cae", {})
    method._weights = filled(method.build((None, None, 1)))
    method.save(tmp_path / "weights.npz")
    image = np.random.default_rng(0).random((20, 24)).astype(np.float32)
    expected = method.denoise(image, None)

    loaded = methods.build("cae", {})
    loaded.build = None  # type: ignore[method-assign]
    loaded.load(tmp_path / "weights.npz")
    np.testing.assert_array_equal(loaded.denoise(image, None), expected)
    with pytest.raises(Exception, match="not the weights of DnCNN"):
        methods.build("dncnn", {}).load(tmp_path / "weights.npz")


def test_compressed_file_is_not_believed(tmp_path: Path) -> None:
    """Of a compressed file, which may unpack to anything, no graph is read."""
    text = graphs.Graph("cae 1", 1, (graphs.Node("relu", (0,)),)).written()
    path = tmp_path / "weights.npz"
    np.savez_compressed(path, graph=np.frombuffer(text.encode(), np.uint8))
    assert weights_module.read_graph(path) is None
