"""The figure of a task: points of methods and levels, and the ranks of every score of images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from denobench.report.data.summary import summarise
from denobench.report.figures.tasks import draw_tasks
from denobench.rows import RunFolder
from denobench.tasks import outlines

METHODS = {"identity": "noisy", "tv": "tv", "nlm": "nlm"}


def asked(folder: RunFolder) -> pd.DataFrame:
    """Return how a model outlines lesions: the better, the better a method's SSIM is."""
    rows = folder.frame()
    mean = rows.groupby(["method", "level", "image", "cluster"])["ssim"].mean().reset_index()
    told = {"key": "k", "task": "outlining", "model": "m", "regime": "noisy", "noise": "gaussian"}
    return mean.assign(
        **told, method=mean["method"].map(METHODS), fold=1.0, label=1.0,
        score=np.nan, prediction=np.nan, dice=mean["ssim"] / 2, hd95=np.nan, unit="pixels",
        lesions=1, missed=0, small=0, small_missed=0, invented=0,
    ).drop(columns="ssim")  # fmt: skip


@pytest.mark.parametrize("methods", [("identity", "tv", "nlm"), ("identity",)])
def test_every_score_is_ranked(derive: Callable[..., RunFolder], methods: tuple[str, ...]) -> None:
    """Points are the tables' means; a score has scipy's correlation in its row, two points none."""
    levels = (0.05, 0.1, 0.2)[: len(methods) + 1]
    folder = derive(
        lambda row: row.method in methods and row.noise == "gaussian" and row.level in levels
    )
    folder.write_table("tasks", asked(folder))
    summary = summarise([folder], intervals=False)
    (picture,) = draw_tasks(summary)
    assert picture.name == "use-outlining-m-gaussian"
    scores = ["psnr", "ssim", "nrmse"]
    clusters = folder.frame().groupby(["method", "level", "cluster"])[scores].mean()
    means = clusters.groupby(["method", "level"]).mean()
    above, *below = picture.figure.axes
    points = sorted((float(line.get_xdata()[0]), float(line.get_ydata()[0]))
                    for line in above.lines)  # fmt: skip
    np.testing.assert_allclose(points, sorted(zip(means["psnr"], means["ssim"] / 2, strict=True)))
    table = outlines.summarise(asked(folder), seed=0)
    assert sorted(y for _, y in points) == pytest.approx(sorted(table["dice"]))
    if len(methods) < 3:
        assert below == []
        assert "need three points" in picture.caption
        return
    (ranks,) = below
    assert [label.get_text() for label in ranks.get_yticklabels()] == ["PSNR", "SSIM", "NRMSE"]
    marks = [line for line in ranks.lines if line.get_marker() == "o"]
    full = [line for line in marks if line.get_markerfacecolor() != "white"]
    expected = [spearmanr(sign * means[name], means["ssim"]).statistic
                for name, sign in (("psnr", 1), ("ssim", 1), ("nrmse", -1))]  # fmt: skip
    assert [float(line.get_xdata()[0]) for line in full] == pytest.approx(expected)
    assert len(marks) == 6
