"""Critical-difference diagrams: methods by mean rank, those that cannot be told apart joined."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from denobench.files import safe_name
from denobench.report.data.pairs import ALPHA
from denobench.report.data.summary import TRACKS, Summary
from denobench.report.figures.style import DPI, WIDTH, Picture, labels, looks
from denobench.report.text.captions import count, noun_of, p_text
from denobench.statistics import Ranking, rank


def draw_ranks(summary: Summary) -> Iterator[Picture]:
    """Yield a diagram per noise model and track with three methods or more to rank."""
    metric = summary.leading
    if metric is None:
        return
    for noise in summary.noises:
        tables = [
            table
            for (name, _, score), table in summary.means.items()
            if (name, score) == (noise, metric.name)
        ]
        for track in TRACKS:
            ids = {e.id for e in summary.shown(noise) if e.track == track and not e.identity}
            averaged = _averaged([table[[e for e in table if e in ids]] for table in tables])
            if averaged.shape[1] < 3 or len(averaged) < 2:
                continue
            found = rank(averaged, higher_is_better=metric.higher_is_better)
            yield Picture(
                safe_name("ranks", noise, track),
                f"Mean ranks in {metric.title}, {summary.noises[noise]} noise, {track} track",
                f"1 is the best, over {count(found.clusters, noun_of(summary.manifest))}, levels "
                "averaged. A bar joins methods that Nemenyi's test cannot tell apart at 5 %: mean "
                "ranks less than "
                f"{found.critical_difference:.2f} apart. Friedman's test that all rank alike: "
                f"{p_text(found.p)}.",
                partial(_diagram, summary, found),
                noise,
            )


def _diagram(summary: Summary, found: Ranking) -> Figure:
    """Draw mean ranks on a line, and bars over those that no test tells apart."""
    from scikit_posthocs import critical_difference_diagram  # takes a second to import

    names = labels(summary)
    figure = Figure(figsize=(WIDTH, 0.9 + 0.13 * len(found.means)), dpi=DPI)
    figure.set_layout_engine("constrained")
    critical_difference_diagram(
        found.means.rename(names),
        found.p_values.rename(index=names, columns=names),
        alpha=ALPHA,
        ax=figure.subplots(),
        label_fmt_left="{label}  {rank:.2f}\u00a0",
        label_fmt_right="\u00a0{rank:.2f}  {label}",
        color_palette={names[name]: look.colour for name, look in looks(summary).items()},
        crossbar_props={"color": "#333333", "linewidth": 2.5},
    )
    return figure


def _averaged(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Average the levels' cluster means of the methods that were compared at every level."""
    if not tables:
        return pd.DataFrame()
    shared = [name for name in tables[0] if all(name in table for table in tables)]
    stacked = pd.concat([table[shared] for table in tables], keys=range(len(tables)))
    clusters = stacked.groupby(level="cluster")
    return clusters.mean()[clusters.size() == len(tables)].dropna()
