"""The paragraphs for a paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from denobench.report.data.entries import Score
from denobench.report.data.summary import Summary, summarise
from denobench.report.text.captions import margin, powerless
from denobench.report.text.prose import paragraphs
from denobench.rows import Row, RunFolder
from denobench.statistics import smallest_p

Derive = Callable[..., RunFolder]


def test_the_main_finding_comes_first(summary: Summary) -> None:
    """The first sentence names the best method and its means; then what was done, then limits."""
    gaussian, rician, methods, limits = paragraphs(summary)
    scores = summary.scores.query("metric == 'psnr' and noise == 'gaussian' and rank == 1")
    best = scores[scores["entry"] == "phantoms/nlm"].sort_values("level")
    first = gaussian.partition(" Among")[0]
    assert first.startswith("Under Gaussian noise, among the methods told the true σ, Non-local")
    assert f"{best['mean'].iloc[0]:.2f}" in first
    assert rician.startswith("Under Rician noise, among")
    assert methods.startswith("We compared ")
    assert "5 clusters" in methods
    assert limits.startswith("One geometric head")


def test_numbers_stay_in_the_table(summary: Summary) -> None:
    """A finding holds the few numbers that carry it, and says where the others are."""
    gaussian = paragraphs(summary)[0]
    assert len(re.findall(r"\d+\.\d+", gaussian)) < 40
    assert "quality-gaussian" in gaussian
    assert "paired-psnr-gaussian" in gaussian


def test_too_few_clusters_are_said_with_the_least_p(summary: Summary) -> None:
    """Where no difference could be shown the text says so, and what it follows from."""
    gaussian = paragraphs(summary)[0]
    pairs = summary.paired.query("noise == 'gaussian' and metric == 'psnr'")
    assert pairs["different"].isna().all()
    assert powerless(pairs, "cluster") in gaussian
    assert f"N = 5 clusters and {len(pairs)} comparisons" in gaussian
    assert f"{min(1, len(pairs) / 16):.3f}" in gaussian
    assert "Wilcoxon" not in gaussian
    assert smallest_p(8, 33) == 33 / 128


def test_differences_are_told_by_direction(summary: Summary) -> None:
    """Who is better, who worse and who cannot be told apart, each with levels and range."""
    pairs = summary.paired.copy()
    worse = pairs["entry"] == "phantoms/median"
    pairs["different"] = worse
    pairs.loc[worse, "effect"] = -1.0
    gaussian = paragraphs(replace(summary, paired=pairs))[0]
    assert "Wilcoxon" in gaussian
    assert re.search(r"worse was Median at every level \(by \d+\.\d\d to \d+\.\d\d dB\)", gaussian)
    assert "not told apart from it were" in gaussian
    pairs["different"] = False
    gaussian = paragraphs(replace(summary, paired=pairs))[0]
    assert re.search(
        r"clusters at 5 %, Holm's adjustment for \d+ comparisons\), not told", gaussian
    )


def test_ties_and_infinities_read_right(derive: Derive) -> None:
    """Equal printed means share the lead; a perfect method has ∞, and nan is nowhere."""

    def change(row: Row) -> Row:
        psnr = {"nlm": np.inf, "tv": np.inf, "median": 20.0, "sharpen": 20.0}.get(row.method, 10.0)
        return replace(row, metrics={**row.metrics, "psnr": psnr})

    few = ("nlm", "tv", "median", "sharpen", "identity")
    found = paragraphs(summarise([derive(lambda row: row.method in few, change)]))[0]
    assert (
        "Total variation and Non-local means had the highest mean PSNR at every level (∞ dB, equal"
        in found
    )
    assert "(20.00 dB, equal as printed)" in found
    assert "nan" not in found
    assert "inf" not in found
    score = Score("psnr", "PSNR", "dB", True)
    ranked = pd.DataFrame(
        {"level": [0.1, 0.1, 0.1], "rank": [1, 1, 0], "mean": [np.inf, np.inf, 3]}
    )
    assert margin(ranked, score) == "∞ dB"


def test_nothing_completed_is_told(derive: Derive) -> None:
    """Without any score there is no paragraph; where one noise model has none, it says so."""
    bare = derive(lambda row: row.method == "broken")
    assert paragraphs(summarise([bare])) == []
