"""The gallery's figure, with and without a reference."""

from __future__ import annotations

import numpy as np
import pytest

from denobench.report.figures.gallery import _draw


@pytest.mark.parametrize("count", [1, 2, 12])
def test_without_a_reference_nothing_is_called_clean(count: int) -> None:
    """Without one there is no clean image and no error map, but every answer and its residual."""
    rng = np.random.default_rng(0)
    tiles = [(f"T{number}", f"{number} dB", rng.random((24, 20))) for number in range(count)]
    texts = {}
    for name, clean in (("bare", None), ("full", rng.random((24, 20)))):
        figure = _draw(clean, tiles)
        texts[name] = {text.get_text() for text in figure.axes[0].texts}
        texts[name] |= {axes.get_xlabel() for axes in figure.axes}
    named = {f"T{number}" for number in range(count)} | {f"{number} dB" for number in range(count)}
    assert named <= texts["bare"]
    assert not {"Clean", "absolute error"} & texts["bare"]
    assert named | {"Clean", "absolute error", "residual"} <= texts["full"]
    assert ("residual" in texts["bare"]) == (count > 1)
