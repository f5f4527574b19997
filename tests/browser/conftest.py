"""A real Chromium, and one stack for it to visit."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, ViewportSize, expect, sync_playwright

from tests.journeys.service import Service

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# No calls home, so that a machine without the internet is as good as any other.
_ARGUMENTS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]

# For what a page does soon when a machine has nothing else to do.
_WAIT_MILLISECONDS = 30_000
expect.set_options(timeout=_WAIT_MILLISECONDS)

DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=360, height=740)

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The product on a port and with data of its own."""
    running = Service(tmp_path_factory.mktemp("stack"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def _playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(_playwright: Playwright) -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    assert found, f"make test-browser needs one of {', '.join(_NAMES)} on the PATH"
    # Chromium's sandbox does not start as root, which is who runs tests in a container.
    browser = _playwright.chromium.launch(executable_path=found, args=_ARGUMENTS, chromium_sandbox=os.geteuid() != 0)
    yield browser
    browser.close()


@pytest.fixture
def visit(chromium: Browser, service: Service) -> Iterator[Visit]:
    """Opens a page of the product in a browser of its own: ``visit("/client", viewport=PHONE, scheme="dark")``.

    Whatever the page complains about, and whatever it asks of another host, fails the test at its end.
    """
    complaints: list[str] = []

    def open_page(path: str, viewport: ViewportSize = DESKTOP, scheme: str = "light") -> Page:
        context = chromium.new_context(
            viewport=viewport,
            color_scheme="dark" if scheme == "dark" else "light",
            permissions=["clipboard-read", "clipboard-write"],
        )
        page = context.new_page()
        page.set_default_timeout(_WAIT_MILLISECONDS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if _is_a_complaint(line.type, line.text) else None)
        home = service.addresses.api_url
        page.on("request", lambda sent: None if _is_ours(sent.url, home) else complaints.append(sent.url))
        page.goto(home + path)
        return page

    yield open_page
    for context in chromium.contexts:
        context.close()
    assert complaints == []


def _is_a_complaint(kind: str, text: str) -> bool:
    # Chromium reports every response of 400 and above as an error; those are for the page to show.
    return kind in {"error", "warning"} and "the server responded with a status of" not in text


def _is_ours(url: str, home: str) -> bool:
    return url.startswith((home + "/", "data:", "blob:"))
