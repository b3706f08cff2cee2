"""The contract of methods, and plugin files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from denobench import methods
from denobench.errors import DenobenchError

PLUGIN = """
from denobench import denoiser

@denoiser("half", title="Half")
def half(noisy, sigma, *, factor=0.5):
    return noisy * factor
"""


def test_function_with_parameters_becomes_a_method(tmp_path: Path) -> None:
    """A decorated function in a file is found by name, with its defaults and given parameters."""
    (tmp_path / "half.py").write_text(PLUGIN)
    assert methods.add_plugin(tmp_path / "half.py") == ["half"]
    image = np.ones((8, 8), np.float32)
    np.testing.assert_allclose(methods.build("half").denoise(image, 0.1), 0.5)
    np.testing.assert_allclose(methods.build("half", {"factor": 0.25}).denoise(image, 0.1), 0.25)
    assert methods.parameters(methods.load("half")) == {"factor": 0.5}


def test_unknown_parameter_gets_a_suggestion() -> None:
    """A misspelt parameter is answered with the closest."""
    with pytest.raises(DenobenchError, match="Did you mean 'weight'"):
        methods.build("tv", {"wieght": 1})


def test_file_without_a_method_is_refused(tmp_path: Path) -> None:
    """A plugin file that defines no method says how to define one."""
    (tmp_path / "empty.py").write_text("x = 1")
    with pytest.raises(DenobenchError, match="@denoiser"):
        methods.add_plugin(tmp_path / "empty.py")


def test_unknown_track_is_refused() -> None:
    """A method cannot declare a track that does not exist."""
    with pytest.raises(DenobenchError, match="Did you mean 'blind'"):
        methods.Info("x", "x", tracks=("blinb",))
