"""Paired differences against scipy, and which method is the reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from denobench.report.data.pairs import paired
from denobench.report.data.summary import Summary, summarise
from denobench.rows import RunFolder


def test_differences_are_scipys(summary: Summary) -> None:
    """Difference and p value are what scipy gives for the means of clusters."""
    assert summary.reference is not None
    assert summary.reference.name == "tv"  # the first method where there is no BM3D
    rows = summary.rows[(summary.rows["noise"] == "gaussian") & (summary.rows["level"] == 0.1)]
    broken = set(rows.loc[rows["status"] != "ok", "image"])
    rows = rows[~rows["image"].isin(broken & set(rows[rows["method"] == "nlm"]["image"]))]
    found = summary.paired
    found = found[(found["noise"] == "gaussian") & (found["level"] == 0.1)]
    found = found[(found["metric"] == "psnr") & found["entry"].str.endswith("/nlm")].iloc[0]
    table = summary.means["gaussian", 0.1, "psnr"]
    differences = table[found["entry"]] - table[summary.reference.id]
    assert found["difference"] == pytest.approx(differences.mean())
    assert found["p"] == pytest.approx(stats.wilcoxon(differences).pvalue)
    assert found["low"] <= found["difference"] <= found["high"]


def test_every_family_is_adjusted_by_itself(summary: Summary) -> None:
    """Adjusted p values never fall below p, and the smallest is p times the family's size."""
    for _, family in summary.paired.groupby(["noise", "metric"]):
        assert (family["p_holm"] >= family["p"]).all()
        least = family.sort_values("p").iloc[0]
        assert least["p_holm"] == pytest.approx(min(1, least["p"] * len(family)))


def test_few_clusters_are_not_judged(summary: Summary) -> None:
    """Where no method could differ after the adjustment, none is called alike."""
    assert summary.paired["different"].isna().all()  # five clusters: p is 0.06 at least


def test_effect_is_positive_where_the_method_is_better(summary: Summary) -> None:
    """For a metric of errors too, a better method has a positive effect."""
    entry, metric = summary.reference, summary.metrics["nrmse"]
    assert entry is not None
    other = next(e for e in summary.entries if e.name == "sharpen")
    table = summary.means["gaussian", 0.2, "nrmse"][[entry.id, other.id]]
    many = table.sample(40, replace=True, random_state=0).reset_index(drop=True)
    found = paired({("gaussian", 0.2, "nrmse"): many}, entry, [metric], 0).iloc[0]
    assert found["difference"] > 0
    assert found["effect"] == -1
    assert found["different"] is True
    assert np.isfinite(found["p_holm"])


def test_the_config_names_the_reference(derive: Callable[..., RunFolder]) -> None:
    """The reference of the config is taken, before any rule."""
    config = {"split": "cluster", "reference": "median"}
    chosen = summarise([derive(config=config)]).reference
    assert chosen is not None
    assert chosen.name == "median"
