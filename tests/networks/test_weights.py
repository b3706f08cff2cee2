"""Weights: drawn, named, written and read without Keras."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from tiny import Tiny

from denobench.autoencoder.weights import SHAPES
from denobench.errors import DenobenchError
from denobench.networks import weights


def test_initial_weights():
    """Kernels have Glorot's variance of 2 / (fan in + fan out), biases are 0; the seed decides."""
    drawn = weights.draw(SHAPES, 0)
    for name, array in drawn.items():
        if name.endswith("bias"):
            assert not array.any()
        elif array.size > 10_000:
            fans = 9 * (array.shape[2] + array.shape[3])
            assert array.var() * fans == pytest.approx(2, rel=0.05)
    again, other = weights.draw(SHAPES, 0), weights.draw(SHAPES, 1)
    assert all(np.array_equal(drawn[name], again[name]) for name in SHAPES)
    assert not np.array_equal(again["conv_1/kernel"], other["conv_1/kernel"])


def test_constants_stay():
    """What a network starts with as one number (zeros, a normalisation's ones) is not drawn."""
    shapes = {"a/kernel": (3, 3, 2, 2), "b/kernel": (3, 3, 2, 2), "c/gamma": (4,)}
    random = np.random.default_rng(0).normal(size=(3, 3, 2, 2))
    built = {"a/kernel": np.zeros((3, 3, 2, 2)), "b/kernel": random, "c/gamma": np.ones(4)}
    drawn = weights.draw(shapes, 0, built)
    assert not drawn["a/kernel"].any()
    assert drawn["b/kernel"].std() > 0.1
    assert not np.array_equal(drawn["b/kernel"], random)
    np.testing.assert_array_equal(drawn["c/gamma"], 1)


def test_names_are_the_same_in_every_build():
    """Keras numbers layers on and on; the weights' names do not change with that."""
    one, two = Tiny().shapes(), Tiny().shapes()
    assert one == two
    assert [*one] == [
        "layer_1/kernel",
        "layer_1/bias",
        "layer_2/kernel",
        "layer_2/bias",
        "layer_3/kernel",
        "layer_3/bias",
    ]


def test_half_precision_is_widened(tmp_path):
    """A file of half the size is read as float32, rounded to half precision."""
    drawn = weights.draw(SHAPES, 0)
    half = {name: array.astype(np.float16) for name, array in drawn.items()}
    weights.write(tmp_path / "half.npz", half)
    read = weights.read(tmp_path / "half.npz", SHAPES, "CDAE")
    assert [*read] == [*SHAPES]
    for name, array in read.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, half[name])


def test_another_networks_weights_are_refused(tmp_path):
    """Arrays of other names or shapes raise an error that says which would be right."""
    weights.write(tmp_path / "cdae.npz", weights.draw(SHAPES, 0))
    with pytest.raises(DenobenchError, match=r"cdae\.npz: not the weights of Tiny, which are 6"):
        Tiny().load(tmp_path / "cdae.npz")
    doubled = {name: array.astype(np.float64) for name, array in weights.draw(SHAPES, 0).items()}
    weights.write(tmp_path / "double.npz", doubled)
    with pytest.raises(DenobenchError, match="not all finite float32 or float16"):
        weights.read(tmp_path / "double.npz", SHAPES, "CDAE")


def test_an_archive_that_unpacks_to_more_is_not_unpacked(tmp_path):
    """A small file with the right names that stands for far more than the weights is refused."""
    path = tmp_path / "weights.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(10**8))
        archive.writestr("b.npy", b"")
    assert path.stat().st_size < 10**6
    with pytest.raises(DenobenchError, match="not the weights of Net"):
        weights.read(path, {"a": (3, 3), "b": (3,)}, "Net")
