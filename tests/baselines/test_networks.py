"""Networks as rivals: their layers and parameters, what penalises them, how they begin."""

from __future__ import annotations

from collections import Counter
from math import prod
from pathlib import Path

import numpy as np
import pytest

from denobench import methods
from denobench.errors import DenobenchError
from denobench.networks import NetworkDenoiser

NAMES = ["unet", "dncnn", "cae", "sparse-dae", "contractive-dae", "vae", "r2unet"]


def convolution(inputs: int, filters: int, side: int = 3, bias: bool = True) -> int:
    return side**2 * inputs * filters + bias * filters


def recurrent_block(inputs: int, width: int) -> int:
    # Two convolutions, each used three times with the same weights and a normalisation each time.
    used = convolution(width, width, bias=False) + 3 * 4 * width
    return convolution(inputs, width, 1) + 2 * used


def unet(fine: int, middle: int, coarse: int) -> int:
    return (
        convolution(8, fine)
        + 8 * convolution(fine, fine)
        + 8 * convolution(middle, middle)
        + 4 * convolution(coarse, coarse)
        + convolution(fine, middle, 2)
        + convolution(middle, coarse, 2)
        + convolution(coarse, middle, 2)
        + convolution(middle, fine, 2)
        + convolution(fine, 4)
    )


CAE = convolution(1, 32) + convolution(32, 64) + convolution(64, 32) + convolution(32, 1)
PARAMETERS = {
    "cae": CAE,
    "sparse-dae": CAE,
    "contractive-dae": CAE,
    "vae": CAE + convolution(64, 2 * 16) + convolution(16, 64),
    "dncnn": convolution(1, 64)
    + 15 * (convolution(64, 64, bias=False) + 4 * 64)
    + convolution(64, 1),
    "r2unet": sum(recurrent_block(*each) for each in ((1, 16), (16, 32), (32, 64), (64, 128)))
    + sum(
        convolution(2 * width, width, bias=False) + 4 * width + recurrent_block(2 * width, width)
        for width in (64, 32, 16)
    )
    + convolution(16, 1, 1),
    "unet": unet(40, 80, 128),
}


def built(name: str, **parameters: object) -> NetworkDenoiser:
    method = methods.build(name, parameters)
    assert isinstance(method, NetworkDenoiser)
    return method


@pytest.fixture(scope="module")
def networks():
    """Return every network, built for images of any size."""
    return {name: built(name).build((None, None, 2 if name == "unet" else 1)) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_parameters(networks, name: str) -> None:
    """A network has as many parameters as its layers, counted by hand, and no more."""
    assert networks[name].count_params() == PARAMETERS[name]
    assert sum(prod(shape) for shape in built(name).shapes().values()) == PARAMETERS[name]


def test_layers_of_the_autoencoder(networks) -> None:
    """Two convolutions encode, two decode, with a pooling and an up-sampling each."""
    kinds = [type(layer).__name__ for layer in networks["cae"].layers[1:]]
    assert kinds == ["Conv2D", "MaxPooling2D"] * 2 + ["UpSampling2D", "Conv2D"] * 2
    assert networks["cae"].layers[-1].activation.__name__ == "sigmoid"


def test_layers_of_the_variational_autoencoder(networks) -> None:
    """The autoencoder's layers around a code of means, from which a convolution decodes."""
    kinds = [type(layer).__name__ for layer in networks["vae"].layers[1:]]
    encoder, code, decoder = kinds[:4], kinds[4:7], kinds[7:]
    assert encoder == ["Conv2D", "MaxPooling2D"] * 2
    assert code == ["Conv2D", "FirstChannels", "Conv2D"]
    assert decoder == ["UpSampling2D", "Conv2D"] * 2
    moments, mean = networks["vae"].layers[5:7]
    assert (moments.filters, mean.count) == (32, 16)
    # As many values as pixels: 16 channels at a quarter of the sides.
    assert mean.output.shape[-1] == 4**2


def test_layers_of_unet(networks) -> None:
    """Ten residual blocks at three scales without normalisation, two halvings, two doublings."""
    layers = networks["unet"].layers
    kinds = Counter(type(layer).__name__ for layer in layers)
    assert kinds["Conv2D"] == 1 + 2 * 10 + 2 + 1
    assert kinds["Conv2DTranspose"] == 2
    assert kinds["Add"] == 10 + 2
    assert kinds["Unshuffle"] == kinds["Shuffle"] == kinds["Subtract"] == 1
    assert not any("Normalization" in kind for kind in kinds)
    filters = [layer.filters for layer in layers if "Conv2D" in type(layer).__name__]
    assert Counter(filters) == {40: 1 + 8 + 1, 80: 8 + 1 + 1, 128: 4 + 1, 4: 1}
    steps = [layer for layer in layers if getattr(layer, "strides", (1, 1)) == (2, 2)]
    assert [layer.kernel_size for layer in steps] == [(2, 2)] * 4


def test_layers_of_dncnn(networks) -> None:
    """Of 17 convolutions all but the first and the last are normalised; the noise is subtracted."""
    kinds = Counter(type(layer).__name__ for layer in networks["dncnn"].layers)
    assert kinds["Conv2D"] == 17
    assert kinds["BatchNormalization"] == 15
    assert kinds["ReLU"] == 16
    assert type(networks["dncnn"].layers[-1]).__name__ == "Subtract"


def test_layers_of_r2unet(networks) -> None:
    """Seven blocks of two convolutions that are used three times each; three poolings."""
    layers = networks["r2unet"].layers
    kinds = Counter(type(layer).__name__ for layer in layers)
    assert kinds["MaxPooling2D"] == kinds["UpSampling2D"] == kinds["Concatenate"] == 3
    uses = Counter(len(layer._inbound_nodes) for layer in layers if "Conv" in type(layer).__name__)
    assert uses == {3: 14, 1: 7 + 3 + 1}
    assert kinds["BatchNormalization"] == 3 * 14 + 3


def test_unet_begins_with_what_it_is_given(networks) -> None:
    """Before training the U-Net's answer is the noisy image, at any sides it can take."""
    method = built("unet")
    weights = method.initial_weights(0)
    networks["unet"].set_weights([*weights.values()])
    noisy = np.random.default_rng(0).normal(0.5, 0.2, (24, 40)).astype(np.float32)
    answer = np.asarray(networks["unet"](method.encode(noisy, 0.1)[np.newaxis]))
    np.testing.assert_allclose(answer[0, ..., 0], noisy, atol=1e-6)
    assert any(np.ptp(array) > 0 for array in weights.values())


@pytest.mark.parametrize("widths", [[64, 96, 128], (8, 8, 8), [1, 2, 3]])
def test_unet_of_other_widths(widths: list[int], tmp_path: Path) -> None:
    """It has as many channels as it is given, a key of its own, and files that any U-Net reads."""
    method = built("unet", widths=widths)
    assert sum(prod(shape) for shape in method.shapes().values()) == unet(*widths)
    assert method.recipe() == {**built("unet").recipe(), "widths": [*widths]}
    method._weights = method.initial_weights(0)
    method.save(tmp_path / "weights.npz")
    usual = built("unet")
    usual.load(tmp_path / "weights.npz")
    noisy = np.random.default_rng(0).normal(0.5, 0.2, (24, 40)).astype(np.float32)
    np.testing.assert_array_equal(usual.denoise(noisy, 0.1), method.denoise(noisy, 0.1))


def test_ensemble_of_unet() -> None:
    """The answers to the flipped and turned image are averaged; weights and key stay the same."""
    rng = np.random.default_rng(0)
    single, pair, whole = (built("unet", widths=[2, 3, 4], ensemble=n) for n in (1, 2, 8))
    weights = {
        name: rng.normal(0, 0.2, shape).astype(np.float32)
        for name, shape in single.shapes().items()
    }
    for method in (single, pair, whole):
        assert method.recipe() == single.recipe()
        method._weights = weights
    noisy = rng.random((40, 24), np.float32)
    answer = single.denoise(noisy, 0.1)
    assert np.abs(whole.denoise(noisy, 0.1) - answer).max() > 1e-3
    quarter = np.rot90(single.denoise(np.rot90(noisy), 0.1), -1)
    np.testing.assert_allclose(pair.denoise(noisy, 0.1), (answer + quarter) / 2, atol=1e-6)
    # The mean over all ways knows no direction: it turns and flips with the image.
    for move in (np.flipud, np.fliplr, np.rot90, np.transpose):
        np.testing.assert_allclose(
            whole.denoise(move(noisy), 0.1), move(whole.denoise(noisy, 0.1)), atol=1e-6
        )


@pytest.mark.parametrize("ensemble", [0, 9, -1, 1.5, True, "all"])
def test_ensembles_that_are_none_are_refused(ensemble: object) -> None:
    """A number of ways that there are not is an error that says which there are."""
    with pytest.raises(DenobenchError, match=r"ensemble.*(1 to 8|must be a whole number)"):
        built("unet", ensemble=ensemble)


def test_unet_of_the_usual_widths_keeps_its_key() -> None:
    """Named or not, the usual widths are found by the key that weights had before them."""
    named = built("unet", widths=[40, 80, 128])
    assert named.recipe() == built("unet").recipe()
    assert "widths" not in named.recipe()


@pytest.mark.parametrize("widths", [[40, 80], [40, 80, 0], [40, 80, 1.5], [True, 2, 3], "abc", 40])
def test_widths_that_are_none_are_refused(widths: object) -> None:
    """Too few, none, parts of one, no numbers: one error with what would be right."""
    with pytest.raises(DenobenchError, match=r"widths.* whole number|must be a list"):
        built("unet", widths=widths)


def test_unet_and_its_blind_twin() -> None:
    """The twin is told nothing of sigma, and each has a key of its own."""
    assert built("unet").channels == 2
    twin = built("unet", training="blind")
    assert twin.channels == 1
    assert twin.recipe() != built("unet").recipe()


@pytest.mark.parametrize("name", ["unet", "vae"])
def test_networks_for_other_programs(name: str) -> None:
    """With Keras' own layers in place of ours, and the same answers."""
    method = methods.build(name)
    assert isinstance(method, NetworkDenoiser)
    rng = np.random.default_rng(0)
    drawn = {
        each: rng.normal(0, 0.1, shape).astype(np.float32)
        for each, shape in method.shapes().items()
    }
    method._weights = drawn
    plain, built = method.trained(), method.build((None, None, method.channels))
    built.set_weights([*drawn.values()])
    assert {type(layer).__module__.partition(".")[0] for layer in plain.layers} == {"keras"}
    images = rng.normal(0.5, 0.2, (2, 16, 24, method.channels)).astype(np.float32)
    np.testing.assert_allclose(plain(images), built(images), atol=1e-4)


def test_rearranged_pixels_are_put_back() -> None:
    """Pixels of 2 x 2 blocks go into channels as in TensorFlow's own layer, and come back."""
    import tensorflow as tf

    from denobench.networks.layers import Shuffle, Unshuffle

    images = np.random.default_rng(0).normal(size=(2, 6, 4, 3)).astype(np.float32)
    there = Unshuffle()(images)
    np.testing.assert_array_equal(there, tf.nn.space_to_depth(images, 2))
    np.testing.assert_array_equal(Shuffle()(there), images)


@pytest.fixture(scope="module")
def image():
    """Return a batch of one small image."""
    return np.random.default_rng(0).uniform(0, 1, (1, 8, 8, 1)).astype(np.float32)


def encoder(network, name: str):
    import keras

    return keras.Model(network.input, network.get_layer(name).output)


def test_penalty_of_activations(image) -> None:
    """The sparse autoencoder's penalty is its weight times the code's mean absolute value."""
    model = built("sparse-dae", sparsity=0.5).build_training((8, 8, 1))
    output = model(image)
    code = np.asarray(encoder(model.network, "code")(image))
    assert float(model.losses[0]) == pytest.approx(0.5 * np.abs(code).mean(), rel=1e-5)
    np.testing.assert_allclose(output, model.network(image), atol=1e-6)


def test_penalty_of_the_jacobian(image) -> None:
    """Averaged over directions the estimated norm is that of the exact Jacobian; along one, J u."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    model = built("contractive-dae", contraction=1.0).build_training((8, 8, 1))
    encode, given = encoder(model.network, "code"), tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(given)
        code = encode(given)
    jacobian = np.asarray(tape.batch_jacobian(code, given), np.float64).reshape(-1, 64)
    directions = np.random.default_rng(2).normal(size=(400, 8, 8, 1)).astype(np.float32)
    model(np.concatenate([np.repeat(image, 400, 0), directions], axis=-1))
    estimate = float(model.losses[0])
    assert estimate == pytest.approx((jacobian**2).sum() / len(jacobian), rel=0.1)
    model(np.concatenate([image, directions[:1]], axis=-1))
    along = jacobian @ directions[0].ravel()
    assert float(model.losses[0]) == pytest.approx((along**2).sum() / len(jacobian), rel=0.02)


def test_divergence_of_the_code(image) -> None:
    """The variational autoencoder's penalty is the divergence from N(0, 1), per pixel."""
    from scipy.stats import norm

    method = built("vae", beta=2.0)
    model = method.build_training((8, 8, 1))
    drawn = np.random.default_rng(3).normal(size=image.shape).astype(np.float32)
    output = np.asarray(model(np.concatenate([image, drawn], axis=-1)))
    moments = np.asarray(encoder(model.network, "moments")(image), np.float64)
    mean, deviation = moments[..., :16], np.exp(moments[..., 16:] / 2)
    # E log q - E log p, from the entropy of q and the second moment of q.
    divergence = -norm(mean, deviation).entropy() + 0.5 * (
        np.log(2 * np.pi) + mean**2 + deviation**2
    )
    assert float(model.losses[0]) == pytest.approx(2 * divergence.sum() / image.size, rel=1e-4)
    assert not np.allclose(output, model.network(image))


@pytest.mark.parametrize(("name", "key"), [("sparse-dae", "sparsity"), ("vae", "beta")])
def test_wrong_weights_of_penalties(name: str, key: str) -> None:
    """A penalty's weight below 0 is refused; the weight is part of what makes the weights."""
    from denobench.errors import DenobenchError

    with pytest.raises(DenobenchError, match=key):
        built(name, **{key: -1.0})
    assert built(name, **{key: 0.5}).recipe() != built(name).recipe()


def test_zero_shot_learns_from_one_image(photograph) -> None:
    """A few steps on a noisy image bring it closer to the clean one, the same way each time."""
    noisy = photograph + np.random.default_rng(0).normal(0, 0.1, photograph.shape)
    noisy = noisy.astype(np.float32)[:47, :50]  # odd sides
    method = methods.build("zs-n2n", {"steps": 60})
    answer = method.denoise(noisy, None)
    clean = photograph[:47, :50]
    assert ((answer - clean) ** 2).mean() < 0.6 * ((noisy - clean) ** 2).mean()
    np.testing.assert_array_equal(answer, method.denoise(noisy, None))


def test_zero_shot_pairs() -> None:
    """The network has its source's parameters; a pair are the means of a block's diagonals."""
    from baselines.networks.zero_shot_model import build, halves

    assert build().count_params() == convolution(1, 48) + convolution(48, 48) + 49 == 21_313
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    first, second = (np.asarray(half)[0, ..., 0] for half in halves(image))
    np.testing.assert_array_equal(first, [[2.5, 4.5], [10.5, 12.5]])
    np.testing.assert_array_equal(second, first)
    image[0, 0, 0] = 8
    assert np.asarray(halves(image)[0])[0, 0, 0, 0] == 6.5
