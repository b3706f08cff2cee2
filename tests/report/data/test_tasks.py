"""Ranks of a task's scores against those of images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from denobench.report.data import tasks
from denobench.report.data.entries import Score


class Summary:
    """What a summary says of two methods at two levels, on six images."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.rows = pd.DataFrame(
            [
                {"entry": f"r/{method}", "level": level, "image": f"i{n}",
                 "psnr": 30 - 50 * level + gain + rng.normal()}
                for method, gain in (("noisy", 0), ("tv", 4), ("nlm", 6))
                for level in (0.1, 0.2)
                for n in range(12)
            ]
        )  # fmt: skip

    def shown(self, noise: str) -> list[object]:  # noqa: ARG002
        """Return the entries."""
        return [
            type("E", (), {"id": f"r/{name}", "name": name, "run": "r", "identity": not number})
            for number, name in enumerate(("noisy", "tv", "nlm"))
        ]


def part(summary: Summary) -> tasks.Part:
    """Return rows of a model that answers the better the higher the PSNR."""
    rng = np.random.default_rng(1)
    mean = summary.rows.groupby(["entry", "level"])["psnr"].mean()
    rows = [
        {"regime": "clean", "method": entry.partition("/")[2], "level": level, "image": f"i{n}",
         "cluster": f"c{min(n // 2, 4)}", "label": n // 2 % 2, "dice": np.nan,
         "score": 1 / (1 + np.exp(-(n // 2 % 2 - 0.5) * (psnr - 18) / 8 - rng.normal()))}
        for (entry, level), psnr in mean.items()
        for n in range(12)
    ]  # fmt: skip
    return tasks.Part("r", "t", "m", "gaussian", False, pd.DataFrame(rows), 0)


def use(summary: Any, asked: tasks.Part, regime: str, metric: Score) -> tasks.Use:
    """Return a task's score over a metric."""
    return tasks.use(summary, tasks.answered(summary, asked, regime), metric)


def test_ranks_are_scipys() -> None:
    """Each column of resampled points has scipy's rank correlation, ties among them."""
    rng = np.random.default_rng(0)
    one, two = rng.integers(0, 6, (2, 9, 5)).astype(float)
    expected = [spearmanr(one[:, n], two[:, n]).statistic for n in range(5)]
    np.testing.assert_allclose(tasks._ranked(one, two), expected)


def test_points_and_correlations() -> None:
    """A point has the mean of its clusters' means; the sign turns where lower is better."""
    summary = Summary()
    asked = part(summary)
    score = Score("psnr", "PSNR", "dB", True)
    found = use(summary, asked, "clean", score)
    assert len(found.points) == 6
    own = summary.rows[(summary.rows["entry"] == "r/tv") & (summary.rows["level"] == 0.1)]
    clusters = np.split(own["psnr"].to_numpy(), [2, 4, 6, 8])
    assert found.points["tv", 0.1][0] == pytest.approx(np.mean([each.mean() for each in clusters]))
    expected = spearmanr(*zip(*found.points.values(), strict=True)).statistic
    assert found.overall is not None
    assert found.overall.rho == pytest.approx(expected)
    assert found.overall.low <= found.overall.rho <= found.overall.high
    lower = Score("psnr", "PSNR", "dB", False)
    turned = use(summary, asked, "clean", lower)
    assert turned.overall is not None
    assert turned.overall.rho == pytest.approx(-expected)
    assert use(summary, asked, "noisy", score).overall is None
