"""Muon: orthogonal steps where a kernel is a matrix, Adam's elsewhere, resumed bit for bit."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from tiny import Tiny

from denobench.datasets import open_folder
from denobench.methods import TrainingSet
from denobench.networks.optimisers import Muon, orthogonal

SHAPES = [(72, 8), (8, 72), (360, 40), (64, 64)]


class Deeper(Tiny):
    """With a convolution of eight channels to eight."""

    def build(self, input_shape):
        from keras import layers

        given = keras.Input(input_shape)
        code = layers.Conv2D(8, 4, strides=4, activation="relu")(given)
        code = layers.Conv2D(8, 3, padding="same", activation="relu")(code)
        return keras.Model(given, layers.Conv2DTranspose(1, 4, strides=4)(code))


def published(matrix: np.ndarray) -> np.ndarray:
    """Return five turns of the iteration as Jordan et al. give it, in double precision."""
    turned = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if turned else matrix).astype(float)
    x = x / np.linalg.norm(x)
    for _ in range(5):
        products = x @ x.T
        x = 3.4445 * x + (-4.7750 * products + 2.0315 * products @ products) @ x
    return x.T if turned else x


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spread", [0.0, 3.0])
def test_iteration_is_the_published_one(shape: tuple[int, int], spread: float) -> None:
    """Done on products alone it gives the same, also where some directions are much weaker."""
    rng = np.random.default_rng(0)
    weak = np.exp(-spread * np.arange(shape[1]) / shape[1])
    matrix = (rng.standard_normal(shape) * weak).astype(np.float32)
    found = keras.ops.convert_to_numpy(orthogonal(keras.ops.convert_to_tensor(matrix)))
    np.testing.assert_allclose(found, published(matrix), atol=2e-4)


def test_directions_stay_and_sizes_become_alike() -> None:
    """Singular vectors are those of the matrix, and singular values from 0.6 to 1.25."""
    matrix = np.random.default_rng(0).standard_normal((90, 12)).astype(np.float32)
    found = keras.ops.convert_to_numpy(orthogonal(keras.ops.convert_to_tensor(matrix)))
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    values = left.T @ found @ right.T
    np.testing.assert_allclose(values, np.diag(np.diag(values)), atol=1e-4)
    assert 0.6 < np.diag(values).min() < np.diag(values).max() < 1.25


def test_other_weights_take_steps_of_adam() -> None:
    """A bias and a kernel of few channels move as by Keras' Adam, a wide kernel by a set size."""
    rng = np.random.default_rng(0)
    shapes = [(40,), (3, 3, 2, 40), (3, 3, 40, 4), (3, 3, 8, 40)]
    gradients = [[rng.standard_normal(shape).astype(np.float32) for shape in shapes] for _ in "ab"]
    moved = []
    for optimiser in (keras.optimizers.Adam(0.01), Muon(0.01)):
        variables = [keras.Variable(np.zeros(shape, np.float32)) for shape in shapes]
        for each in gradients:
            optimiser.apply_gradients(
                zip(map(keras.ops.convert_to_tensor, each), variables, strict=True)
            )
        moved.append([keras.ops.convert_to_numpy(each) for each in variables])
    for adam, muon in list(zip(*moved, strict=True))[:3]:
        np.testing.assert_array_equal(adam, muon)
    matrix = moved[1][3].reshape(72, 40)
    assert 0.001 < np.sqrt(np.mean(matrix**2)) < 0.006  # of two steps of 0.2 * 0.01 each


def test_a_stopped_training_goes_on_bit_for_bit(image_folder, tmp_path) -> None:
    """The checkpoint holds all that the optimiser knows."""
    items = open_folder(image_folder).items
    training = TrainingSet(items[:12], items[12:16], 32, "gaussian", (0.05, 0.2), 0)

    class Stopped(BaseException):
        pass

    def fit(name: str, epochs: float) -> None:
        def progress(done: float, *_: object) -> None:
            if done > epochs:
                raise Stopped

        method = Deeper(epochs=4, batch_size=4, optimiser="muon")
        method.fit(training, folder=tmp_path / name, progress=progress)
        method.save(tmp_path / f"{name}.npz")

    fit("undisturbed", 9)
    with pytest.raises(Stopped):
        fit("stopped", 2.4)
    fit("stopped", 9)
    one, two = ((tmp_path / f"{name}.npz").read_bytes() for name in ("undisturbed", "stopped"))
    assert one == two
