"""Take the picture of the page that the README shows.

``python docs/page.py RUN`` opens the report of a run, such as ``results/quick``, in Chromium, and
writes docs/page.png: all methods on the first image, with the tumour's outline.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

OUT = Path(__file__).with_name("page.png")
EDGE = 12  # pixels around the viewer


def main(run: Path) -> None:
    """Write the picture, in few colours."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"{(run / 'report.html').resolve().as_uri()}#view?outline=true")
        page.wait_for_selector("#viewer[data-ready]")
        page.wait_for_timeout(500)
        box = page.locator("#viewer").bounding_box()
        clip = {"x": box["x"] - EDGE, "y": box["y"] - EDGE,
                "width": box["width"] + 2 * EDGE, "height": box["height"] + 2 * EDGE}  # fmt: skip
        taken = Image.open(io.BytesIO(page.screenshot(clip=clip, full_page=True)))
        browser.close()
    taken.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(OUT, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
