"""The autoencoder as a method: parameters, keys, files, images of any size."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from denobench import methods
from denobench.autoencoder import CDAE
from denobench.autoencoder.weights import SHAPES
from denobench.errors import DenobenchError
from denobench.methods import TrainingSet
from denobench.networks import weights as weights_module


@pytest.fixture(scope="module")
def method(tmp_path_factory):
    """Return the method with untrained weights loaded from a file."""
    path = tmp_path_factory.mktemp("weights") / "weights.npz"
    weights_module.write(path, weights_module.draw(SHAPES, 0))
    made = CDAE()
    made.load(path)
    return made


def test_found_by_name():
    """The method is found as cdae, and its parameters are the documented ones."""
    made = methods.build("cdae", {"training": "matched", "epochs": 3})
    assert isinstance(made, CDAE)
    assert made.training == "matched"
    assert methods.parameters(CDAE) == {
        "training": "blind",
        "epochs": 200,
        "batch_size": 4,
        "learning_rate": 1e-3,
        "decay": "cosine",
        "keep": "last",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"training": "blnd"}, "Did you mean 'blind'"),
        ({"keep": "first"}, "Valid: best, last"),
        ({"decay": "linear"}, "Valid: cosine, none"),
        ({"epochs": 0}, "epochs of method 'cdae' is 0"),
        ({"batch_size": 1.5}, r"batch_size: must be a whole number \(found 1\.5\)"),
        ({"learning_rate": -1}, "learning_rate of method 'cdae' is -1"),
        ({"learning_rate": float("nan")}, "learning_rate of method 'cdae' is nan"),
    ],
)
def test_wrong_parameters(given, message):
    """A wrong value raises one error that says what would be right."""
    with pytest.raises(DenobenchError, match=message):
        methods.build("cdae", given)


def test_untrained():
    """Without weights it refuses to denoise or to save."""
    with pytest.raises(DenobenchError, match="no weights yet"):
        CDAE().denoise(np.zeros((8, 8), np.float32), None)


@pytest.mark.parametrize("shape", [(64, 64), (61, 50), (9, 8)])
def test_any_size(method, shape):
    """An image of any size gives an answer of its size, the input untouched."""
    noisy = np.random.default_rng(0).normal(0.5, 0.3, shape).astype(np.float32)
    before = noisy.copy()
    answer = method.denoise(noisy, None)
    assert answer.shape == shape
    assert np.isfinite(answer).all()
    assert 0 <= answer.min() <= answer.max() <= 1
    np.testing.assert_array_equal(noisy, before)
    np.testing.assert_array_equal(method.denoise(noisy, 0.1), answer)


def test_answer_is_the_mean_of_the_plain_networks_outputs(method):
    """The same image in three channels of the plain network, averaged, is the answer."""
    from denobench.autoencoder import build_cdae

    noisy = np.random.default_rng(1).normal(0.5, 0.3, (40, 48)).astype(np.float32)
    plain = build_cdae((40, 48, 3))
    plain.set_weights([*weights_module.draw(SHAPES, 0).values()])
    expected = np.asarray(plain(np.stack([noisy] * 3, axis=-1)[np.newaxis]))[0].mean(axis=2)
    np.testing.assert_allclose(method.denoise(noisy, None), expected, atol=1e-5)


def test_weights_key():
    """The key changes with what makes the weights, and only with that."""
    training = TrainingSet((), (), 32, "gaussian", (0.1,), 0)
    key = CDAE().weights_key(training)
    assert key == CDAE(training="matched").weights_key(training)
    for changed in ({"epochs": 2}, {"batch_size": 8}, {"learning_rate": 1e-4}, {"keep": "best"}):
        assert CDAE(**changed).weights_key(training) != key
    assert CDAE().weights_key(TrainingSet((), (), 32, "gaussian", (0.2,), 0)) != key


def test_matched_is_for_one_level(tmp_path):
    """A network per level cannot be fitted to several."""
    training = TrainingSet((), (), 32, "gaussian", (0.1, 0.2), 0)
    with pytest.raises(DenobenchError, match="one level at a time"):
        CDAE(training="matched").fit(training, folder=tmp_path, progress=lambda *_: None)


def test_saved_weights_are_the_loaded_ones(method, tmp_path):
    """What is saved is read back exactly, and saving twice gives the same bytes."""
    method.save(tmp_path / "one.npz")
    again = CDAE()
    again.load(tmp_path / "one.npz")
    again.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert (tmp_path / "one.npz").stat().st_size < 611_523 * 4 + 10_000


class Nasty:
    """What a pickle could do when it is read."""

    def __reduce__(self):
        return (pytest.fail, ("a file's code was executed",))


def test_files_that_are_no_weights(tmp_path):
    """A missing, damaged, foreign or code-carrying file raises one error that names it."""
    with pytest.raises(DenobenchError, match=r"none\.npz: no such file"):
        CDAE().load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("weights")
    with pytest.raises(DenobenchError, match=r"text\.npz: cannot be read as weights"):
        CDAE().load(tmp_path / "text.npz")
    nasty = {"conv_1/kernel": np.array([Nasty()], object)}
    np.savez(tmp_path / "nasty.npz", **(weights_module.draw(SHAPES, 0) | nasty))
    with pytest.raises(DenobenchError, match=r"nasty\.npz: cannot be read as weights"):
        CDAE().load(tmp_path / "nasty.npz")
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(
        DenobenchError,
        match=r"other\.npz: not the weights of CDAE, which are 16 arrays from conv_1/kernel",
    ):
        CDAE().load(tmp_path / "other.npz")
    wrong = weights_module.draw(SHAPES, 0)
    wrong["conv_1/kernel"][0] = np.nan
    weights_module.write(tmp_path / "nan.npz", wrong)
    with pytest.raises(DenobenchError, match=r"nan\.npz: the weights are not all finite"):
        CDAE().load(tmp_path / "nan.npz")


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
            kernel, bias = np.zeros((1, 1, 3, 3), np.float32), np.full(3, 0.25, np.float32)
            return {"layer_1/kernel": kernel, "layer_1/bias": bias}

    np.testing.assert_allclose(Constant().denoise(np.zeros((9, 8)), None), 0.25)
