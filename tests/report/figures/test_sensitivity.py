"""The figure of a wrong sigma: methods that are told several multiples, and only those."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from denobench.report.data.summary import Summary, summarise
from denobench.report.figures.sensitivity import draw_sensitivity
from denobench.rows import Row, RunFolder

Derive = Callable[..., RunFolder]


def test_a_line_per_method_over_the_multiples(run: RunFolder, derive: Derive) -> None:
    """Entries that are alike but for sigma_factor are one line, at their mean scores."""
    told = {"tv": ("tv", 1.0), "nlm": ("tv", 2.0), "identity": ("identity", 1.0)}
    methods = run.manifest().record()["methods"]

    def keep(row: Row) -> bool:
        return row.method in told and row.noise == "gaussian"

    about = {
        name: {
            **methods[name],
            "method": of,
            "sigma_factor": factor,
            "registered_title": of.upper(),
        }
        for name, (of, factor) in told.items()
    }
    folder = derive(keep, lambda row: replace(row, sigma_factor=told[row.method][1]), methods=about)
    summary = summarise([folder], intervals=False)
    (picture,) = draw_sensitivity(summary)
    assert picture.name == "wrong-sigma-gaussian"
    rows = folder.frame()
    for place in picture.figure.axes:
        level = float(place.get_title().removeprefix("σ = "))
        (line,) = (line for line in place.lines if line.get_marker() == "o")
        means = rows[rows["level"] == level].groupby(["method", "cluster", "image"])["psnr"].mean()
        means = means.groupby(["method", "cluster"]).mean().groupby("method").mean()
        assert list(line.get_xdata()) == [1.0, 2.0]
        np.testing.assert_allclose(line.get_ydata(), means[["tv", "nlm"]])


def test_no_figure_where_nobody_is_told_several(summary: Summary) -> None:
    """Methods that run once, or on two tracks, make no such figure."""
    assert not [*draw_sensitivity(summary)]
