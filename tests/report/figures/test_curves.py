"""Figures: that they show the numbers, whole and legible, and leave matplotlib alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from denobench.report.data.summary import Summary, summarise
from denobench.report.figures.curves import draw
from denobench.report.figures.files import save
from denobench.report.figures.gallery import draw_gallery
from denobench.report.figures.ranks import draw_ranks
from denobench.report.figures.style import Look, Picture, drawable, labels, looks, pick
from denobench.report.figures.training import draw_training
from denobench.rows import Row, RunFolder

Derive = Callable[..., RunFolder]


@pytest.fixture(scope="module")
def pictures(summary: Summary) -> dict[str, Picture]:
    drawn = (*draw(summary), *draw_training(summary), *draw_gallery(summary))
    return {picture.name: picture for picture in drawn}


@pytest.fixture(scope="module")
def drawn(pictures: dict[str, Picture]) -> dict[str, np.ndarray]:
    """Every figure's pixels; drawn, it has its layout."""
    return {name: pixels(picture.figure) for name, picture in pictures.items()}


def pixels(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def tick_labels(axis: Axis) -> list[Text]:
    """Return the labels of the ticks in view; Matplotlib keeps others that it does not draw."""
    low, high = sorted(axis.get_view_interval())
    margin = 1e-6 * (high - low)
    ticks = [t for t in axis.get_major_ticks() if low - margin <= t.get_loc() <= high + margin]
    return [tick.label1 for tick in ticks if tick.label1.get_text() and tick.label1.get_visible()]


def texts(figure: Figure) -> Iterator[Text]:
    """Yield all text that is drawn."""
    ticks = {tick for axis in figure.findobj(Axis) for tick in axis.findobj(Text)}
    for axis in figure.findobj(Axis):
        yield from tick_labels(axis)
        yield axis.label
    yield from (text for text in figure.findobj(Text) if text not in ticks)


def test_every_figure_is_drawn(pictures: dict[str, Picture]) -> None:
    """Quality, runtime and gain per noise model, a training curve and a gallery."""
    kinds = [f"{kind}-{noise}" for noise in ("gaussian", "rician")
             for kind in ("quality", "runtime", "gain")]  # fmt: skip
    assert [*pictures] == [*kinds, "training-median", "gallery-1"]


def test_figures_are_full_and_nothing_is_cut_off(
    pictures: dict[str, Picture], drawn: dict[str, np.ndarray]
) -> None:
    """Each figure has ink in it, all of its text lies inside, and legends cover no axes."""
    for name, picture in pictures.items():
        assert (drawn[name] < 250).any(axis=2).mean() > 0.01, name
        renderer = FigureCanvasAgg(picture.figure).get_renderer()
        height, width = drawn[name].shape[:2]
        for text in texts(picture.figure):
            if text.get_visible() and text.get_text().strip():
                box = text.get_window_extent(renderer)
                inside = box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1
                assert inside, (name, text.get_text())
        for legend in picture.figure.legends:
            box = legend.get_window_extent(renderer)
            for axes in picture.figure.axes:
                assert not box.overlaps(axes.get_window_extent(renderer)), name


def test_tick_labels_do_not_overlap(
    pictures: dict[str, Picture], drawn: dict[str, np.ndarray]
) -> None:
    """Neighbouring tick labels on an axis keep apart."""
    assert {*drawn} == {*pictures}
    for name, picture in pictures.items():
        renderer = FigureCanvasAgg(picture.figure).get_renderer()
        for axes in picture.figure.axes:
            for axis, low, high in ((axes.xaxis, "x0", "x1"), (axes.yaxis, "y0", "y1")):
                boxes = [text.get_window_extent(renderer) for text in tick_labels(axis)]
                boxes = sorted((getattr(box, low), getattr(box, high)) for box in boxes)
                for (_, end), (start, _) in pairwise(boxes):
                    assert start >= end - 1, name


def test_curves_show_the_means(pictures: dict[str, Picture], summary: Summary) -> None:
    """The line of a method in the quality figure runs through its means."""
    scores = summary.scores.query("entry == 'phantoms/nlm' and noise == 'gaussian'")
    for axes, metric in zip(
        pictures["quality-gaussian"].figure.axes, ("psnr", "ssim"), strict=True
    ):
        expected = scores[scores["metric"] == metric].sort_values("level")["mean"].to_numpy()
        assert any(np.array_equal(line.get_ydata(), expected) for line in axes.lines)


def test_kept_epoch_is_marked(pictures: dict[str, Picture], run: RunFolder) -> None:
    """The training figure marks the epoch that was kept, at its validation PSNR."""
    kept = run.table("training").query("kept")
    right = pictures["training-median"].figure.axes[1]
    marks = [line for line in right.lines if line.get_marker() == "o"]
    assert [line.get_ydata()[0] for line in marks] == kept["val_psnr"].tolist()


def test_a_training_is_drawn_once(summary: Summary) -> None:
    """Two methods with the same weights have one figure, and two with others have two."""
    own = summary.training[summary.training["key"].notna()]
    other = next(entry for entry in summary.entries if entry.id not in {*own["entry"]})
    for key, figures in ((own["key"], 1), ("other weights", 2)):
        again = own.assign(entry=other.id, key=key)
        both = replace(summary, training=pd.concat([own, again], ignore_index=True))
        assert len([*draw_training(both)]) == figures


def test_training_figure_shows_what_a_history_has(summary: Summary) -> None:
    """A history without losses has one panel, and one without any curve has no figure."""

    def panels(*without: str) -> list[int]:
        changed = replace(summary, training=summary.training.drop(columns=[*without]))
        found = [picture for picture in draw_training(changed) if picture.name == "training-median"]
        return [len(picture.figure.axes) for picture in found]

    assert panels() == [2]
    assert panels("loss", "val_loss") == [1]
    assert panels("loss", "val_loss", "val_psnr") == []


def test_gallery_prints_the_first_realisations_scores(
    pictures: dict[str, Picture], run: RunFolder
) -> None:
    """PSNR and SSIM under a picture are the row's of the first realisation."""
    rows = run.frame().query(
        "image == 'head_00.png' and noise == 'gaussian' and level == 0.1 and realisation == 0"
    )
    shown = {text.get_text() for text in texts(pictures["gallery-1"].figure)}
    for _, row in rows[rows["status"] == "ok"].iterrows():
        assert f"{row['psnr']:.2f} / {row['ssim']:.3f}" in shown


def test_looks_are_told_apart_and_stable(summary: Summary) -> None:
    """Up to fourteen methods differ in colour and marker; the identity is grey without one."""
    base = next(entry for entry in summary.entries if not entry.identity)
    many = tuple(replace(base, id=f"run/{number}") for number in range(14))
    found = looks(replace(summary, entries=(summary.entries[0], *many)))
    assert len(set(found.values())) == 15
    assert len({look.marker for look in found.values()}) == 15
    assert found[summary.entries[0].id] == Look("#6b6b6b", "", (2, 2))


def test_matplotlib_is_left_as_it_was(summary: Summary) -> None:
    """Drawing changes no setting and opens no window figure, so that a notebook goes on."""
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    assert next(draw(summary)).figure
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []


HOSTILE = {
    "tv": "from $1 to $2", "nlm": "Soft $$", "median": r"$\frac{1}{0}$ \alpha_1^2 {x}",
    "sharpen": "_hidden", "wavelet": "小波去噪", "fragile": "小波去燥", "broken": "a" * 5000,
    "tv-estimated": "\x1b[31m\n[b]\u202e%s{0}",
}  # fmt: skip


def test_titles_are_drawn_as_written(summary: Summary, tmp_path: Path) -> None:
    """No title is mathematics, a hidden label or a format; each is in the legend and different."""
    entries = tuple(
        replace(entry, label=HOSTILE.get(entry.name, entry.label)) for entry in summary.entries
    )
    hostile = replace(summary, entries=entries)
    names = labels(hostile)
    assert len({*names.values()}) == len(entries)
    assert all(len(line) <= 30 for name in names.values() for line in name.split("\n"))
    every = [*draw(hostile), *draw_ranks(hostile), *draw_training(hostile)]
    drawn = [picture for picture in every if picture.noise != "rician"]  # which are alike
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # of letters that a font lacks
        for picture in drawn:
            save(picture, tmp_path)
    (legend,) = drawn[0].figure.legends
    shown = {text.get_text() for text in legend.get_texts()}
    assert {"from $1 to $2", "Soft $$", "_hidden", "XiaoBoQuZao"} <= shown
    assert all(not text.get_parse_math() for text in legend.get_texts())


def test_letters_that_the_font_lacks_are_transliterated() -> None:
    """Greek, Cyrillic and mathematics are drawn as written; Chinese and emoji in other letters."""
    assert drawable("λ Ж ∞ ½ Łß") == "λ Ж ∞ ½ Łß"
    assert drawable("小波") == "XiaoBo"
    assert drawable("👩\u200d🔬").isascii()


def test_without_identity_there_is_no_gain(derive: Derive) -> None:
    """The gain needs the identity; the other figures do not."""
    folder = derive(lambda row: row.method in ("tv", "nlm") and row.noise == "rician")
    names = [picture.name for picture in draw(summarise([folder]))]
    assert names == ["quality-rician"]


def test_infinite_scores_leave_the_rest(derive: Derive) -> None:
    """A method whose PSNR is infinite is left out of a curve, and the figure is drawn."""

    def change(row: Row) -> Row:
        perfect = {**row.metrics, "psnr": np.inf}
        return replace(row, metrics=perfect) if row.method == "nlm" else row

    folder = derive(lambda row: row.method in ("nlm", "tv", "identity"), change)
    summary = summarise([folder])
    psnr = summary.scores.query("metric == 'psnr' and entry == 'derived/nlm'")
    assert np.isinf(psnr["mean"]).all()
    assert psnr["low"].isna().all()
    assert summary.metrics["psnr"].text(psnr["mean"].iloc[0]) == "∞"
    figure = next(draw(summary)).figure
    assert [sum(len(line.get_xdata()) > 0 for line in axes.lines) for axes in figure.axes] == [2, 3]


def test_pick_keeps_both_ends() -> None:
    """Of many levels a few are shown, the lowest and the highest among them."""
    assert pick([0.1], 3) == [0.1]
    assert pick([1, 2, 3, 4, 5], 3) == [1, 3, 5]
