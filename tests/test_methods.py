"""The contract of methods, and plugin files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.restoration import denoise_nl_means

from denobench import conformance, methods, noise, stabilisation
from denobench.errors import DenobenchError
from denobench.metrics import psnr
from denobench.registry import load_plugins

PLUGIN = """
from denobench import denoiser

@denoiser("half", title="Half")
def half(noisy, sigma, *, factor=0.5):
    return noisy * factor
"""


def test_function_with_parameters_becomes_a_method(tmp_path: Path) -> None:
    """A decorated function in a file is found by name, with its defaults and given parameters."""
    (tmp_path / "half.py").write_text(PLUGIN)
    image = np.ones((8, 8), np.float32)
    with load_plugins([tmp_path / "half.py"]):
        half, quarter = methods.build("half"), methods.build("half", {"factor": 0.25})
        assert methods.parameters(methods.load("half")) == {"factor": 0.5}
    np.testing.assert_allclose(half.denoise(image, 0.1), 0.5)
    np.testing.assert_allclose(quarter.denoise(image, 0.1), 0.25)


def test_unknown_parameter_gets_a_suggestion() -> None:
    """A misspelt parameter is answered with the closest."""
    with pytest.raises(DenobenchError, match="Did you mean 'weight'"):
        methods.build("tv", {"wieght": 1})


def test_unknown_track_is_refused() -> None:
    """A method cannot declare a track that does not exist."""
    with pytest.raises(DenobenchError, match="Did you mean 'blind'"):
        methods.Info("x", "x", tracks=("blinb",))


def test_stabilised_method_is_the_inner_one_between_both_transforms() -> None:
    """``vst(nlm)`` is forward transform, NLM with its parameters, unbiased inverse."""
    fields = noise.draw_fields((2, 48, 48), seed=0, image="x", realisation=0)
    image = np.kron([[0.1, 0.7], [0.4, 0.0]], np.ones((24, 24))).astype(np.float32)
    noisy = noise.corrupt(image, noise.rician, 0.1, fields)
    assert methods.parameters(methods.load("vst(nlm)")) == methods.parameters(methods.load("nlm"))
    top = float(stabilisation.forward(np.ones(1), 0.1)[0])
    values = (stabilisation.forward(noisy, 0.1) / top).astype(np.float32)
    inner = denoise_nl_means(values, 5, 8, h=0.5 / top, sigma=1 / top)
    expected = stabilisation.inverse(top * inner.astype(float), 0.1)
    answer = methods.build("vst(nlm)", {"h": 0.5}).denoise(noisy, 0.1)
    np.testing.assert_allclose(answer, expected, atol=1e-6)
    plain = methods.build("nlm", {"h": 0.5}).denoise(noisy, 0.1)
    assert psnr(image, np.clip(answer, 0, 1)) > psnr(image, np.clip(plain, 0, 1)) + 3


@pytest.mark.parametrize("name", ["vst(nlm)", "vst(tv)"])
def test_stabilised_method_keeps_to_the_contract(name: str) -> None:
    """The conformance suite finds no fault, also at sizes and values of all kinds."""
    assert [finding for finding in conformance.check(name) if finding.fault] == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vst(nlmm)", "Unknown method 'nlmm'. Did you mean 'nlm'"),
        ("vst(median)", "made for Gaussian noise"),
        ("vst(vst(tv))", "made for Gaussian noise"),
        ("vts(tv)", "Unknown method 'vts"),
    ],
)
def test_wrong_inner_method_is_named(name: str, message: str) -> None:
    """What cannot be stabilised is refused, an unknown inner method with the closest one."""
    with pytest.raises(DenobenchError) as caught:
        methods.load(name)
    assert message in str(caught.value)


def test_unknown_inner_parameter_gets_a_suggestion() -> None:
    """The parameters are the inner method's."""
    with pytest.raises(DenobenchError, match="Did you mean 'weight'"):
        methods.build("vst(tv)", {"wieght": 1})
