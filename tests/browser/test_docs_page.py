"""The reference pages as a stranger uses them: reading, and trying out."""

import json
import uuid
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visit

PASSWORD = "plenty of quiet herons 42"


def test_a_stranger_registers_signs_in_opens_a_room_and_sees_a_validation_error(visit: Visit) -> None:
    page = visit("/docs")
    registered = try_out(page, "auth-register", {"username": f"ola-{uuid.uuid4().hex[:8]}", "password": PASSWORD})
    assert registered["status"] == "201"

    page.get_by_role("button", name="Authorize").first.click()
    # The dialog asks for the token of GET /metrics, too, in a form of its own.
    token = page.locator("form").filter(has_text="access_token")
    token.get_by_label("auth-bearer-value").fill(registered["body"]["access_token"])
    token.locator(".authorize").click()
    token.locator(".btn-done").click()
    room = try_out(page, "rooms-create_room", {"name": "Kitchen"})
    refused = try_out(page, "tasks-create_task", {"title": ""})

    assert (room["status"], room["body"]["name"]) == ("201", "Kitchen")
    assert refused["status"] == "422"
    assert [fault["pointer"] for fault in refused["body"]["errors"]] == ["/title"]


def test_on_a_phone_nothing_is_wider_than_the_screen(visit: Visit) -> None:
    page = visit("/docs", viewport=PHONE)

    operation(page, "rooms-create_room")

    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def operation(page: Page, name: str) -> None:
    """Opens an operation."""
    block = page.locator(f"#operations-{name}")
    block.locator(".opblock-summary-control").click()
    expect(block.locator(".execute")).to_be_visible()


def try_out(page: Page, name: str, body: object) -> dict[str, Any]:
    """Sends this body with an operation, and returns the status and the body of what came back."""
    operation(page, name)
    block = page.locator(f"#operations-{name}")
    block.locator("textarea.body-param__text").fill(json.dumps(body))
    block.locator(".execute").click()
    answer = block.locator(".live-responses-table .response")
    status = answer.locator(".response-col_status").inner_text().split()[0]
    text = answer.locator(".response-col_description pre").first.inner_text()
    return {"status": status, "body": json.loads(text)}
