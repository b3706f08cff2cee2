"""A real Chromium, and pages opened in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import started

from denobench.report import Report

READY = "#viewer[data-ready]"
Open = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with started() as chromium:
        yield chromium


@pytest.fixture
def opened(browser: Any, report: Report) -> Iterator[Open]:
    """Open the page; any message, error or request in it is a failure."""
    heard: list[str] = []
    contexts = []

    def load(
        path: Path = report.page, end: str = "", *, viewer: bool = True, **options: Any
    ) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1300, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.append(request.url))
        page.goto(f"{path.as_uri()}{end}")
        if viewer and options.get("java_script_enabled", True):
            page.wait_for_selector(READY)
            page.locator("#viewer .stage").scroll_into_view_if_needed()
            page.wait_for_timeout(100)
        return page

    yield load
    for context in contexts:
        context.close()
    assert [text for text in heard if not text.startswith(("file:", "blob:", "data:"))] == []
