"""Averages, ranks and marks, against plain loops over the rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from denobench.errors import DenobenchError
from denobench.manifest import Manifest
from denobench.report.data.summary import Summary, summarise
from denobench.rows import Row, RunFolder

Derive = Callable[..., RunFolder]


def plain_mean(cells: list[dict[str, Any]], metric: str) -> float:
    """Average realisations, images, clusters with nothing but loops."""
    clusters: dict[str, dict[str, list[float]]] = {}
    for cell in cells:
        clusters.setdefault(cell["cluster"], {}).setdefault(cell["image"], []).append(cell[metric])
    means = [np.mean([np.mean(of) for of in images.values()]) for images in clusters.values()]
    return float(np.mean(means))


def test_means_are_over_the_cells_that_all_compared_methods_completed(
    run: RunFolder, summary: Summary
) -> None:
    """Every mean equals a plain loop over the common cells; a method that fails shrinks them."""
    frame = run.frame()
    shrunk = 0
    for (noise, level), cells in frame.groupby(["noise", "level"]):
        counted = cells[cells["method"] != "broken"]
        failed = counted.loc[counted["status"] != "ok", ["image", "realisation"]]
        shrunk += len(failed) > 0
        without = {*failed.itertuples(index=False, name=None)}
        common = [
            cell
            for cell in cells.to_dict("records")
            if (cell["image"], cell["realisation"]) not in without
        ]
        found = summary.scores
        found = found[(found["noise"] == noise) & (found["level"] == level)]
        for _, line in found[found["compared"]].iterrows():
            method = line["entry"].split("/")[1]
            part = [cell for cell in common if cell["method"] == method]
            assert line["mean"] == pytest.approx(plain_mean(part, line["metric"]), abs=1e-12)
            assert line["n"] == len(part)
            assert line["low"] < line["mean"] < line["high"]
    assert shrunk


def test_a_method_that_fails_throughout_is_shown_but_shrinks_nothing(summary: Summary) -> None:
    """The broken method has no mean, 0 of all cells, and the others keep theirs."""
    scores = summary.scores
    broken = scores[scores["entry"] == "phantoms/broken"]
    assert broken["mean"].isna().all()
    assert (broken["completed"] == 0).all()
    assert not broken["compared"].any()
    assert scores[scores["entry"] == "phantoms/nlm"]["n"].min() >= 11


def test_a_method_below_half_of_the_cells_is_set_apart(derive: Derive) -> None:
    """A method with few cells keeps a mean of its own, is not ranked, and shrinks nobody."""

    def change(row: Row) -> Row:
        rare = row.method == "median" and row.image != "head_00.png"
        return replace(row, status="timeout", error="too slow") if rare else row

    summary = summarise([derive(lambda row: row.method != "fragile", change)], intervals=False)
    scores = summary.scores[summary.scores["metric"] == "psnr"]
    median = scores[scores["entry"] == "derived/median"]
    assert (median["n"] == 2).all()
    assert not median["compared"].any()
    assert (median["rank"] == 0).all()
    assert (scores[scores["entry"] == "derived/nlm"]["n"] == 12).all()


def test_best_and_second_of_a_track_are_ranked(summary: Summary) -> None:
    """Ranks follow the printed means within a track; the identity has none."""
    scores = summary.scores
    track = {entry.id: entry.track for entry in summary.entries}
    assert (scores.loc[scores["entry"] == "phantoms/identity", "rank"] == 0).all()
    checked = 0
    ranked = scores[scores["compared"] & (scores["entry"] != "phantoms/identity")]
    for (_, _, name, _), group in ranked.groupby(
        ["noise", "level", "metric", ranked["entry"].map(track)]
    ):
        metric = summary.metrics[name]
        printed = group["mean"].round(metric.digits)
        best = printed.max() if metric.higher_is_better else printed.min()
        assert ((group["rank"] == 1) == (printed == best)).all()
        rest = printed[printed != best]
        if len(group) > 2 and len(rest):
            second = rest.max() if metric.higher_is_better else rest.min()
            assert ((group["rank"] == 2) == (printed == second)).all()
            checked += 1
        else:
            assert (group["rank"] != 2).all()
    assert checked


def test_equal_printed_values_share_the_mark(derive: Derive) -> None:
    """Two methods that print the same are both best."""

    def change(row: Row) -> Row:
        if row.method == "tv":
            return replace(row, metrics={"psnr": 30.001})
        return replace(row, metrics={"psnr": 30.004}) if row.method == "nlm" else row

    summary = summarise([derive(lambda r: r.method in ("tv", "nlm", "identity"), change)])
    psnr = summary.scores[summary.scores["metric"] == "psnr"]
    assert (psnr.loc[psnr["entry"] != "derived/identity", "rank"] == 1).all()


def test_methods_below_the_identity_are_marked(summary: Summary) -> None:
    """The mark says that the printed mean is worse than the identity's, for either direction."""
    scores = summary.scores.set_index(["noise", "level", "metric", "entry"])
    for place, line in scores[scores["compared"]].iterrows():
        metric = summary.metrics[place[2]]
        nothing = scores.loc[(*place[:3], "phantoms/identity"), "mean"]
        gap = round(line["mean"], metric.digits) - round(nothing, metric.digits)
        assert line["below"] == (gap < 0 if metric.higher_is_better else gap > 0)
    sharpened = summary.scores[summary.scores["entry"] == "phantoms/sharpen"]
    assert sharpened["below"].all()


def test_two_infinite_scores_are_alike(derive: Derive) -> None:
    """Where doing nothing is perfect, as with a noisy image that is the reference, nobody is below.

    And the terminal shows no warning of NumPy's.
    """

    def perfect(row: Row) -> Row:
        return replace(row, metrics={**row.metrics, "psnr": np.inf})

    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = summarise([derive(lambda row: row.method in ("identity", "tv"), perfect)])
    psnr = found.scores[found.scores["metric"] == "psnr"]
    assert np.isinf(psnr["mean"]).all()
    assert not psnr["below"].any()


def test_gains_are_differences_to_the_identity(run: RunFolder, summary: Summary) -> None:
    """An image's gain is its mean PSNR less the identity's, over the same realisations."""
    frame = run.frame()
    wide = frame.pivot_table(
        index=["noise", "level", "image"], columns="method", values="psnr", aggfunc="mean"
    )
    gains = summary.gains[summary.gains["entry"] == "phantoms/nlm"]
    assert len(gains) == 24
    for _, line in gains.iterrows():
        found = wide.loc[(line["noise"], line["level"], line["image"])]
        assert line["gain"] == pytest.approx(found["nlm"] - found["identity"])


def test_methods_keep_the_configs_order_after_the_identity(summary: Summary) -> None:
    """The identity, last in the config, comes first; equal titles are told apart by track."""
    names = [entry.name for entry in summary.entries]
    assert names == ["identity", *list(summary.manifest.methods)[:-1]]
    labels = {entry.name: entry.label for entry in summary.entries}
    assert labels["tv"] == "Total variation (oracle)"
    assert labels["tv-estimated"] == "Total variation (estimated)"
    assert labels["nlm"] == "Non-local means"


def test_failures_are_counted_by_reason(run: RunFolder, summary: Summary) -> None:
    """Every cell that is not ok is counted once; reasons differing in numbers are one."""
    assert summary.failures["cells"].sum() == (run.frame()["status"] != "ok").sum()
    fragile = summary.failures[summary.failures["entry"] == "phantoms/fragile"]
    assert len(fragile) == fragile["noise"].nunique()
    assert fragile["reason"].str.startswith("ValueError: a value of").all()


def test_the_quoted_time_is_the_run_sizes_on_fewest_threads(derive: Derive, run: RunFolder) -> None:
    """Of several timings the one at the run's size and with the fewest threads is quoted."""
    base = run.table("timing").query("method == 'tv'")
    timing = pd.concat(
        [
            base.assign(size="512x512", threads=1, median_ms=900.0),
            base.assign(size="64x64", threads=2, median_ms=5.0),
            base.assign(size="64x64", threads=1, median_ms=7.0),
        ]
    )
    assert summarise([derive(timing=timing)], intervals=False).milliseconds() == {"derived/tv": 7.0}


def test_sparse_manifest_is_enough(derive: Derive, tmp_path: Path) -> None:
    """A manifest with nothing in it still gives titles, directions and a track from the rows."""
    folder = derive(lambda row: row.noise == "rician")
    folder.write_manifest(Manifest())
    summary = summarise([folder], intervals=False)
    assert summary.metrics["psnr"].unit == "dB"
    assert not summary.metrics["nrmse_foreground"].higher_is_better
    assert {entry.track for entry in summary.entries} == {"oracle", "estimated", "blind"}
    assert [entry.name for entry in summary.entries if entry.identity] == ["identity"]


def test_two_runs_tell_shared_methods_apart(derive: Derive) -> None:
    """A method of both runs carries the run's name; equal cells and single methods do not."""
    first = derive(lambda row: row.method in ("identity", "tv", "nlm"), name="first")
    second = derive(
        lambda row: row.method in ("identity", "tv", "median"),
        lambda row: replace(row, key=row.key + "x") if row.method == "tv" else row,
        name="second",
    )
    summary = summarise([first, second], intervals=False)
    labels = [entry.label for entry in summary.entries]
    assert labels == [
        "Identity",
        "Total variation (first)",
        "Non-local means",
        "Total variation (second)",
        "Median",
    ]
    assert (summary.scores.loc[summary.scores["metric"] == "psnr", "n"] == 12).all()


def test_runs_with_other_noise_are_refused(derive: Derive) -> None:
    """Runs whose noise fields differ under the same names cannot stand in one table."""
    first = derive(name="first")
    second = derive(change=lambda row: replace(row, field_digest="other"), name="second")
    with pytest.raises(DenobenchError, match=r"first, second .* same data set, split, size"):
        summarise([first, second])


def test_runs_without_a_common_image_are_refused(derive: Derive) -> None:
    """Runs on different images share nothing to be compared on."""
    first = derive(lambda row: row.image < "head_03.png", name="first")
    second = derive(lambda row: row.image >= "head_03.png", name="second")
    with pytest.raises(DenobenchError, match="cannot stand in one table"):
        summarise([first, second])


def test_run_without_rows_is_one_clear_error(derive: Derive) -> None:
    """A run that has not begun cannot be reported."""
    with pytest.raises(DenobenchError, match="holds no rows yet"):
        summarise([derive(lambda _: False)])


def test_two_rows_of_one_cell_are_refused(derive: Derive) -> None:
    """Rows left by an older plan are not averaged into the newer one's."""
    folder = derive(lambda row: row.method == "tv")
    folder.store.add([replace(row, key="old" + row.key) for row in folder.store.rows()])
    (folder.path / "plan.json").unlink()
    with pytest.raises(DenobenchError, match=r"two rows of method 'tv'.*plan\.json"):
        summarise([folder])
