"""Tables: what stands in them, and that GitHub and LaTeX can show them."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import pytest

from denobench.report.data.summary import Summary, summarise
from denobench.report.data.table import Field, Table
from denobench.report.tables.scores import main_tables, make_tables
from denobench.rows import RunFolder

Derive = Callable[..., RunFolder]


def row_of(table: Table, label: str) -> tuple[Field, ...]:
    return next(row for part in table.sections for row in part.rows if row[0].text == label)


def test_every_kind_of_table_is_made(tables: dict[str, Table]) -> None:
    """Scores per noise model, foreground, other metrics, pairs, tuning, runtime and the rest."""
    kinds = [f"{kind}-{noise}" for noise in ("gaussian", "rician")
             for kind in ("quality", "foreground", "nrmse")]  # fmt: skip
    kinds += [f"paired-{m}-{noise}" for noise in ("gaussian", "rician") for m in ("psnr", "ssim")]
    assert [*tables] == [*kinds, "tuning", "timing", "training", "failures"]


def test_rows_fill_their_columns(tables: dict[str, Table]) -> None:
    """No row has more or fewer cells than there are columns."""
    for table in tables.values():
        for part in table.sections:
            assert {len(row) for row in part.rows} == {len(table.columns)}


def test_main_table_prints_the_means(summary: Summary) -> None:
    """A cell shows mean, interval, rank and the mark of its line in the summary."""
    table = main_tables(summary)[0]
    scores = summary.scores.set_index(["entry", "noise", "level", "metric"])
    for entry in summary.entries:
        cells = row_of(table, entry.label)[1:7]
        pairs = [(level, metric) for level in (0.05, 0.1, 0.2) for metric in ("psnr", "ssim")]
        for cell, (level, metric) in zip(cells, pairs, strict=True):
            line = scores.loc[(entry.id, "gaussian", level, metric)]
            digits = 2 if metric == "psnr" else 3
            if np.isnan(line["mean"]):
                assert cell == Field("–")
                continue
            assert cell.text == f"{line['mean']:.{digits}f}"
            assert cell.interval == f"[{line['low']:.{digits}f}, {line['high']:.{digits}f}]"
            assert cell.rank == line["rank"]
            assert ("▼" in cell.marks) == line["below"]


def test_tracks_are_sections_after_the_identity(summary: Summary) -> None:
    """The identity stands alone on top; each track has a section of its own."""
    sections = main_tables(summary)[0].sections
    assert [row[0].text for row in sections[0].rows] == ["Identity"]
    assert [part.title.partition(":")[0] for part in sections[1:]] == [
        "Oracle", "Estimated", "Blind"
    ]  # fmt: skip


def test_incomplete_methods_show_how_many_cells_they_have(summary: Summary) -> None:
    """Where cells failed n reads completed/planned, and the footnote names the common cells."""
    table = main_tables(summary)[0]
    assert row_of(table, "Broken")[-1].text == "0/36"
    assert row_of(table, "Non-local means")[-1].text == "36"
    assert re.fullmatch(r"\d\d/36", row_of(table, "Fragile box filter")[-1].text)
    assert any("cells that all compared methods completed" in note for note in table.notes)


def test_notes_say_what_the_numbers_are(summary: Summary) -> None:
    """Caption and notes name data, seed, interval, SSIM's window and the data set's remark."""
    table = main_tables(summary)[0]
    text = " ".join([table.caption, *table.notes])
    for part in (
        "phantoms: 6 test images in 5 clusters, 64 × 64 pixels, 2 noise realisations each",
        "seed 0",
        "N = 5",
        "clusters are not patients",
        "SSIM: sigma 1.5.",
        "PSNR: data_range 1.0.",
        "One geometric head: it demonstrates the tool and ranks nothing.",
        "Split by cluster",
        "Median: undertrained, 25 epochs.",
        "too narrow",
        "on a processor",
    ):
        assert part in text


def test_tidy_data_is_long(tables: dict[str, Table], summary: Summary) -> None:
    """The CSV has one line per method, level and metric."""
    tidy = tables["quality-gaussian"].tidy
    assert [*tidy.columns[:7]] == ["run", "method", "label", "track", "noise", "level", "metric"]
    assert not tidy.duplicated(["method", "level", "metric"]).any()
    assert len(tidy) == len(summary.entries) * 3 * 2


def test_runtimes_are_printed_with_quartiles(tables: dict[str, Table], run: RunFolder) -> None:
    """The timing table holds the timing pass's numbers, and the reason of a failure."""
    timing = run.table("timing").set_index("method")
    cells = row_of(tables["timing"], "Non-local means")
    assert float(cells[4].text) == pytest.approx(timing.loc["nlm", "median_ms"], rel=0.01)
    assert cells[4].interval.startswith("[")
    assert cells[2].text == "cpu"
    assert row_of(tables["timing"], "Broken")[4].text == "failed"
    assert any("Broken: failed: RuntimeError" in note for note in tables["timing"].notes)


def test_libraries_stand_beside_runtimes(tables: dict[str, Table]) -> None:
    """Every library's version is named once, with the methods that use it unless all do."""
    (note,) = (note for note in tables["timing"].notes if note.startswith("Libraries"))
    everyone, some = note.removeprefix("Libraries: ").rstrip(".").split("; ")
    assert everyone == f"numpy {version('numpy')}"
    assert some.startswith(f"scikit-image {version('scikit-image')} (")
    assert "Non-local means" in some
    assert "Broken" not in some


def test_without_timing_a_dash_and_a_note(derive: Derive) -> None:
    """A run without a timing pass has no times and says so."""
    summary = summarise([derive(lambda row: row.noise == "rician")], intervals=False)
    table = main_tables(summary)[0]
    assert {row[-2].text for part in table.sections for row in part.rows} == {"–"}
    assert "No timing pass was run." in table.notes
    assert "timing" not in [table.name for table in make_tables(summary)]


def test_failures_table_counts_cells(tables: dict[str, Table], run: RunFolder) -> None:
    """The failures table accounts for every cell that did not complete."""
    rows = tables["failures"].sections[0].rows
    assert sum(int(row[4].text) for row in rows) == (run.frame()["status"] != "ok").sum()
    assert any("needs_more 100% of a_library" in row[5].text for row in rows)


def test_settings_of_scores_come_from_the_run(derive: Callable[..., RunFolder]) -> None:
    """A table's notes tell what the manifest says of clipping, windows, masks and references."""
    folder = derive(
        lambda row: row.noise == "rician",
        protocol={"clip": [0, 1], "interpolation": "INTER_AREA", "foreground": "the mask of it"},
        metrics={
            "psnr": {"title": "PSNR", "unit": "dB", "better": "higher", "settings": {"range": 7}},
            "ssim": {"title": "SSIM", "unit": "", "better": "higher", "settings": {"window": 9}},
        },
        dataset={"name": "p", "residual_noise": {"median": 0.01, "max": 0.02, "images": 5}},
    )
    notes = " ".join(main_tables(summarise([folder]))[0].notes)
    assert "clipped to [0, 1]" in notes
    assert "PSNR: range 7. SSIM: window 9." in notes
    assert "Foreground: the mask of it." in notes
    assert "1.00 % of full scale (median; at most 2.00 %), estimated on 5 test images" in notes
    assert "not patients" in notes


def test_volumes_are_told_from_slices(derive: Derive, run: RunFolder) -> None:
    """Where volumes were tested a column says which method is 3-D, and times are per volume."""
    told = run.manifest().record()
    changed = {
        "config": told["config"] | {"unit": "volume"},
        "methods": told["methods"] | {"nlm": told["methods"]["nlm"] | {"dims": 3}},
        "metrics": told["metrics"] | {"psnr": {"title": "PSNR", "unit": "dB", "dims": 3}},
    }
    timing = run.table("timing")
    summary = summarise([derive(timing=timing, **changed)], intervals=False)
    found = {table.name: table for table in make_tables(summary)}
    table = found["quality-gaussian"]
    assert [column.title for column in table.columns][1] == "Dim."
    assert row_of(table, "Non-local means")[1].text == "3-D"
    assert row_of(table, "Median")[1].text == "2-D"
    assert "test volumes" in table.caption
    assert "ms is the median time per volume" in table.caption
    assert "PSNR: over all voxels; SSIM: mean of the slices" in " ".join(table.notes)
    assert found["timing"].caption.startswith("Milliseconds per volume")
    for each in found.values():
        for part in each.sections:
            assert {len(row) for row in part.rows} <= {len(each.columns)}
