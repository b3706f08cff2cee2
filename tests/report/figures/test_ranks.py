"""The diagrams of ranks."""

from __future__ import annotations

from denobench.report.data.summary import Summary
from denobench.report.figures.ranks import draw_ranks


def test_a_diagram_per_track_with_three_methods(summary: Summary) -> None:
    """Only tracks with three compared methods are ranked, and each never with another."""
    pictures = [*draw_ranks(summary)]
    names = {picture.name for picture in pictures}
    assert names == {"ranks-gaussian-blind", "ranks-rician-blind"}
    texts = {text.get_text() for text in pictures[0].figure.axes[0].texts}
    assert any("Median" in text for text in texts)
    assert not any("Non-local" in text for text in texts)
    assert "Friedman" in pictures[0].caption
