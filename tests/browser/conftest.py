"""Visits to the shop window of a running demo, in a real Chromium."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.house import CHROMIUM, COMMAND, Demo, chromium, running_demo

PATIENCE_MS = 20_000


@dataclass
class Visit:
    """One window, and what went wrong in it."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def open(self, address: str = "/") -> Page:
        """At this address, with its products there."""
        self.page.goto(self.url + address)
        self.page.wait_for_selector("#shelf .card a")
        return self.page


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    missing = [str(path) for path in (CHROMIUM, COMMAND) if not path.exists()]
    if missing:
        pytest.skip(f"not here: {', '.join(missing)}")
    with running_demo(tmp_path_factory.mktemp("demo")) as ready:
        yield ready


@pytest.fixture(scope="module")
def browser(demo: Demo) -> Iterator[Browser]:
    """Closed after each module: while it is open, an event loop counts as running in this thread."""
    with chromium() as started:
        yield started


@pytest.fixture
def visit(browser: Browser, demo: Demo) -> Iterator[Callable[..., Visit]]:
    """Opens windows; whatever a test does in them, none may ask another host."""
    visits: list[Visit] = []
    with ExitStack() as windows:

        def opened(width: int = 1280, height: int = 900, **options: Any) -> Visit:
            context = browser.new_context(
                viewport={"width": width, "height": height}, reduced_motion="reduce", **options
            )
            windows.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            made = _watched(context.new_page(), demo.url)
            visits.append(made)
            return made

        yield opened
        assert [url for one in visits for url in one.strangers] == []


@pytest.fixture
def window(visit: Callable[..., Visit]) -> Visit:
    """A desktop window."""
    return visit()


def _watched(page: Page, url: str) -> Visit:
    made = Visit(page, url)
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    page.on(
        "console",
        lambda said: (
            made.complaints.append(said.text) if said.type in ("error", "warning") else None
        ),
    )
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(url) else made.strangers.append(asked.url),
    )
    return made
