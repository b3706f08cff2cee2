"""The page for everybody: axe, the keyboard alone, touch, print, and text of every kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import state, titles
from PIL import Image

import denobench
from denobench.report import Report

Open = Callable[..., Any]

# What a keyboard can reach, as far as it is there: of radio buttons and the like there are none.
FOCUSABLE = "a[href], button, input, select, summary, textarea, [tabindex]"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opened: Open, scheme: str) -> None:
    """Roles, labels and contrast hold with everything open, plots too, in light and dark."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    page = opened(**({"color_scheme": scheme} if scheme == "dark" else {}))
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    page.locator("#plots").scroll_into_view_if_needed()
    page.wait_for_selector("#plots[data-ready]")
    found = axe.Axe().run(page).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical", "moderate")]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious] == []
    page.keyboard.press("?")
    found = axe.Axe().run(page, {"include": ["dialog"]}).response["violations"]
    assert [each["id"] for each in found] == []


def test_the_keyboard_reaches_everything(opened: Open) -> None:
    """Tab goes to every control that can be seen, in the viewer and on the whole page."""
    page = opened(fresh=True)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    count = page.evaluate(
        """words => {
            let count = 0;
            for (const each of document.querySelectorAll(words)) {
                if (each.disabled || each.tabIndex < 0 || !each.checkVisibility()) continue;
                each.dataset.place = count++;
            }
            document.activeElement.blur();
            window.seen = [];
            document.addEventListener("focusin", each => seen.push(each.target.dataset.place));
            return count;
        }""",
        FOCUSABLE,
    )
    assert count > 60
    for _ in range(count + 30):
        page.keyboard.press("Tab")
    assert {str(place) for place in range(count)} <= {*page.evaluate("seen")}


def test_numbers_point_and_draw(opened: Open) -> None:
    """Pointer and region are set without a mouse, and stay in the image."""
    page = opened()
    page.locator("details.readouts > summary").press("Enter")
    page.get_by_label("Pointer x").fill("31")
    page.get_by_label("Pointer y").fill("999")
    assert "Pointer at x 31, y 63." in page.locator(".where").text_content()
    for name, value in zip(("x", "y", "width", "height"), (10, 20, 40, 999), strict=True):
        page.get_by_label(f"Region {name}").fill(str(value))
    assert state(page)["region"] == ["10,20,40,44"]
    page.get_by_role("button", name="Whole image").press("Enter")
    assert "region" not in state(page)


def test_touch_scrolls_and_chooses(opened: Open) -> None:
    """A finger scrolls the page over the tiles, taps a method, and moves a magnified image."""
    page = opened(viewport={"width": 360, "height": 780}, has_touch=True, is_mobile=True)
    canvas = page.locator(".tile canvas").nth(3)
    assert canvas.evaluate("each => getComputedStyle(each).touchAction") == "pan-y"
    canvas.scroll_into_view_if_needed()
    canvas.tap()
    assert state(page)["active"] == ["phantoms/nlm"]
    page.keyboard.press("+")
    assert canvas.evaluate("each => getComputedStyle(each).touchAction") == "none"
    assert not page.locator("details.more").evaluate("each => each.open")


def test_the_page_prints_as_a_document(opened: Open) -> None:
    """On paper there is no viewer and no button, but every table and figure."""
    page = opened()
    page.emulate_media(media="print")
    assert not page.locator("#look").is_visible()
    assert not page.locator("button:visible").count()
    assert page.locator("table.data").first.is_visible()
    assert page.locator("figure img").first.is_visible()
    assert page.evaluate("document.fonts.status") == "loaded"


NAMES = [
    "</script><img src=x onerror=alert(1)>.npy",
    "ערך שלום.npy",
    "$\\sigma$ & `tick` 'quote' \"two\".npy",
    "x" * 200 + ".npy",
    "脳の画像 🧠.npy",
    "reference.npy",
    "constructor.npy",
    *(f"method {number:02d}.npy" for number in range(18)),
]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 25 files of all kinds of names, 16 x 16."""
    folder, rng = tmp_path_factory.mktemp("many"), np.random.default_rng(0)
    for name in NAMES:
        np.save(folder / name.replace("/", "∕"), rng.random((16, 16)).astype(np.float32))
    files = [folder / name.replace("/", "∕") for name in NAMES]
    return denobench.view(*files, out=folder / "out.html").path


@pytest.mark.parametrize("width", [360, 1300])
def test_names_of_all_kinds(opened: Open, many: Path, width: int) -> None:
    """25 methods with markup, other directions and long names: text alone, no wider than it is."""
    page = opened(many, viewport={"width": width, "height": 800})
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    assert len(titles(page)) == 26
    assert titles(page)[1] == NAMES[0].replace("/", "∕")
    page.locator("details.readouts > summary").click()
    page.locator("#look details.chosen > summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("t")
    page.keyboard.press("7")
    assert titles(page) == ["constructor.npy"]
    page.keyboard.press("ArrowRight")
    assert titles(page) == ["method 00.npy"]


@pytest.mark.parametrize("shape", [(768, 1024), (16, 16), (1, 40)])
def test_images_of_all_shapes(opened: Open, tmp_path: Path, shape: tuple[int, int]) -> None:
    """One method, small, large and narrow images: the pixel under the pointer is the image's."""
    pixels = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    page = opened(denobench.view(tmp_path / "a.png", out=tmp_path / "out.html").path)
    assert titles(page) == ["Reference", "a.png"]
    for key in ("t", "m", "m", "m", "m", "m", "w", "z", "i", "h"):
        page.keyboard.press(key)
    page.locator("details.readouts > summary").click()
    y, x = shape[0] - 1, shape[1] - 1
    page.get_by_label("Pointer x").fill(str(x))
    page.get_by_label("Pointer y").fill(str(y))
    shown = page.locator("table.readout tbody td").first.text_content()
    assert float(shown) == pytest.approx(pixels[y, x] / 255, abs=1e-4)


def test_the_page_is_small(report: Report) -> None:
    """Without its pictures a page is a plotting library and text."""
    assert report.page.stat().st_size < 4e6
