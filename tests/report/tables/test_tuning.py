"""The report of tuning: what was chosen, how much it gained, what lies at an edge."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from denobench import records
from denobench.report import Report
from denobench.report.data.summary import Summary, summarise
from denobench.report.figures.tuning import draw_tuning
from denobench.report.tables.scores import main_tables
from denobench.report.tables.tuning import tuning_table
from denobench.rows import RunFolder


def scores(run: RunFolder) -> pd.Series:
    """Return the mean over clusters of each level's weights, computed apart."""
    tried = run.table("tuning")
    tried["weight"] = [json.loads(text)["weight"] for text in tried["settings"]]
    clusters = tried.groupby(["level", "weight", "cluster"])["psnr_foreground"].mean()
    return clusters.groupby(["level", "weight"]).mean()


def test_table_gives_the_chosen_value_and_the_defaults(run: RunFolder, summary: Summary) -> None:
    """Per level: the weight of the highest mean over clusters, its PSNR and the default's."""
    table = tuning_table(summary)
    (section,) = table.sections
    expected = scores(run)
    assert [row[2].text for row in section.rows] == ["0.1", "0.2"]
    for row, level in zip(section.rows, (0.1, 0.2), strict=True):
        best = expected[level].idxmax()
        assert row[0].text == "Total variation (oracle)"
        assert row[3].text == "weight = 0.7"
        assert row[4].text == f"weight = {best}"
        assert row[5].value == pytest.approx(expected[level, 0.7])
        assert row[6].value == pytest.approx(expected[level, best])
        assert row[7].value == pytest.approx(expected[level, best] - expected[level, 0.7])
        assert row[8].text == "4"
        assert row[9].text == ("weight" if best in (0.5, 1.1) else "")
    assert "4 validation images in 3 clusters" in table.notes[0]


def test_curves_are_in_the_tidy_table(run: RunFolder, summary: Summary) -> None:
    """Every trial has its score in the CSV, the defaults' among them."""
    tidy = tuning_table(summary).tidy
    assert len(tidy) == 8
    assert (tidy["trial"] == 0).sum() == (tidy["chosen"]).sum() == 2
    for _, row in tidy.iterrows():
        weight = json.loads(row["settings"])["weight"]
        assert row["score"] == pytest.approx(scores(run)[float(row["levels"]), weight])


def test_figure_has_a_curve_per_level(run: RunFolder, summary: Summary) -> None:
    """A panel per parameter, a curve per level: the loss against the best, over the values."""
    (picture,) = draw_tuning(summary)
    assert picture.name == "tuning-gaussian"
    (place,) = (place for place in picture.figure.axes if place.axison)
    curves = [line for line in place.lines if len(line.get_xdata()) > 1]
    assert len(curves) == 2
    for curve, level in zip(curves, (0.1, 0.2), strict=True):
        expected = scores(run)[level]
        np.testing.assert_allclose(curve.get_xdata(), expected.index)
        np.testing.assert_allclose(curve.get_ydata(), expected - expected.max())


def test_report_says_how_it_was_tuned(run: RunFolder, report: Report, summary: Summary) -> None:
    """Tables' notes, the paragraph and the page tell; the page has table and curves."""
    note = "tuned on validation images alone"
    assert any(note in line for line in main_tables(summary)[0].notes)
    assert note in (report.folder / "text.md").read_text("utf-8")
    page = report.page.read_text("utf-8")
    assert note in page
    assert page.count('id="tuned"') == page.count('id="figure-tuning-gaussian"') == 1
    assert "weight = tuned" in page


def test_optimum_at_an_edge_is_flagged(run: RunFolder, tmp_path: Path) -> None:
    """Under the table of scores stands which method may have its optimum elsewhere."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.store.add(run.store.rows())
    folder.write_plan(row.key for row in run.store.rows())
    folder.write_manifest(run.manifest())
    tried = run.table("tuning")
    tried["psnr_foreground"] = [json.loads(text)["weight"] for text in tried["settings"]]
    records.write(folder.path / "tuning.csv", tried)
    notes = main_tables(summarise([folder], intervals=False))[0].notes
    flagged = (
        "Tuned to an edge of what was tried: Total variation (oracle) (weight, σ = 0.1 and 0.2)."
    )
    assert flagged in notes


def test_without_tuning_there_is_no_table(derive: object, run: RunFolder) -> None:
    """A run that was not tuned says that methods have their defaults, and shows no empty table."""
    folder = derive(config={"split": "cluster"})  # type: ignore[operator]
    found = summarise([folder], intervals=False)
    assert not tuning_table(found).sections[0].rows
    assert not [*draw_tuning(found)]
    assert any("nothing was tuned" in note for note in main_tables(found)[0].notes)
