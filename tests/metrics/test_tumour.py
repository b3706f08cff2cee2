"""Scores of a tumour, on one whose contrast and noise are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from denobench import config
from denobench.datasets import open_dataset
from denobench.engine.coordinator import carry_out
from denobench.errors import DenobenchError
from denobench.metrics import metric, score, tumour_bias, tumour_cnr
from denobench.progress import Silent

SIDE = 128


def phantom() -> tuple[np.ndarray, np.ndarray]:
    """Return a bright square in its oedema, on grey, and its mask."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[40:80, 40:80] = 3
    mask[48:72, 48:72] = 2
    mask[52:68, 52:68] = 1
    return np.choose(mask, [0.3, 0.5, 0.5, 0.9]).astype(float), mask


@pytest.mark.parametrize("level", [0.02, 0.1])
def test_cnr_is_contrast_over_noise(level: float) -> None:
    """In white noise, CNR is the known contrast over sigma; oedema counts as neither side."""
    image, tumour = phantom()
    noisy = image + level * np.random.default_rng(0).standard_normal(image.shape)
    assert tumour_cnr(image, noisy, tumour=tumour) == pytest.approx(0.2 / level, rel=0.05)
    brighter = np.where(tumour == 3, 0.1, noisy)
    assert tumour_cnr(image, brighter, tumour=tumour) == tumour_cnr(image, noisy, tumour=tumour)
    assert tumour_cnr(image, image, tumour=tumour) == float("inf")


def test_bias_is_the_mean_error_inside() -> None:
    """A tumour that fades by 0.05 has that bias; what changes around it has none."""
    image, tumour = phantom()
    inside = (tumour == 1) | (tumour == 2)
    assert tumour_bias(image, image - 0.05 * inside, tumour=tumour) == pytest.approx(0.05)
    assert tumour_bias(image, image + 0.2 * ~inside, tumour=tumour) == 0


def test_image_without_a_tumour_has_no_score() -> None:
    """Without a mask, or with an empty one, the scores are left out."""
    image, tumour = phantom()
    mask = image > 0
    for none in (None, np.zeros_like(tumour)):
        assert score([tumour_cnr, tumour_bias], image, image + 0.1, mask, tumour=none).values == {}
    found = score([tumour_cnr, tumour_bias], image, image * 0.9, mask, tumour=tumour).values
    assert set(found) == {"tumour-cnr", "tumour-bias"}


def test_unknown_need_is_refused() -> None:
    """A metric that asks for what there is not is answered with the closest."""
    with pytest.raises(DenobenchError, match="Did you mean 'tumour'"):
        metric("x", title="X", needs=("tumor",))


def test_masks_follow_their_images() -> None:
    """A mask is resized as its image is and keeps its labels."""
    item = next(i for i in open_dataset("simulated", None).items if i.label == "yes")
    small = item.mask(112)
    assert small is not None
    assert small.shape == item.read(112).shape
    assert set(np.unique(small)) <= {0, 1, 2, 3}
    whole = item.mask()
    assert whole is not None
    assert (small > 0).mean() == pytest.approx((whole > 0).mean(), rel=0.05)


def test_run_scores_the_tumours_it_knows(tmp_path: Path) -> None:
    """In a run on the simulated set, images with a tumour have its scores and others have none."""
    settings = {
        "limit": 4, "size": 64, "noise": ["gaussian:0.1"], "methods": ["identity", "median"],
        "metrics": ["psnr", "tumour-cnr", "residual-structure"], "timing": {"repeats": 0},
        "gallery": 0,
    }  # fmt: skip
    frame = carry_out(config.parse(settings, "test"), tmp_path / "run", Silent()).folder.frame()
    scored = frame["tumour-cnr"].notna()
    assert (scored == (frame["label"] == "yes")).all()
    assert 0 < scored.sum() < len(frame)
    means = frame.groupby("method")[["residual-structure"]].mean()
    assert means.loc["identity", "residual-structure"] == 0
    assert means.loc["median", "residual-structure"] > 0.05
