"""The paragraph for a paper."""

from __future__ import annotations

from denobench.report.data.summary import Summary
from denobench.report.text.prose import paragraphs


def test_every_mean_of_the_table_is_in_the_text(summary: Summary) -> None:
    """The text holds the means that the main table prints, and says how they were compared."""
    first, gaussian, _ = paragraphs(summary)
    assert "Non-local means" in first
    assert "5 clusters" in first
    assert "Wilcoxon" in gaussian
    scores = summary.scores
    scores = scores[(scores["noise"] == "gaussian") & (scores["metric"] == "psnr")]
    for mean in scores.loc[scores["compared"], "mean"]:
        assert f"{mean:.2f} [" in gaussian
