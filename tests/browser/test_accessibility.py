"""What axe-core finds on the pages, on desktop and phone, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_serious_is_found_on_the_test_client(visit: Visit, viewport: ViewportSize, scheme: str) -> None:
    page = visit("/client", viewport=viewport, scheme=scheme)
    expect(page.locator("#operation-title")).to_have_text("POST /rooms")
    page.locator("#body").fill('{"name": 1}')
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#status")).to_contain_text("401")

    found = Axe().run(page).response["violations"]

    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in {"serious", "critical"}] == []
