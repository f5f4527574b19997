"""Members of any role read the trail, newest first and page by page; nobody else does."""

import json
import time

import pytest

from tests.functions.activity.trails import FUNCTION, stored, trail
from tests.support.problems import field_errors, problem
from tests.support.product import Product


def test_a_viewer_reads_the_trail_newest_first(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id, "role": "viewer"})
    product.deliver()

    response = bob.get(f"/rooms/{room['id']}/activity")

    assert response.status == 200
    assert [entry["resource"] for entry in response.json()["items"]] == ["membership", "room"]
    assert response.json()["next_cursor"] is None


def test_all_pages_make_up_the_whole_trail(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    for number in range(6):
        ann.patch(f"/rooms/{room['id']}", json={"name": str(number)})
    product.deliver()

    pages = ann.list(f"/rooms/{room['id']}/activity", limit=3)
    exact = ann.get(f"/rooms/{room['id']}/activity", params={"limit": 7})

    assert pages[::-1] == trail(ann, room)
    assert exact.json() == {"items": pages, "next_cursor": None}
    assert [entry["changes"]["name"]["new"] for entry in pages[:-1]] == ["5", "4", "3", "2", "1", "0"]


def test_a_page_of_long_texts_has_the_beginning_of_each(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    for letter in "abcdefghijklmnopqrs":  # 40 kB each
        ann.patch(f"/tasks/{task['id']}", json={"description": "\N{CROISSANT}" * 9_999 + letter})
    product.deliver()

    response = ann.get(f"/rooms/{room['id']}/activity")

    beginning = "\N{CROISSANT}" * 500 + "…"
    assert [entry["changes"].get("description") for entry in response.json()["items"]][:18] == [
        {"old": beginning, "new": beginning}
    ] * 18
    assert len(response.text.encode()) < 100_000
    assert len(trail(ann, room)) == 21


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "101"}, {"cursor": "AAAA"}, {"sort": "at"}])
def test_an_invalid_query_is_refused(product: Product, params: dict[str, str]) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    assert field_errors(ann.get(f"/rooms/{room['id']}/activity", params=params), 400).keys() == {
        f"/{name}" for name in params
    }


def test_a_cursor_is_valid_for_its_own_trail_only(product: Product) -> None:
    ann = product.register("ann")
    room, other = ann.open_room(), ann.open_room()
    ann.patch(f"/rooms/{room['id']}", json={"name": "Garden"})
    product.deliver()
    cursor = ann.get(f"/rooms/{room['id']}/activity", params={"limit": 1}).json()["next_cursor"]

    problem(ann.get(f"/rooms/{other['id']}/activity", params={"cursor": cursor}), 400)


def test_a_former_member_cannot_read_the_trail(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    product.deliver()
    assert bob.get(f"/rooms/{room['id']}/activity").status == 200

    ann.delete(f"/rooms/{room['id']}/users/{bob.id}")

    problem(bob.get(f"/rooms/{room['id']}/activity"), 404, "not_found")
    assert len(trail(ann, room)) == 2


def test_entries_expire_after_the_configured_time(product: Product) -> None:
    ann = product.register("ann")
    ann.open_room()
    before = int(time.time())
    product.deliver()

    [item] = stored(product)

    seconds = int(product.aws.stack.parameters["ActivityRetentionDays"]) * 24 * 3600
    assert before + seconds <= item["expires_at"] <= time.time() + seconds


def test_an_entry_is_also_logged_without_texts_and_codes(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    ann = product.register("ann")
    room = ann.open_room(name="A secret garden", code="GARDEN")
    planned = ann.post("/tasks", json={"title": "Nobody knows", "room_id": room["id"]})
    product.aws.stack.parameters["LogLevel"] = "INFO"
    capsys.readouterr()
    product.deliver(to=FUNCTION)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    [of_room, of_task] = [line for line in lines if line["event"] == "activity"]
    [newest] = trail(ann, room)[1:]
    logged = newest.keys() - {"at", "changes", "version", "revision"}
    assert {name: newest[name] for name in logged} == {name: of_task[name] for name in logged}
    assert of_task["request_id"] == planned.headers["X-Request-Id"]
    assert of_room["changed"] == ["name", "code", "join_role"]
    assert not any(text in json.dumps(lines) for text in ("secret", "GARDEN", "Nobody"))
