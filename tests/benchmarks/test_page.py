"""The page in a real Chromium: first view, flipping, and what is unpacked when it is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import address, started
from pytest_benchmark.fixture import BenchmarkFixture

import denobench

METHODS = 12
READY = """new MutationObserver((_, watch) => {
    if (!document.querySelector("#viewer[data-ready]")) return;
    watch.disconnect();
    const seen = () => (document.documentElement.dataset.seen = performance.now());
    requestAnimationFrame(() => setTimeout(seen));
}).observe(document, { subtree: true, attributes: true, childList: true });"""
# A key's work, and that of the frame that shows it; not the wait for the screen between the two.
FLIP = """async count => {
    const found = [];
    for (let turn = 0; turn < count; turn++) {
        await new Promise(requestAnimationFrame);
        const key = String(turn % 10);
        const before = performance.now();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        const after = performance.now();
        let ready = 0;
        await new Promise(requestAnimationFrame).then(start => {
            ready = performance.now() - start;
        });
        found.push(after - before + ready);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started("--enable-precise-memory-info") as chromium:
        yield chromium


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of twelve images of 512 x 512."""
    folder, random = tmp_path_factory.mktemp("files"), np.random.default_rng(0)
    clean = np.add.outer(np.linspace(0, 0.5, 512), np.linspace(0, 0.5, 512))
    for number in range(METHODS + 1):
        pixels = clean + 0.02 * number * random.standard_normal(clean.shape)
        np.save(folder / f"{number:02d}.npy", pixels.clip(0, 1).astype(np.float32))
    first, *others = sorted(folder.glob("*.npy"))
    return denobench.view(*others, reference=first, out=folder / "page.html").path


def load(browser: Any, path: Path, end: str = "") -> tuple[Any, float]:
    """Open a page anew; return it, and the milliseconds until its first view."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.add_init_script(READY)
    page.goto(path.as_uri() + end)
    seen = page.wait_for_selector("html[data-seen]", state="attached")
    return page, float(seen.get_attribute("data-seen"))


def told(benchmark: BenchmarkFixture, name: str, values: list[float], unit: str) -> None:
    low, middle, high = np.percentile(values, [25, 50, 75])
    text = f"{middle:.1f} {unit} ({low:.1f} to {high:.1f})"
    benchmark.extra_info[name] = text
    print(f"\n{name}: {text}")


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of ``quick``'s methods on as many images as it shows."""
    folder = tmp_path_factory.mktemp("quick") / "run"
    denobench.run("quick", {"limit": 2, "timing.repeats": 0}, out=folder, progress=False)
    return folder / "report.html"


def test_first_view(browser: Any, quick: Path, benchmark: BenchmarkFixture) -> None:
    """Milliseconds from opening ``quick``'s page to its first view; the aim is under 1000."""
    times: list[float] = []

    def turn() -> None:
        page, first = load(browser, quick)
        times.append(first)
        page.context.close()

    benchmark.pedantic(turn, rounds=7, warmup_rounds=1)
    told(benchmark, "first view", times, "ms")
    print(f"size: {quick.stat().st_size / 1e6:.1f} MB; the aim is at most 15")


@pytest.mark.parametrize(
    ("end", "what"),
    [("#view?layout=1", "one tile"), ("#view?layout=all", "all tiles"),
     ("#view?layout=1&mode=error", "one error map"), ("#view?layout=1&mode=ssim", "one SSIM map")],
)  # fmt: skip
def test_flipping(
    browser: Any, files: Path, benchmark: BenchmarkFixture, end: str, what: str
) -> None:
    """Milliseconds of work per flip among 12 methods at 512 x 512; the aim is under 16."""
    page, _ = load(browser, files, end)
    page.locator(".stage").scroll_into_view_if_needed()
    page.evaluate(FLIP, 4)
    assert "active=" in address(page)  # the keys are heard
    times: list[float] = []
    benchmark.pedantic(lambda: times.extend(page.evaluate(FLIP, 20)), rounds=3)
    told(benchmark, f"flip, {what}", times, "ms")
    page.context.close()


def test_unpacking_when_looked_at(
    browser: Any, tmp_path: Path, benchmark: BenchmarkFixture
) -> None:
    """Of 200 slices only those that are looked at are unpacked: milliseconds each, and memory."""
    random = np.random.default_rng(0)
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", random.integers(0, 200, (200, 128, 128), np.uint8))
    path = denobench.view(tmp_path / "a.npy", tmp_path / "b.npy", out=tmp_path / "p.html").path
    page, first = load(browser, path)
    heap = "performance.memory.usedJSHeapSize / 1e6"
    before = page.evaluate(heap)
    walk = """async () => {
        const root = document.getElementById("viewer");
        const started = performance.now();
        for (let step = 0; step < 60; step++) {
            const ready = root.dataset.ready;
            const key = step < 30 ? "PageDown" : "PageUp";
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            while (root.dataset.ready === ready) await new Promise(go => setTimeout(go));
        }
        return (performance.now() - started) / 60;
    }"""
    page.locator(".stage").scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    times: list[float] = []
    benchmark.pedantic(lambda: times.append(page.evaluate(walk)), rounds=3)
    told(benchmark, "slice", times, "ms")
    after = page.evaluate(heap)
    print(f"first view {first:.0f} ms, heap {before:.0f} MB, after 60 slices {after:.0f} MB")
    page.context.close()
