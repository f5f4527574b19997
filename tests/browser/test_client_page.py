"""The test client as a stranger uses it: by clicking and typing."""

import json
import re
import subprocess
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visit
from tests.browser.old_sessions import shown_long_ago
from tests.journeys.service import Service
from tests.support.documents import blocks

PASSWORD = "plenty of quiet herons 42"


def test_a_new_user_registers_opens_a_room_creates_a_task_and_sees_a_validation_error(visit: Visit) -> None:
    page = visit("/client")

    register(page, "ann")
    send(page, "POST /rooms", {"name": "Kitchen"})
    room = response(page)
    send(page, "POST /tasks", {"title": "Paint the door", "room_id": room["id"]})
    task = response(page)

    expect(page.locator("#status")).to_contain_text("201")
    assert (task["title"], task["room_id"]) == ("Paint the door", room["id"])

    send(page, "POST /tasks", {"title": "", "color": "red"})

    expect(page.locator("#status")).to_contain_text("422")
    expect(page.locator("#faults")).to_contain_text("/title")
    expect(page.locator("#faults")).to_contain_text("/color")


def test_ids_from_responses_are_filled_into_the_next_path(visit: Visit) -> None:
    page = visit("/client")
    register(page, "ben")
    send(page, "POST /rooms", {"name": "Garden"})
    room = response(page)

    choose(page, "GET /rooms/{room_id}")
    page.get_by_role("button", name="Send").click()

    expect(page.locator("#status")).to_contain_text("200")
    assert response(page)["id"] == room["id"]


def test_a_session_survives_a_reload_and_an_expired_token(visit: Visit) -> None:
    page = visit("/client")
    register(page, "cleo")
    keep(page, endsAt=0)
    page.reload()

    send(page, "GET /rooms")

    expect(page.locator("#status")).to_contain_text("200")
    expect(page.locator("#account")).to_contain_text("Signed in as cleo")


def test_a_rejected_access_token_is_refreshed_and_the_request_sent_again(visit: Visit) -> None:
    page = visit("/client")
    register(page, "dora")
    keep(page, accessToken="spoilt")

    send(page, "GET /rooms")

    expect(page.locator("#status")).to_contain_text("200")


def test_hints_of_live_updates_appear_until_the_user_disconnects_or_signs_out(visit: Visit) -> None:
    page = visit("/client")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#live-status")).to_contain_text("Sign in")
    register(page, "lea")
    expect(page.locator("#live-status")).to_contain_text("Connected")

    send(page, "POST /rooms", {"name": "Kitchen"})
    room = response(page)
    expect(page.locator("#live-hints")).to_contain_text('{"type":"rooms"}')
    send(page, "POST /tasks", {"title": "Paint the door", "room_id": room["id"]})

    expect(page.locator("#live-hints li").first).to_contain_text(f'"room_id":"{room["id"]}","seq":2')
    page.get_by_role("button", name="Disconnect").click()
    expect(page.locator("#live-status")).to_contain_text("Not connected")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#live-status")).to_contain_text("Connected")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#live-status")).to_contain_text("Not connected")


def test_live_updates_connect_as_soon_as_somebody_signs_in(visit: Visit) -> None:
    page = visit("/client")
    page.evaluate("Math.random = () => 1000")  # no attempt by itself within this test
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#live-status")).to_contain_text("Sign in")

    register(page, "ida")

    expect(page.locator("#live-status")).to_contain_text("Connected")


def test_live_updates_of_a_session_that_has_ended_elsewhere_end_and_the_page_says_so(visit: Visit) -> None:
    page = visit("/client")
    page.get_by_role("button", name="Connect").click()
    register(page, "ove")
    expect(page.locator("#live-status")).to_contain_text("Connected")

    page.evaluate(
        "(token) => fetch('auth/sessions', { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } })",
        kept(page)["accessToken"],
    )

    expect(page.locator("#account")).to_contain_text("Not signed in")
    expect(page.locator("#live-status")).to_have_text("Not connected.")
    expect(page.get_by_role("button", name="Connect", exact=True)).to_be_visible()


def test_the_javascript_of_the_guide_asks_after_each_hint(visit: Visit) -> None:
    page = visit("/client")
    register(page, "max")
    [source] = blocks("docs/guides/live.md", "js live")
    page.evaluate(
        f"""(token) => {{
          {source.replace("export ", "")}
          const request = async (method, path) => {{
            const headers = {{ Authorization: `Bearer ${{token}}` }};
            return (await fetch(path, {{ method, headers }})).json();
          }};
          let requests = 0;
          follow(request, () => {{ document.title = `requests ${{requests += 1}}`; }});
        }}""",
        kept(page)["accessToken"],
    )
    expect(page).to_have_title("requests 1")

    send(page, "POST /tasks", {"title": "Paint the door"})

    expect(page).to_have_title(re.compile("requests [2-9]"))


def test_a_request_that_needs_a_recent_sign_in_asks_for_the_password_and_is_sent_again(
    visit: Visit, service: Service
) -> None:
    page = visit("/client")
    register(page, "fay")
    shown_long_ago(service, kept(page)["refreshToken"])
    keep(page, endsAt=0)
    choose(page, "DELETE /users/{user_id}")
    page.locator("#parameters input").first.fill("me")
    page.get_by_role("button", name="Send").click()

    dialog = page.get_by_role("dialog", name="Confirm your password")
    dialog.get_by_label("Your password").fill("not the password")
    dialog.get_by_role("button", name="Confirm").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not right")
    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Confirm").click()

    expect(dialog).to_be_hidden()
    expect(page.locator("#status")).to_contain_text("204")
    assert PASSWORD not in page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")


def test_cancelling_the_password_dialog_shows_the_refused_request(visit: Visit, service: Service) -> None:
    page = visit("/client")
    register(page, "gus")
    shown_long_ago(service, kept(page)["refreshToken"])
    keep(page, endsAt=0)
    fill(page, "PATCH /users/{user_id}", {"username": "somebody-else"})
    page.locator("#parameters input").first.fill("me")
    page.get_by_role("button", name="Send").click()

    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()

    expect(page.locator("#status")).to_contain_text("401")
    assert response(page)["code"] == "reauthentication_required"


def test_a_duplicated_tab_uses_the_refreshed_tokens_of_the_other_tab(visit: Visit) -> None:
    page = visit("/client")
    register(page, "hal")
    twin = page.context.new_page()
    twin.goto(page.url)
    twin.evaluate("session => sessionStorage.setItem('tasksync.session', session)", json.dumps(kept(page)))
    twin.reload()

    keep(page, endsAt=0)
    send(page, "GET /rooms")

    expect(page.locator("#status")).to_contain_text("200")
    twin.wait_for_function(
        "token => sessionStorage.getItem('tasksync.session').includes(token)", arg=kept(page)["refreshToken"]
    )
    keep(twin, endsAt=0)
    send(twin, "GET /rooms")
    expect(twin.locator("#status")).to_contain_text("200")


def test_a_concurrent_refresh_waits_for_the_tokens_of_the_first(visit: Visit, service: Service) -> None:
    page = visit("/client")
    register(page, "ida")
    first = service.anonymous.post("/auth/refresh", json={"refresh_token": kept(page)["refreshToken"]}).json()
    keep(page, endsAt=0, accessToken="spoilt")
    fill(page, "GET /rooms")
    with page.expect_response("**/auth/refresh") as second:
        page.get_by_role("button", name="Send").click()
    keep(page, refreshToken=first["refresh_token"], accessToken=first["access_token"])

    assert second.value.status == 409
    expect(page.locator("#status")).to_contain_text("200")
    expect(page.locator("#account")).to_contain_text("Signed in as ida")


def test_signing_out_ends_the_session_on_the_server(visit: Visit) -> None:
    page = visit("/client")
    register(page, "emil")
    refresh_token = page.evaluate('JSON.parse(sessionStorage.getItem("tasksync.session")).refreshToken')
    with page.expect_response("**/auth/logout"):
        page.get_by_role("button", name="Sign out").click()

    expect(page.locator("#account")).to_contain_text("Not signed in")
    send(page, "POST /auth/refresh", {"refresh_token": refresh_token})

    expect(page.locator("#status")).to_contain_text("401")


def test_a_refused_password_is_explained_next_to_its_field(visit: Visit) -> None:
    page = visit("/client")
    page.get_by_role("button", name="Register", exact=True).click()
    dialog = page.get_by_role("dialog", name="Register")
    dialog.get_by_label("Username or e-mail").fill("finn" + suffix(page))
    dialog.get_by_label("Password").fill("short")
    dialog.get_by_role("button", name="Register", exact=True).click()

    expect(dialog.get_by_role("alert")).to_contain_text("15")


def test_enter_runs_the_action_named_in_the_dialog(visit: Visit) -> None:
    page = visit("/client")
    username = "flora" + suffix(page)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="No account yet? Register").click()
    enter(page, username)

    expect(page.locator("#account")).to_contain_text(f"Signed in as {username}")
    page.get_by_role("button", name="Sign out").press("Enter")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Sign in")).to_contain_text("Enter signs in.")
    enter(page, username)

    expect(page.locator("#account")).to_contain_text(f"Signed in as {username}")


def test_the_copied_curl_command_sends_the_same_request(visit: Visit) -> None:
    page = visit("/client")
    register(page, "gina")
    fill(page, "POST /rooms", {"name": "Gina's room"})
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("#copied")).to_contain_text("Copied")

    command = page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, timeout=30)

    assert " 201 " in done.stdout.splitlines()[0]
    assert json.loads(done.stdout.splitlines()[-1])["name"] == "Gina's room"


def test_the_page_is_usable_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit("/client")
    expect(page.locator("#operation-title")).to_have_text("POST /rooms")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#operation-title")).to_be_focused()
    assert page.url.endswith("#POST%20/rooms")

    page.keyboard.press("/")
    page.keyboard.type("get health")
    expect(page.locator("#match")).to_have_text("Enter opens GET /health.")
    page.keyboard.press("Enter")
    expect(page.locator("#operation-title")).to_have_text("GET /health")
    expect(page.locator("#operation-title")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("#status")).to_contain_text("200")
    expect(page.locator("#send")).to_be_focused()


def test_an_update_starts_from_an_empty_body_and_the_entity_tag_of_its_resource(visit: Visit) -> None:
    page = visit("/client")
    register(page, "kim")
    send(page, "POST /rooms", {"name": "Attic"})
    room_tag = tag(page)
    send(page, "POST /tasks", {"title": "Sweep", "status": "pending"})
    task_tag = tag(page)

    choose(page, "PATCH /tasks/{task_id}")
    assert body(page) == {}
    assert page.get_by_label("If-Match").input_value() == task_tag
    page.get_by_label("Value of status").select_option("completed")
    assert body(page) == {"status": "completed"}
    press_send(page)
    assert response(page)["status"] == "completed"
    assert page.get_by_label("If-Match").input_value() == tag(page) != task_tag
    page.get_by_label("If-Match").fill('"my-own-tag"')
    press_send(page)
    expect(page.locator("#status")).to_contain_text("412")
    assert page.get_by_label("If-Match").input_value() == '"my-own-tag"'

    choose(page, "PATCH /rooms/{room_id}")
    assert page.get_by_label("If-Match").input_value() == room_tag


def test_a_create_request_starts_from_an_example_that_succeeds_twice(visit: Visit) -> None:
    page = visit("/client")
    register(page, "lea")
    for _ in range(2):
        send(page, "POST /rooms")
        expect(page.locator("#status")).to_contain_text("201")
    room = response(page)
    assert "code" not in body(page)

    send(page, "POST /tasks")

    expect(page.locator("#status")).to_contain_text("201")
    assert response(page)["room_id"] == room["id"]


def test_an_invalid_json_body_is_not_sent(visit: Visit) -> None:
    page = visit("/client")
    choose(page, "POST /auth/login")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))

    page.locator("#body").fill('{"username": "ann",')
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("alert").filter(has_text="not JSON")).to_be_visible()
    expect(page.locator("#body")).to_be_focused()
    assert sent == []


def test_a_response_names_its_request(visit: Visit) -> None:
    page = visit("/client")
    send(page, "GET /health")
    expect(page.locator("#response-of")).to_contain_text(re.compile("^GET /health"))

    choose(page, "GET /rooms")

    expect(page.locator("#response-of")).to_contain_text("Of an earlier request: GET /health")


def test_selected_options_are_sent_as_chosen(visit: Visit) -> None:
    page = visit("/client")
    choose(page, "GET /tasks")
    page.get_by_role("checkbox", name="pending").check()
    page.get_by_role("checkbox", name="in progress").check()
    page.get_by_label("sort").select_option("-deadline")

    with page.expect_request("**/tasks?*") as request:
        page.get_by_role("button", name="Send").click()

    # Only what was filled in is sent.
    asked = sorted(parse_qsl(urlsplit(request.value.url).query))
    assert asked == [("sort", "-deadline"), ("status", "in progress"), ("status", "pending")]


def test_ids_can_be_copied_by_keyboard(visit: Visit) -> None:
    page = visit("/client")
    register(page, "mia")
    send(page, "POST /rooms", {"name": "Cellar"})
    room = response(page)

    for each in (room["id"], room["code"]):
        page.get_by_role("button", name=f"Copy {each}").press("Enter")
        expect(page.get_by_role("button", name=f"Copied {each}")).to_be_focused()
        assert page.evaluate("navigator.clipboard.readText()") == each


def test_markdown_of_a_description_is_rendered_without_scripts(visit: Visit) -> None:
    page = visit("/client")
    text = "A **bold** `code`.\n\n- one [page](docs)\n- two [x](javascript:alert(1)) <img src=x onerror=alert(1)>"

    made = page.evaluate(
        """async text => {
            const files = performance.getEntriesByType("resource").map(each => each.name);
            const { markdown } = await import(files.find(each => each.includes("/assets/markdown.")));
            return markdown(text).map(each => each.outerHTML);
        }""",
        text,
    )

    unsafe = "<li>two [x](javascript:alert(1)) &lt;img src=x onerror=alert(1)&gt;</li>"
    assert made == [
        "<p>A <strong>bold</strong> <code>code</code>.</p>",
        '<ul><li>one <a href="docs">page</a></li>' + unsafe + "</ul>",
    ]
    choose(page, "PATCH /tasks/{task_id}")
    expect(page.locator("#operation-description code").first).to_have_text("status")


def test_history_restores_a_request_and_stores_no_password(visit: Visit) -> None:
    page = visit("/client")
    name = "hugo" + suffix(page)
    send(page, "POST /auth/register", {"username": name, "password": PASSWORD})
    send(page, "POST /rooms", {"name": "Hugo's"})
    page.reload()

    page.locator("#history button").filter(has_text="POST /auth/register").click()

    assert json.loads(page.locator("#body").input_value()) == {"username": name, "password": ""}
    assert PASSWORD not in page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")


def test_markup_in_a_response_is_shown_and_not_run(visit: Visit) -> None:
    page = visit("/client")
    register(page, "ines")
    markup = '<img src="x" onerror="document.title = 1">'

    send(page, "POST /rooms", {"name": markup})

    assert response(page)["name"] == markup
    assert page.locator("#response-body img").count() == 0


def test_on_a_phone_nothing_overflows_and_the_response_scrolls_into_view(visit: Visit) -> None:
    page = visit("/client", viewport=PHONE)
    register(page, "jan")
    choose(page, "PATCH /tasks/{task_id}")
    page.get_by_text("Fields of the body").click()
    # A name that was broken inside would have several boxes.
    assert page.locator("#fields code").evaluate_all("all => all.every(each => each.getClientRects().length === 1)")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")

    send(page, "POST /tasks", {"title": "A long name " * 8})

    expect(page.locator("#status")).to_be_in_viewport()
    expect(page.locator("#response-body")).to_be_in_viewport()
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_a_deleted_task_is_offered_where_tasks_are_restored_and_purged(visit: Visit) -> None:
    page = visit("/client")
    register(page, "hana")
    send(page, "POST /tasks", {"title": "Paint the door"})
    task = response(page)

    send(page, "DELETE /tasks/{task_id}")
    choose(page, "GET /tasks/{task_id}")
    expect(page.locator("#path-task_id")).to_have_value("")
    send(page, "POST /tasks/{task_id}/restore")
    assert response(page)["id"] == task["id"]
    send(page, "DELETE /tasks/{task_id}")
    page.reload()
    send(page, "GET /users/{user_id}/trash")
    assert [each["id"] for each in response(page)["items"]] == [task["id"]]
    # The trash is of a user, and its ids are of tasks.
    choose(page, "GET /users/{user_id}")
    expect(page.locator("#path-user_id")).not_to_have_value(task["id"])
    choose(page, "DELETE /users/{user_id}/trash/{task_id}")
    expect(page.locator("#path-task_id")).to_have_value(task["id"])
    page.locator("#path-user_id").fill("me")
    press_send(page)

    expect(page.locator("#status")).to_contain_text("204")


def test_a_task_is_given_to_several_people_and_moved_by_clicks(visit: Visit) -> None:
    page = visit("/client")
    register(page, "ivo")
    bob = f"bob{suffix(page)}"
    send(page, "POST /users", {"username": bob, "password": PASSWORD})
    bob_id = response(page)["id"]
    send(page, "POST /rooms", {"name": "Kitchen"})
    room = response(page)
    send(page, "POST /rooms/{room_id}/users", {"user_id": bob_id})
    send(page, "GET /rooms/{room_id}/users")
    people = [each["user_id"] for each in response(page)["items"]]
    tasks = []
    for title in ("Paint the door", "Hang the door"):
        send(page, "POST /tasks", {"title": title, "room_id": room["id"], "user_id": None})
        tasks.append(response(page)["id"])

    choose(page, "PATCH /tasks/{task_id}")
    for _ in range(3):
        page.get_by_role("button", name="Insert assignee_ids").click()
    assert sorted(body(page)["assignee_ids"]) == sorted(people)
    press_send(page)
    assert sorted(response(page)["assignee_ids"]) == sorted(people)
    choose(page, "POST /tasks/{task_id}/move")
    page.locator("#path-task_id").fill(tasks[0])
    page.get_by_role("button", name="Insert after").click()
    page.locator("#path-task_id").fill(tasks[1])
    assert body(page)["after"] == tasks[0]
    press_send(page)

    expect(page.locator("#status")).to_contain_text("200")


def register(page: Page, name: str) -> str:
    """Registers somebody new by the form, and returns their username."""
    username = name + suffix(page)
    page.get_by_role("button", name="Register", exact=True).click()
    enter(page, username)
    expect(page.locator("#account")).to_contain_text(f"Signed in as {username}")
    return username


def enter(page: Page, username: str) -> None:
    """Fills in the dialog that is open, and presses Enter."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Username or e-mail").fill(username)
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_label("Password").press("Enter")


def kept(page: Page) -> Any:
    """The session as the tab keeps it."""
    return json.loads(page.evaluate('sessionStorage.getItem("tasksync.session")'))


def keep(page: Page, **changes: Any) -> None:
    """Change the session that the tab keeps."""
    page.evaluate(
        "session => sessionStorage.setItem('tasksync.session', session)", json.dumps({**kept(page), **changes})
    )


def choose(page: Page, operation: str) -> None:
    panel = page.locator("#operations-panel")
    if panel.get_attribute("open") is None:
        page.get_by_text("Operations", exact=True).click()
    method, path = operation.split(" ")
    page.locator("#filter").fill("")
    exact = re.compile(rf"^{method}\s+{re.escape(path)}$")
    page.locator("#operations button").filter(has_text=exact).click()
    expect(page.locator("#operation-title")).to_have_text(operation)


def fill(page: Page, operation: str, content: Any = None) -> None:
    choose(page, operation)
    if content is not None:
        page.locator("#body").fill(json.dumps(content))


def send(page: Page, operation: str, content: Any = None) -> None:
    """Sends a request and waits for its response to be shown."""
    fill(page, operation, content)
    press_send(page)


def press_send(page: Page) -> None:
    before = page.locator("#history li").count()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#history li")).to_have_count(before + 1)


def body(page: Page) -> Any:
    """What is in the editor of the body."""
    return json.loads(page.locator("#body").input_value())


def tag(page: Page) -> str:
    """The entity tag in the headers of the response."""
    return str(
        page.locator("#headers dt").filter(has_text="etag").locator("xpath=following-sibling::dd[1]").text_content()
    )


def response(page: Page) -> Any:
    expect(page.locator("#status")).to_contain_text(re.compile(r"\d ms"))
    return json.loads(page.locator("#response-body").inner_text())


def suffix(page: Page) -> str:
    """Something no other test has: all share one stack."""
    return f"-{page.evaluate('crypto.randomUUID()')[:8]}"
