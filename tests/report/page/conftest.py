"""A real Chromium, and pages opened in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pages import started

from denobench.report import Report

READY = "#viewer[data-ready]"
PLAIN = "#view?"
Open = Callable[..., Any]

# How a page was before anybody touched it, and how it is made so again: the address holds the rest.
NOTE = "for (const each of document.querySelectorAll('details')) each.dataset.rested = each.open"
REST = """end => {
    for (const each of document.querySelectorAll('dialog')) each.close();
    for (const each of document.querySelectorAll('details'))
        each.open = each.dataset.rested === 'true';
    document.activeElement.blur();
    document.querySelector('#viewer .stage').dispatchEvent(new Event('pointerleave'));
    delete document.querySelector('#viewer').dataset.ready;
    location.hash = '';
    location.hash = end;
}"""


@dataclass
class Opened:
    """Pages of a browser, and all that they said and asked for."""

    browser: Any
    heard: list[str] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)

    def load(self, path: Path, end: str = "", *, viewer: bool = True, **options: Any) -> Any:
        """Open a page, and wait until its viewer, if it has one, shows something."""
        given = {"viewport": {"width": 1300, "height": 900}, **options}
        self.contexts.append(self.browser.new_context(**given))
        page = self.contexts[-1].new_page()
        page.on("console", lambda message: self.heard.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.heard.append(str(error)))
        page.on("request", lambda request: self.heard.append(request.url))
        page.goto(f"{path.as_uri()}{end}")
        if viewer and options.get("java_script_enabled", True):
            look(page)
        return page

    def close(self) -> None:
        """Close all pages."""
        for context in self.contexts:
            context.close()

    def check(self) -> None:
        """Fail if there was a message, an error or a request."""
        heard, self.heard = self.heard, []
        harmless = ("file:", "blob:", "data:")
        assert [text for text in heard if not text.startswith(harmless)] == []


def look(page: Any) -> None:
    """Wait for what the viewer is to show, and look at it."""
    page.wait_for_selector(READY)
    page.locator("#viewer .stage").scroll_into_view_if_needed()
    page.wait_for_timeout(100)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with started() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def lasting(browser: Any, report: Report) -> Iterator[tuple[Opened, Any]]:
    """The report's page, opened once for all tests that the address takes back."""
    pages = Opened(browser)
    page = pages.load(report.page)
    page.evaluate(NOTE)
    yield pages, page
    pages.close()


@pytest.fixture
def opened(browser: Any, report: Report, lasting: tuple[Opened, Any]) -> Iterator[Open]:
    """Open a page; any message, error or request in it is a failure.

    The report's own is the one that tests share, put to rest again, unless it is to be ``fresh``
    or to have options of a browser's window.
    """
    own = Opened(browser)
    kept, page = lasting

    def load(
        path: Path = report.page, end: str = "", *, fresh: bool = False, **options: Any
    ) -> Any:
        if fresh or options or path != report.page:
            return own.load(path, end, **options)
        page.emulate_media(media="null", color_scheme="null")
        page.mouse.move(0, 0)
        page.evaluate(REST, end or PLAIN)
        look(page)
        return page

    yield load
    own.close()
    own.check()
    kept.check()
