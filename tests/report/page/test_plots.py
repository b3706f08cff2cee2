"""The page's live plots in a real Chromium: what they show, and what they follow."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from pages import state

from denobench.report import write
from denobench.report.data.summary import Summary
from denobench.rows import RunFolder

Open = Callable[..., Any]


def drawn(page: Any) -> Any:
    """Return the page with its plots drawn."""
    page.locator("#plots").scroll_into_view_if_needed()
    page.wait_for_selector("#plots[data-ready]")
    return page


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG defines it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_plots_are_live(opened: Open, summary: Summary) -> None:
    """Plots show the means, follow what is chosen and hidden, and a click opens an image."""
    page = drawn(opened(fresh=True))

    def traces(place: int) -> dict[str, list[float]]:
        told = page.evaluate(
            "i => document.querySelectorAll('#plots .plot')[i].data.map(t => [t.name, [...t.y]])",
            place,
        )
        return dict(told)

    def gained(method: str) -> list[float]:
        """Return what the plot of every image shows of a method, by the images' names."""
        told = page.evaluate(
            "document.querySelectorAll('#plots .plot')[1].data.flatMap("
            "t => t.x.map((x, i) => [...t.customdata[i], x]))"
        )
        return [x for _, name, x in sorted(told) if name == f"phantoms/{method}"]

    scores = summary.scores.query("entry == 'phantoms/nlm' and noise == 'gaussian'")
    expected = scores[scores["metric"] == "psnr"].sort_values("level")["mean"]
    assert traces(0)["Non-local means"] == pytest.approx([*expected])
    plots = page.locator("#plots")
    plots.locator("select").nth(0).select_option("ssim")
    expected = scores[scores["metric"] == "ssim"].sort_values("level")["mean"]
    assert traces(0)["Non-local means"] == pytest.approx([*expected])
    plots.locator("select").nth(2).select_option("time")
    assert len(traces(0)["Non-local means"]) == 1
    plots.locator("select").nth(0).select_option("psnr")
    plots.locator("select").nth(3).select_option("0.2")
    gains = summary.gains.query("noise == 'gaussian' and level == 0.2")
    for entry, method in (("phantoms/nlm", "nlm"), ("phantoms/sharpen", "sharpen")):
        expected = gains[gains["entry"] == entry].sort_values("image")["gain"]
        assert gained(method) == pytest.approx([*expected])
    plots.locator("select").nth(3).select_option("0.1")
    plots.get_by_label("Logarithmic score").check()
    plots.get_by_label("Logarithmic σ").check()
    page.evaluate(
        "document.querySelectorAll('#plots .plot')[1].emit('plotly_click', {points: "
        "[{customdata: ['head_00.png', 'phantoms/tv']}]})"
    )
    page.wait_for_timeout(200)
    assert state(page)["active"] == ["phantoms/tv"]
    page.locator("#look details.chosen > summary").click()
    page.locator("#look .methods label", has_text="Non-local means").locator("input").uncheck()
    assert "Non-local means" not in traces(0)


def test_plots_are_read_on_a_dark_phone(opened: Open) -> None:
    """Lines have WCAG's contrast of 3 to 1; the legend is whole and covers no title."""
    page = drawn(opened(viewport={"width": 360, "height": 800}, color_scheme="dark"))
    ground, *colours = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, "
        "...[...document.querySelectorAll('#plots .plot')].flatMap("
        "plot => plot.data.map(trace => trace.line.color))]"
    )
    assert len({*colours}) > 6
    for colour in colours:
        assert (luminance(colour) + 0.05) / (luminance(ground) + 0.05) >= 3, colour
    boxes = page.evaluate(
        "['xtitle', 'bg', 'traces'].map(name => [...document.querySelectorAll("
        "name == 'xtitle' ? '#plots .xtitle' : `#plots .legend .${name}`"
        ")].map(each => each.getBoundingClientRect()))"
    )
    titles, (legend,), entries = boxes
    assert titles[0]["bottom"] <= legend["top"] < entries[0]["top"]
    assert len(entries) > 6
    assert entries[-1]["bottom"] <= legend["bottom"]
    assert all(box["left"] >= 0 and box["right"] <= 360 for box in titles)


def test_methods_are_hidden_by_a_link_and_without_pictures(
    opened: Open, derive: Callable[..., RunFolder]
) -> None:
    """An address hides a method in tables, too; where no pictures are, the plots' boxes do."""

    def visible(page: Any) -> bool:
        table = page.locator("table.data").first
        return bool(table.locator("tr", has_text="Non-local means").is_visible())

    assert not visible(opened(end="#view?hidden=phantoms%2Fnlm", fresh=True))
    few = ("identity", "nlm", "tv")
    bare = write([derive(lambda row: row.method in few and row.noise == "rician", share=False)])
    page = opened(bare.page, viewer=False)
    assert visible(page)
    page.locator("#plots details.chosen > summary").click()
    page.locator("#plots .methods label", has_text="Non-local means").locator("input").uncheck()
    assert not visible(page)
