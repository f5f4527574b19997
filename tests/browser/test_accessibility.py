"""What axe-core finds on the pages, on desktop and phone, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.browser.test_docs_page import operation

pytestmark = [
    pytest.mark.parametrize("scheme", ["light", "dark"]),
    pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"]),
]

_AT_REST = """async () => {
    for (let moving; (moving = document.getAnimations()).length; ) {
        await Promise.allSettled(moving.map(each => each.finished));
    }
}"""


def test_axe_finds_no_serious_violation_on_the_test_client(visit: Visit, viewport: ViewportSize, scheme: str) -> None:
    page = visit("/client", viewport=viewport, scheme=scheme)
    expect(page.locator("#operation-title")).to_have_text("POST /rooms")
    page.locator("#body").fill('{"name": 1}')
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#status")).to_contain_text("401")

    assert serious(page) == []


def test_axe_finds_no_serious_violation_on_the_reference_pages(
    visit: Visit, viewport: ViewportSize, scheme: str
) -> None:
    page = visit("/docs", viewport=viewport, scheme=scheme)
    operation(page, "rooms-list_rooms")
    page.locator(".execute").click()
    expect(page.locator(".live-responses-table")).to_be_visible()

    assert serious(page) == []


def serious(page: Page) -> list[tuple[str, str]]:
    """The rules that are broken in a way that keeps people out, each with an element that breaks it."""
    # A colour on its way to another is neither, and may stand out less than both.
    page.evaluate(_AT_REST)
    found = Axe().run(page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in {"serious", "critical"}]
