"""The page in a real Chromium: every key, numbers against arrays, links, no message, no request."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import address, state, titles
from PIL import Image
from skimage import metrics

from denobench.report import write
from denobench.report.page.pixels import STEPS
from denobench.rows import RunFolder

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def arrays(run: RunFolder) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reference, noisy image and the answer of non-local means."""
    (shown,) = run.manifest().gallery
    kept = run.gallery.observation(shown.observation)
    assert kept is not None
    key = next(r.key for r in run.rows() if r.method == "nlm" and r.image == shown.image
               and (r.noise, r.level, r.realisation) == (shown.noise, shown.level, 0))  # fmt: skip
    answer = run.gallery.answer(shown.observation, key, kept[0].shape)
    assert answer is not None
    return *kept, answer


@pytest.mark.slow
def test_number_keys_flip_methods_in_place(opened: Open) -> None:
    """1 to 9 show methods in one tile, r and n reference and noise for as long as they are held."""
    page = opened()
    every = titles(page)
    assert every[:2] == ["Reference", "Noisy"]
    for _ in range(4):
        if state(page).get("layout") == ["1"]:
            break
        page.keyboard.press("t")
    for number, title in enumerate(every[2:], start=1):
        page.keyboard.press(str(number % 10))
        assert titles(page) == [title]
    page.keyboard.down("r")
    assert titles(page) == ["Reference"]
    page.keyboard.up("r")
    page.keyboard.down("n")
    assert titles(page) == ["Noisy"]
    page.keyboard.up("n")
    assert titles(page) == [every[-1]]
    page.keyboard.press("ArrowLeft")
    assert titles(page) == [every[-2]]


KEYS = {
    "m": ("mode", "error"), "i": ("inverted", "true"), "t": ("layout", "1"),
    "w": ("wipe", "0.5"), "+": ("zoom", "1.25"),
}  # fmt: skip


def test_keys_change_the_view_and_the_address(opened: Open) -> None:
    """A key does what the help says, and the plain address takes it back."""
    page = opened()
    for key, (name, value) in KEYS.items():
        page.keyboard.press(key)
        assert state(page)[name] == [value]
        page.evaluate("location.hash = '#view?'")
        assert name not in state(page)
    page.keyboard.press("?")
    assert page.locator("dialog.help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog.help").is_visible()


def test_values_under_the_pointer_are_the_arrays(
    opened: Open, arrays: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    """Position, reference, noisy and answer with its error are printed to four decimals."""
    clean, noisy, answer = arrays
    page = opened()
    page.locator("details.readouts > summary").click()
    canvas = page.locator(".tile canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for x, y in ((31, 30), (5, 60), (63, 0)):
        page.mouse.move(
            box["x"] + (x + 0.5) / 64 * box["width"], box["y"] + (y + 0.5) / 64 * box["height"]
        )
        page.wait_for_timeout(60)
        assert f"x {x}, y {y}." in page.locator(".where").text_content()
        rows = page.locator("table.readout tbody tr").all()
        found = {
            row.locator("th").text_content(): row.locator("td").all_text_contents() for row in rows
        }
        for title, pixels in (("Reference", clean), ("Noisy", noisy), ("Non-local means", answer)):
            value = float(found[title][0].replace("−", "-"))
            assert value == pytest.approx(pixels[y, x], abs=0.51e-4 + 1 / STEPS)
        error = float(found["Non-local means"][1].replace("−", "-"))
        assert error == pytest.approx(answer[y, x] - clean[y, x], abs=0.51e-4 + 2 / STEPS)


def test_scores_in_the_browser_are_the_rows(
    opened: Open, arrays: tuple[np.ndarray, np.ndarray, np.ndarray], run: RunFolder
) -> None:
    """PSNR and SSIM of the whole image print as the rows do; a region's are scikit-image's."""
    clean, _, answer = arrays
    row = next(r for r in run.rows() if r.method == "nlm" and r.image == "head_00.png"
               and (r.noise, r.level, r.realisation) == ("gaussian", 0.1, 0))  # fmt: skip

    def read(page: Any) -> list[str]:
        page.locator("details.readouts > summary").click()
        cells = page.locator("table.readout tbody tr", has_text="Non-local means").locator("td")
        cells.first.wait_for()
        return cells.all_text_contents()

    found = read(opened())
    assert found[2] == f"{row.metrics['psnr']:.2f}"
    assert found[3] == f"{row.metrics['ssim']:.3f}"
    part = (slice(20, 40), slice(10, 50))
    found = read(opened(end="#view?region=10,20,40,20"))
    expected = metrics.peak_signal_noise_ratio(clean[part], answer[part], data_range=1)
    assert found[2] == f"{expected:.2f}"
    assert float(found[4]) == pytest.approx(answer[part].mean(), abs=1e-4)
    assert float(found[5]) == pytest.approx(answer[part].std(), abs=1e-4)


def test_a_link_restores_the_view(opened: Open) -> None:
    """What is chosen stands in the address, and opening that shows the same again."""
    page = opened()
    for key in ("3", "m", "m", "i", "t", "+"):
        page.keyboard.press(key)
    end, shown = address(page), titles(page)
    again = opened(end=end, fresh=True)
    assert address(again) == end
    assert titles(again) == shown
    wrong = opened(
        end="#view?image=none&level=x&mode=evil&zoom=-3&region=1,2,900,900&active=%3Cb%3E"
    )
    assert titles(wrong)[0] == "Reference"


def test_region_drag_and_window_drag(opened: Open) -> None:
    """A rectangle drawn once is kept for all; dragging otherwise sets level and width."""
    page = opened()
    page.get_by_label("Drag").select_option("region")
    box = page.locator(".tile canvas").nth(2).bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    page.mouse.move(*at(0.25, 0.25))
    page.mouse.down()
    page.mouse.move(*at(0.5, 0.5), steps=4)
    page.mouse.up()
    x, y, width, height = map(int, state(page)["region"][0].split(","))
    assert (x, y) == pytest.approx((16, 16), abs=1)
    assert (width, height) == pytest.approx((16, 16), abs=2)
    page.keyboard.press("z")
    assert float(state(page)["zoom"][0]) > 2
    page.get_by_label("Drag").select_option("window")
    page.mouse.move(*at(0.2, 0.5))
    page.mouse.down()
    page.mouse.move(*at(0.6, 0.5), steps=4)
    page.mouse.up()
    assert float(state(page)["high"][0]) - float(state(page)["low"][0]) > 1


def test_hidden_methods_are_hidden_everywhere(opened: Open) -> None:
    """A method that is switched off leaves tiles and tables."""
    page = opened()
    page.locator("#look details.chosen > summary").click()
    page.locator("#look .methods label", has_text="Non-local means").locator("input").uncheck()
    assert "Non-local means" not in titles(page)
    row = page.locator("table.data").first.locator("tr", has_text="Non-local means")
    assert not row.is_visible()


def test_tables_sort_filter_and_hide(opened: Open) -> None:
    """A head sorts by numbers, the filter keeps rows, a box takes a column away."""
    page = opened(fresh=True)
    table = page.locator("table.data").first
    head = table.locator("th[data-sort='1']")
    head.focus()
    page.keyboard.press("Enter")
    blind = table.locator("tbody").last.locator("tr:not(.track) td:nth-child(2) .cell")
    values = [float(text) for text in blind.all_text_contents() if text != "–"]
    assert values == sorted(values)
    tools = page.locator("details.tools").first
    tools.locator("summary").click()
    tools.get_by_label("Filter rows").fill("non-local")
    assert table.locator("tbody tr:not(.track):visible").count() == 1
    tools.locator("label").first.locator("input").uncheck()
    assert not head.is_visible()


def test_tables_are_copied_in_three_forms(opened: Open) -> None:
    """Markdown, LaTeX and CSV hold the cells, escaped as each needs."""
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    tools = page.locator("details.tools").first
    tools.locator("summary").click()
    for kind, part in (
        ("Markdown", r"| Sharpening \& more\_noise |"),
        ("LaTeX", r"Sharpening \& more\_noise & "),
        ("CSV", "Sharpening & more_noise,"),
    ):
        tools.get_by_role("button", name=kind).click()
        page.wait_for_selector("details.tools [role=status]:not(:empty)", state="attached")
        assert part in page.evaluate("navigator.clipboard.readText()")


def test_a_view_is_saved_as_a_picture(opened: Open, tmp_path: Path) -> None:
    """The view comes as PNG at twice its size, with captions below it."""
    page = opened(end="#view?layout=1")
    with page.expect_download() as waiting:
        page.keyboard.press("s")
    waiting.value.save_as(tmp_path / "view.png")
    box = page.locator(".tile canvas").first.bounding_box()
    with Image.open(tmp_path / "view.png") as image:
        assert image.width == pytest.approx(2 * box["width"], abs=4)
        assert image.height > 2 * box["height"]


def test_without_scripts_the_document_is_there(opened: Open) -> None:
    """Tables and figures need no JavaScript, and no empty viewer is shown."""
    page = opened(java_script_enabled=False)
    assert not page.locator("#look").is_visible()
    assert page.locator("table.data").first.is_visible()
    assert page.locator("figure img").first.is_visible()


@pytest.mark.parametrize("width", [360, 1300])
def test_nothing_is_wider_than_the_screen(opened: Open, width: int) -> None:
    """On a phone and on a desk, light or dark, the page scrolls down alone."""
    page = opened(**({"viewport": {"width": width, "height": 800}} if width < 1300 else {}))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_names_run_nothing(opened: Open, run: RunFolder, tmp_path: Path) -> None:
    """Titles with scripts, tags and marks of direction are text on the page and in the viewer."""
    evil = "</script><img src=x onerror=alert(1)>\u202e$x$"
    told = run.manifest()
    methods = dict(told.methods)
    methods["nlm"] = methods["nlm"].model_copy(update={"title": evil, "licence": evil})
    folder = RunFolder(tmp_path / "evil")
    shutil.copytree(run.path / "gallery", folder.path / "gallery")
    few = ("identity", "nlm")
    rows = (row for row in run.rows() if row.method in few and row.noise == "gaussian")
    folder.store.add(rows)
    folder.write_manifest(told.but(methods=methods, name=evil))
    page = opened(write([folder]).page)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    shown = "</script><img src=x onerror=alert(1)>\\u202e$x$"
    assert shown in titles(page)
    assert page.locator("img[src='x']").count() == 0
    assert json.dumps(page.locator("h1").text_content())


def test_flipping_is_quick(opened: Open) -> None:
    """Flipping asks for no picture twice: what is painted once is kept by its tile."""
    page = opened(end="#view?layout=1")
    before = page.evaluate("performance.getEntriesByType('resource').length")
    for key in "1234512345":
        page.keyboard.press(key)
    assert page.evaluate("performance.getEntriesByType('resource').length") == before


def test_files_are_viewed_without_noise(opened: Open, tmp_path: Path) -> None:
    """A page of volumes has slices to go through, and no tile for a noisy image."""
    import denobench

    rng = np.random.default_rng(0)
    for name in "vw":
        np.save(tmp_path / f"{name}.npy", rng.random((3, 12, 16)).astype(np.float32))
    found = denobench.view(tmp_path / "v.npy", tmp_path / "w.npy", out=tmp_path / "out.html")
    page = opened(found.path)
    assert titles(page) == ["Reference", "v.npy", "w.npy"]
    page.keyboard.press("PageDown")
    page.wait_for_url(lambda url: "slice=3" in url)
    assert page.locator(".what").text_content() == "slice 3 of 3"
    box = page.locator(".tile canvas").first.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.wheel(0, -120)
    page.wait_for_url(lambda url: "slice=1" in url)
    page.get_by_label("Slice").press("ArrowRight")
    page.wait_for_url(lambda url: "slice=2" in url)


def test_a_method_s_worst_image_is_a_click_away(opened: Open) -> None:
    """Worst, best and largest difference go to an image and say what they found."""
    page = opened()
    for name, word in (("Worst image", "worst"), ("Best image", "best"),
                       ("Largest difference", "largest difference")):  # fmt: skip
        page.get_by_role("button", name=name).click()
        assert f"head_00.png: {word} of 1 images in PSNR" in page.locator("#look").text_content()


def cyan(tile: Any) -> int:
    """Count the pixels of a tile that have the outline's colour."""
    shown = np.asarray(Image.open(io.BytesIO(tile.screenshot())).convert("RGB")).astype(int)
    red, green, blue = np.moveaxis(shown, 2, 0)
    return int(((green > red + 60) & (blue > red + 60)).sum())


def test_the_tumour_is_outlined_and_scored(
    opened: Open, arrays: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    """A key draws the outline on all tiles, and scores are taken inside core and rim alone."""
    page = opened()
    tiles = page.locator(".tile canvas").all()
    assert not any(cyan(tile) for tile in (tiles[0], tiles[-1]))
    page.keyboard.press("o")
    page.wait_for_url(lambda url: "outline=true" in url)
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert all(cyan(tile) > 50 for tile in tiles)
    page.locator("details.readouts > summary").click()
    page.get_by_label("Score the tumour").check()
    cells = page.locator("table.readout tbody tr", has_text="Non-local means").locator("td")
    clean, _, answer = (each[30:34, 20:28] for each in arrays)
    found = cells.all_text_contents()
    assert found[2] == f"{metrics.peak_signal_noise_ratio(clean, answer, data_range=1):.2f}"
    assert float(found[4]) == pytest.approx(answer.mean(), abs=1e-4)
    end = address(page)
    assert "outline=true" in end
    assert "inside=true" in end
    assert cyan(opened(end=end).locator(".tile canvas").first) > 50


# Read from a copy: of a canvas that is read again and again a browser complains.
COLOURS = """each => {
    const copy = new OffscreenCanvas(each.width, each.height).getContext("2d");
    copy.drawImage(each, 0, 0);
    return new Set(copy.getImageData(0, 0, each.width, each.height).data).size;
}"""


def test_maps_show_the_image_where_they_would_be_empty(opened: Open) -> None:
    """The reference has no error and the noisy image no residual: they stay to look at."""
    for mode, place in (("error", 0), ("signed", 0), ("ssim", 0), ("residual", 1)):
        page = opened(end=f"#view?mode={mode}")
        canvas = page.locator(".tile canvas").nth(place)
        assert canvas.evaluate(COLOURS) > 20, mode


def test_a_wipe_names_both_sides(opened: Open) -> None:
    """Left and right of the wipe are named, and the slider moves it."""
    page = opened(end="#view?layout=1&other=noisy")
    page.keyboard.press("w")
    assert titles(page)[0].startswith("Noisy | ")
    page.get_by_label("Where the wipe is").press("End")
    assert state(page)["wipe"] == ["1"]


def test_nothing_can_be_sent_from_the_plots(opened: Open) -> None:
    """No button of the plotting library leads elsewhere."""
    page = opened()
    page.locator("#plots").scroll_into_view_if_needed()
    page.wait_for_selector("#plots[data-ready]")
    buttons = page.locator("#plots .modebar-btn")
    named = [each.get_attribute("data-title") for each in buttons.all()]
    assert named
    assert not [name for name in named if "cloud" in name.lower() or "edit" in name]


def test_methods_without_an_answer_are_named(opened: Open) -> None:
    """A method that failed on an image has no tile there, and is named below the others."""
    page = opened()
    assert not [title for title in titles(page) if title.startswith("Broken")]
    assert "Broken" in page.get_by_text("No answer here:").text_content()
