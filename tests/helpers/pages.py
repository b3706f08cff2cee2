"""A real Chromium, and what a page with the viewer shows in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def started(*options: str) -> Iterator[Any]:
    """Start Chromium, or skip with what is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        words = ["--no-sandbox", "--disable-gpu", *options]
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=words)
        yield chromium
        chromium.close()


def address(page: Any) -> str:
    """Return what the address ends with, once it rests."""
    return page.evaluate("new Promise(go => setTimeout(go, 150)).then(() => location.hash)")


def state(page: Any) -> dict[str, list[str]]:
    """Return what the address says."""
    return parse_qs(address(page).partition("?")[2])


def titles(page: Any) -> list[str]:
    """Return the titles of all tiles."""
    return page.locator(".tile-title bdi").all_text_contents()
