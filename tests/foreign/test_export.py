"""A trained network goes out as a file, and comes back as a method with the same answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from denobench import methods, models
from denobench.datasets import simulated
from denobench.errors import DenobenchError
from denobench.foreign import method_of

pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")

READING = {
    "layout": "nhwc", "channels": 3, "range": "0..1", "answer": "image", "sigma": "none",
    "multiple": 8,
}  # fmt: skip


@pytest.fixture(scope="module")
def shipped() -> models.Model:
    """Return the CDAE's weights that come with the package."""
    return next(each for each in models.models() if each.shipped and each.record.method == "cdae")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["cdae.onnx", "cdae.keras", "cdae.h5", "cdae", "cdae.pt", "cdae.pt2"]
)
def test_exported_network_gives_the_network_s_answers(
    shipped: models.Model, tmp_path: Path, name: str
) -> None:
    """The CDAE in every format, on an image whose sides are no multiples of eight."""
    if ".pt" in name:
        pytest.importorskip("torch")
    models.export(shipped.key[:8], tmp_path / name)
    cdae = methods.build("cdae")
    assert isinstance(cdae, methods.FittedDenoiser)
    cdae.load(shipped.weights)
    rng = np.random.default_rng(0)
    noisy = simulated.generate(0)[0][:101, :90]
    noisy = (noisy + 0.1 * rng.standard_normal(noisy.shape)).astype(np.float32)
    reading = READING | ({"layout": "nchw"} if ".pt" in name else {})
    answer = method_of(tmp_path / name, reading).denoise(noisy, None)
    np.testing.assert_allclose(answer, cdae.denoise(noisy, None), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unet.keras", "unet.h5"])
def test_exported_network_has_no_layers_of_ours(tmp_path: Path, name: str) -> None:
    """The U-Net, which rearranges pixels by layers of its own, goes out in Keras' alone."""
    unet = methods.build("unet")
    assert isinstance(unet, methods.FittedDenoiser)
    model = models.ready(unet)
    assert model is not None
    unet.load(model.weights)
    models.export(model.key[:8], tmp_path / name)
    noisy = np.random.default_rng(0).normal(0.5, 0.2, (40, 51)).astype(np.float32)
    reading = READING | {"channels": 1, "sigma": "channel"}
    answer = method_of(tmp_path / name, reading).denoise(noisy, 0.1)
    np.testing.assert_allclose(answer, unet.denoise(noisy, 0.1), atol=1e-4)


def test_unknown_suffix_copies_weights_and_a_wrong_key_is_named(
    shipped: models.Model, tmp_path: Path
) -> None:
    """As before: .npz is the file of weights itself."""
    models.export(shipped.key[:8], tmp_path / "w.npz")
    assert (tmp_path / "w.npz").read_bytes() == shipped.weights.read_bytes()
    with pytest.raises(DenobenchError, match="Unknown key"):
        models.export("zzzz", tmp_path / "w.onnx")
