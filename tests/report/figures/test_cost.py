"""What networks give for what they cost, as a figure and in the table of trainings."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from denobench.manifest import TrainingRecord
from denobench.report.data.summary import Summary
from denobench.report.figures.cost import draw_cost
from denobench.report.tables.costs import training

COSTS = {
    "median": TrainingRecord(
        parameters=37_569,
        multiplications=10**9,
        seen=4830,
        seconds=60,
        device="Linux, 2 cores",
        epochs=30,
        stated_epochs=30,
    ),
    "tv": TrainingRecord(parameters=1_279_508, multiplications=355 * 10**7, seconds=3600),
}


@pytest.fixture
def trained(summary: Summary) -> Summary:
    """The run, with two methods as if they were networks."""
    entries = tuple(
        replace(entry, details=entry.details.model_copy(update={"training": COSTS[entry.name]}))
        if entry.name in COSTS
        else entry
        for entry in summary.entries
    )
    assert {entry.name for entry in entries} >= {*COSTS}
    return replace(summary, entries=entries)


def test_score_over_each_cost(trained: Summary) -> None:
    """A panel for each cost has a mark for each network that has it, at its mean score."""
    gaussian = next(draw_cost(trained))
    assert gaussian.name == "cost-gaussian"
    panels = gaussian.figure.axes
    marks = [
        [line.get_xdata()[0] for line in panel.lines if line.get_marker() != "None"]
        for panel in panels
    ]
    assert [sorted(each) for each in marks] == [
        [37.569, 1279.508],
        [1.0, 3.55],
        [4.83],
        [1.0, 60.0],
    ]


@pytest.mark.parametrize("spread", [1.0, 1.05, 1.7, 40.0, 300.0, 3e4])
def test_axes_can_be_read(trained: Summary, spread: float) -> None:
    """However near the networks' costs are, an axis has two to five numbers, and none overlap."""
    seconds = {"median": 5000.0, "tv": 5000.0 * spread}
    entries = []
    for entry in trained.entries:
        if entry.details.training:
            told = entry.details.training.model_copy(update={"seconds": seconds[entry.name]})
            details = entry.details.model_copy(update={"training": told})
            entry = replace(entry, details=details)
        entries.append(entry)
    figure = next(draw_cost(replace(trained, entries=tuple(entries)))).figure
    figure.draw_without_rendering()
    for panel in figure.axes:
        low, high = panel.get_xlim()
        boxes = [
            label.get_window_extent()
            for place, label in zip(panel.get_xticks(), panel.get_xticklabels(), strict=True)
            if low <= place <= high and label.get_text()
        ]
        assert 2 <= len(boxes) <= 5
        assert all(one.x1 < two.x0 for one, two in pairwise(boxes))


def test_one_network_is_no_comparison(summary: Summary) -> None:
    """Without two networks whose cost is known there is no figure."""
    assert not [*draw_cost(summary)]


def test_costs_in_the_table_of_trainings(trained: Summary, summary: Summary) -> None:
    """Known costs are columns, in thousands and billions; a run that noted none has none."""
    table = training(trained)
    assert [column.title for column in table.columns][1:4] == [
        "Parameters (10³)",
        "Products (10⁹)",
        "Seen (10³)",
    ]
    texts = {row[0].text: [field.text for field in row[1:4]] for row in table.sections[0].rows}
    assert ["37.6", "1", "4.83"] in texts.values()
    assert ["1280", "3.55", "–"] in texts.values()
    assert "Linux, 2 cores" in table.caption
    assert "as its source states: Median; the others as many as the config gives." in table.caption
    assert "source" not in training(summary).caption
    assert "Parameters (10³)" not in [column.title for column in training(summary).columns]
