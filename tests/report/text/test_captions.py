"""What stands under tables: scores that are missing, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from denobench.manifest import ResidualNoise
from denobench.report import _figures, texts
from denobench.report.data.summary import summarise
from denobench.report.tables.scores import main_tables, make_tables
from denobench.report.text import captions
from denobench.report.text.verdict import judge
from denobench.rows import Row, RunFolder

Derive = Callable[..., RunFolder]
WHY = "an image of 8 × 9 pixels is smaller than SSIM's window of 11"


def lose(row: Row) -> Row:
    """Return a row whose image was too small for SSIM."""
    kept = {name: value for name, value in row.metrics.items() if "ssim" not in name}
    return replace(row, metrics=kept, missing={"ssim": WHY} if kept else {})


def test_a_score_that_is_missing_everywhere_keeps_its_column(derive: Derive) -> None:
    """PSNR stays and is ranked, SSIM is a dash, and table and verdict say why."""
    summary = summarise([derive(lambda row: row.method in ("tv", "nlm", "identity"), lose)])
    table = main_tables(summary)[0]
    assert {column.title for column in table.columns} >= {"PSNR", "SSIM"}
    rows = [row for part in table.sections for row in part.rows]
    assert {row[2].text for row in rows} == {"–"}
    assert all(float(row[1].text) > 0 for row in rows)
    assert any(row[1].rank == 1 for row in rows)
    expected = f"SSIM is missing in 144 cells: {WHY}."
    assert expected in table.notes
    assert expected in [line.text for line in judge(summary)]
    assert make_tables(summary)


def test_a_score_that_one_method_lacks_takes_nobody_else_s(derive: Derive) -> None:
    """A metric that fails on one method's answers leaves the others compared in it."""
    summary = summarise(
        [
            derive(
                lambda row: row.method in ("tv", "nlm", "identity"),
                lambda row: lose(row) if row.method == "tv" else row,
            )
        ]
    )
    ssim = summary.scores.query("metric == 'ssim'")
    assert ssim.loc[~ssim["entry"].str.endswith("/tv"), "compared"].all()
    assert not ssim.loc[ssim["entry"].str.endswith("/tv"), "compared"].any()
    psnr = summary.scores.query("metric == 'psnr'")
    assert psnr["compared"].all()


def test_intensities_are_told_by_rule() -> None:
    """The scale's rule, its factors and the largest share that it clips, once per rule."""
    rows = pd.DataFrame(
        {
            "image": ["a", "a", "b", "c", "d"],
            "scale": [*["percentile:99.9"] * 3, "type", ""],
            "scale_low": [0, 0, -3, 0, None],
            "scale_high": [848, 848, 1200.5, 255, None],
            "clipped": [0.001, 0.001, 0.0015, 0.0, None],
        }
    )
    assert captions.intensities(rows) == (
        "scale percentile:99.9: full scale is 848 to 1200.5, at most 0.15 % of values clipped; "
        "scale type: full scale is 255, at most 0 % of values clipped"
    )
    older = rows.drop(columns=["scale_low", "scale_high", "clipped"])
    assert captions.intensities(older) == "scale percentile:99.9; scale type"
    assert captions.intensities(rows.drop(columns="scale")) == ""
    assert captions.intensities(rows[rows["scale"] == ""]) == ""


def test_subjects_are_called_so_everywhere(derive: Derive) -> None:
    """Where the data tell who is who, no table, figure or paragraph speaks of clusters."""
    folder = derive(lambda row: row.method in ("tv", "nlm", "median", "identity"))
    told = folder.manifest().dataset.model_copy(update={"cluster_of": "subjects"})
    folder.write_manifest(folder.manifest().but(dataset=told))
    summary = summarise([folder])
    drawn = [picture for draws in _figures() for picture in draws(summary)]
    found = {name: text for name, text in texts([folder]).items() if not name.endswith(".csv")}
    found |= {picture.name: picture.caption for picture in drawn}
    assert sum("subjects" in text for text in found.values()) > 3
    assert [name for name, text in found.items() if "cluster" in text] == []


def test_measured_noise_is_not_told_as_drawn(derive: Derive) -> None:
    """No seed and no true sigma; and without a reference, none of the references' noise."""

    def measured(row: Row) -> Row:
        track = "estimated" if row.track == "oracle" else row.track
        told = 0.04 + 0.01 * row.realisation if track == "estimated" else None
        return replace(row, noise="measured", track=track, sigma=told, sigma_factor=1.0)

    folder = derive(lambda row: row.noise == "gaussian" and row.level == 0.1, measured)
    told = ResidualNoise(median=0.04, max=0.05, images=6)
    about = folder.manifest().dataset.model_copy(update={"residual_noise": told})
    folder.write_manifest(folder.manifest().but(dataset=about))
    found = texts([folder])["tables/quality-measured.md"]
    assert "2 noisy acquisitions each." in found
    assert "σ was estimated in every noisy image: median 0.045, from 0.04 to 0.05." in found
    assert "The references still have noise of 4.00 %" in found
    alone = {name: each.model_copy(update={"reference": False}) for name, each in
             folder.manifest().metrics.items()}  # fmt: skip
    assert captions.references(folder.manifest().but(metrics=alone)) == ""
