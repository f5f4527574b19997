"""The reference pages as a stranger uses them: reading, and trying out."""

import json
import uuid
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visit
from tests.browser.old_sessions import shown_long_ago
from tests.browser.test_client_page import register
from tests.journeys.service import Service

PASSWORD = "plenty of quiet herons 42"


def test_a_new_user_registers_signs_in_opens_a_room_and_sees_a_validation_error(visit: Visit) -> None:
    page = visit("/docs")
    username = f"ola-{uuid.uuid4().hex[:8]}"
    registered = try_out(page, "auth-register", {"username": username, "password": PASSWORD})
    assert registered["status"] == "201"

    expect(page.locator("#account")).to_contain_text(f"Signed in as {username}")
    room = try_out(page, "rooms-create_room", {"name": "Kitchen"})
    refused = try_out(page, "tasks-create_task", {"title": ""})

    assert (room["status"], room["body"]["name"]) == ("201", "Kitchen")
    assert refused["status"] == "422"
    assert [fault["pointer"] for fault in refused["body"]["errors"]] == ["/title"]


def test_a_request_that_needs_a_recent_sign_in_asks_for_the_password_and_is_sent_again(
    visit: Visit, service: Service
) -> None:
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

    dialog = page.get_by_role("dialog", name="Confirm your password")
    dialog.get_by_label("Your password").fill("not the password")
    dialog.get_by_role("button", name="Confirm").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not right")
    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Confirm").click()

    expect(block.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert "ola@example.org" in block.locator(".live-responses-table pre").first.inner_text()
    # The viewer goes on with the token that says so.
    block.locator(".execute").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_session_of_the_test_client_is_used_here_and_ids_are_filled_into_the_next_path(visit: Visit) -> None:
    page = visit("/client")
    register(page, "pia")
    page.get_by_role("link", name="Reference").click()
    room = try_out(page, "rooms-create_room", {"name": "Kitchen"})["body"]
    with page.expect_request("**/rooms/*") as change:
        changed = try_out(page, "rooms-change_room", {"name": "Garden"})

    assert (changed["status"], changed["body"]["id"]) == ("200", room["id"])
    # Nothing is sent that nobody has filled in.
    assert not {"if-match", "idempotency-key"} & change.value.headers.keys()
    operation(page, "tasks-list_tasks")
    with page.expect_request("**/tasks*") as listed:
        page.locator("#operations-tasks-list_tasks .execute").click()
    assert listed.value.url.endswith("/tasks")

    page.get_by_role("link", name="Test client").click()
    expect(page.get_by_role("heading", name="TaskSync test client")).to_be_visible()


def test_each_problem_is_explained_in_one_place(visit: Visit) -> None:
    page = visit("/docs")
    operation(page, "rooms-create_room")
    block = page.locator("#operations-rooms-create_room")
    row = block.locator(".response").filter(has=page.get_by_text("409", exact=True))

    assert block.locator(".responses-inner .highlight-code").count() == 1  # of what is made, none of an error
    row.get_by_role("link", name="code_taken").press("Enter")

    expect(page.locator("#problem-code_taken")).to_be_focused()
    expect(page.locator("#problem-code_taken")).to_be_in_viewport()
    expect(page.locator("#problem-code_taken dd")).not_to_be_empty()


def test_an_operation_is_found_by_keyboard_and_the_server_address_is_shown(visit: Visit, service: Service) -> None:
    page = visit("/docs")
    expect(page.locator("#servers")).to_have_value(service.addresses.api_url)
    page.keyboard.press("/")
    page.keyboard.type("put task")
    expect(page.locator(".opblock")).to_have_count(1)
    page.keyboard.press("Enter")

    expect(page.locator("#operations-tasks-change_task_with_put .execute")).to_be_visible()
    expect(page.locator("#operations-tasks-change_task_with_put .opblock-summary-control")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("nowhere")
    expect(page.get_by_text("No operation matches.")).to_be_visible()


def test_on_a_phone_nothing_overflows(visit: Visit) -> None:
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
    response = block.locator(".live-responses-table .response")
    status = response.locator(".response-col_status").inner_text().split()[0]
    text = response.locator(".response-col_description pre").first.inner_text()
    return {"status": status, "body": json.loads(text)}
