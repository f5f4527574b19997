"""The reference pages as a stranger uses them: reading, and trying out."""

import json
import uuid
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visit
from tests.browser.old_sessions import shown_long_ago
from tests.journeys.service import Service

PASSWORD = "plenty of quiet herons 42"


def test_a_stranger_registers_signs_in_opens_a_room_and_sees_a_validation_error(visit: Visit) -> None:
    page = visit("/docs")
    registered = try_out(page, "auth-register", {"username": f"ola-{uuid.uuid4().hex[:8]}", "password": PASSWORD})
    assert registered["status"] == "201"

    authorize(page, registered["body"]["access_token"])
    room = try_out(page, "rooms-create_room", {"name": "Kitchen"})
    refused = try_out(page, "tasks-create_task", {"title": ""})

    assert (room["status"], room["body"]["name"]) == ("201", "Kitchen")
    assert refused["status"] == "422"
    assert [fault["pointer"] for fault in refused["body"]["errors"]] == ["/title"]


def test_what_needs_a_recent_sign_in_asks_for_the_password_and_is_sent_again(visit: Visit, service: Service) -> None:
    ola = service.register("ola", password=PASSWORD)
    shown_long_ago(service, ola.refresh_token)
    tokens = service.anonymous.post("/auth/refresh", json={"refresh_token": ola.refresh_token}).json()
    page = visit("/docs")
    authorize(page, tokens["access_token"])
    operation(page, "users-change_user")
    block = page.locator("#operations-users-change_user")
    block.get_by_placeholder("user_id").fill("me")
    block.locator("textarea.body-param__text").fill(json.dumps({"email": "ola@example.org"}))
    block.locator(".execute").click()

    dialog = page.get_by_role("dialog", name="Your password, please")
    dialog.get_by_label("Your password").fill("not the password")
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not right")
    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Go on").click()

    expect(block.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert "ola@example.org" in block.locator(".live-responses-table pre").first.inner_text()
    # The viewer goes on with the token that says so.
    block.locator(".execute").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_on_a_phone_nothing_is_wider_than_the_screen(visit: Visit) -> None:
    page = visit("/docs", viewport=PHONE)

    operation(page, "rooms-create_room")

    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def authorize(page: Page, access_token: str) -> None:
    page.get_by_role("button", name="Authorize").first.click()
    # The dialog asks for the token of GET /metrics, too, in a form of its own.
    token = page.locator("form").filter(has_text="access_token")
    token.get_by_label("auth-bearer-value").fill(access_token)
    token.locator(".authorize").click()
    token.locator(".btn-done").click()


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
