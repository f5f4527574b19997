"""The changes of a room from a cursor on: each once, in order, with what was changed as it is now."""

from typing import Any

import pytest

from tests.functions.sync.logs import expire_entry, lose, next_epoch, set_head
from tests.support.client import Person
from tests.support.problems import field_errors, problem
from tests.support.product import Product

Json = dict[str, Any]


def start(person: Person, room: Any) -> str:
    """A cursor behind everything that is in the log."""
    response = person.get(f"/rooms/{room['id']}/changes")
    assert response.status == 200, response
    cursor: str = response.json()["next_cursor"]
    return cursor


def since(person: Person, room: Any, cursor: str, **params: Any) -> Json:
    response = person.get(f"/rooms/{room['id']}/changes", params={"cursor": cursor, **params})
    assert response.status == 200, response
    found: Json = response.json()
    return found


def test_without_a_cursor_there_is_the_place_to_start_from(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()

    response = ann.get(f"/rooms/{room['id']}/changes")

    cursor = response.json()["next_cursor"]
    assert response.json() == {
        "changes": [],
        "current": [],
        "gone": [],
        "next_cursor": cursor,
        "head": 1,
        "more": False,
    }
    assert since(ann, room, cursor) == response.json()


def test_a_change_comes_with_the_whole_task_as_it_is_now(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    product.deliver()
    cursor = start(ann, room)
    response = ann.patch(f"/tasks/{task['id']}", json={"status": "completed", "description": "long " * 200})
    product.deliver()
    now = ann.patch(f"/tasks/{task['id']}", json={"title": "Newer than the log"}).json()

    page = since(ann, room, cursor)

    [change] = page["changes"]
    assert change == {
        "seq": 3,
        "type": "task",
        "id": task["id"],
        "version": 2,
        "op": "updated",
        "fields": change["fields"],
        "actor_id": ann.id,
        "request_id": response.headers["x-request-id"],
        "at": response.json()["updated_at"],
    }
    assert sorted(change["fields"]) == ["description", "status"]
    assert page["current"] == [{"type": "task", **now}]
    assert (page["gone"], page["head"], page["more"]) == ([], 3, False)


def test_each_changed_thing_comes_once_whatever_happened_to_it(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    product.deliver()
    cursor = start(ann, room)
    changed, trashed, restored, purged = [ann.plan(room_id=room["id"]) for _ in range(4)]
    ann.patch(f"/tasks/{changed['id']}", json={"title": "Twice"})
    for task in (trashed, restored, purged):
        ann.delete(f"/tasks/{task['id']}")
    ann.post(f"/tasks/{restored['id']}/restore")
    ann.delete(f"/rooms/{room['id']}/trash/{purged['id']}")
    bob.join(room)
    ann.patch(f"/rooms/{room['id']}", json={"name": "Garden"})
    product.deliver()

    page = since(ann, room, cursor, limit=100)

    assert [change["seq"] for change in page["changes"]] == list(range(2, page["head"] + 1))
    now = {(each["type"], each["id"]): each for each in page["current"]}
    assert now == {
        ("task", changed["id"]): {"type": "task", **ann.get(f"/tasks/{changed['id']}").json()},
        ("task", restored["id"]): {"type": "task", **ann.get(f"/tasks/{restored['id']}").json()},
        ("room", room["id"]): {"type": "room", **ann.get(f"/rooms/{room['id']}").json()},
        ("membership", bob.id): {
            "type": "membership",
            "id": bob.id,
            **ann.list(f"/rooms/{room['id']}/users")[1],
        },
    }
    assert len(page["current"]) == 4
    assert [(each["type"], each["id"]) for each in page["gone"]] == [("task", trashed["id"]), ("task", purged["id"])]


def test_pages_are_contiguous_and_a_page_may_be_repeated(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    cursor = start(ann, room)
    for number in range(5):
        ann.patch(f"/rooms/{room['id']}", json={"name": str(number)})
    product.deliver()

    pages = []
    more = True
    while more:
        page = since(ann, room, cursor, limit=2)
        assert since(ann, room, cursor, limit=2) == page
        pages.append(page)
        cursor, more = page["next_cursor"], page["more"]

    assert [[change["seq"] for change in page["changes"]] for page in pages] == [[2, 3], [4, 5], [6]]
    assert {page["current"][0]["name"] for page in pages} == {"4"}
    assert {page["head"] for page in pages} == {6}


def test_a_former_member_is_gone_and_reads_no_more(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    product.deliver()
    cursor, his = start(ann, room), start(bob, room)
    bob.delete(f"/rooms/{room['id']}/users/me")
    product.deliver()

    page = since(ann, room, cursor)

    assert page["gone"] == [{"type": "membership", "id": bob.id}]
    assert page["current"] == []
    assert bob.get(f"/rooms/{room['id']}/changes", params={"cursor": his}).status == 404
    assert bob.get(f"/rooms/{room['id']}/changes").status == 404


def test_a_viewer_sees_no_code(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id, "role": "viewer"})
    product.deliver()
    cursor = start(bob, room)
    code = ann.post(f"/rooms/{room['id']}/code", json={}).json()["code"]
    product.deliver()

    response = bob.get(f"/rooms/{room['id']}/changes", params={"cursor": cursor})

    assert response.json()["changes"][0]["fields"] == ["code"]
    assert response.json()["current"][0]["code"] is None
    assert code not in response.text
    assert room["code"] not in response.text


def test_a_page_has_at_most_four_megabytes(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    cursor = start(ann, room)
    tasks = [ann.plan(room_id=room["id"], description="\N{CROISSANT}" * 10_000) for _ in range(102)]
    product.deliver()

    pages, more = [], True
    while more:
        page = since(ann, room, cursor, limit=100)
        pages.append(page)
        cursor, more = page["next_cursor"], page["more"]

    assert [len(page["changes"]) for page in pages] == [97, 5]
    assert [each["id"] for page in pages for each in page["current"]] == [task["id"] for task in tasks]


def test_a_cursor_expires_with_the_entries_behind_it(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    cursor = start(ann, room)
    for number in range(4):
        ann.patch(f"/rooms/{room['id']}", json={"name": str(number)})
    product.deliver()
    newer = since(ann, room, cursor, limit=3)["next_cursor"]

    expire_entry(product, room, 3)

    assert [change["seq"] for change in since(ann, room, cursor, limit=1)["changes"]] == [2]
    for limit in (2, 3):
        response = ann.get(f"/rooms/{room['id']}/changes", params={"cursor": cursor, "limit": limit})
        assert problem(response, 410)["code"] == "cursor_expired"
    assert [change["seq"] for change in since(ann, room, newer)["changes"]] == [5]


def test_a_cursor_from_before_a_restore_has_expired(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    cursor = start(ann, room)

    next_epoch(product, 1_800_000_000)

    assert problem(ann.get(f"/rooms/{room['id']}/changes", params={"cursor": cursor}), 410)["code"] == "cursor_expired"
    assert since(ann, room, start(ann, room))["changes"] == []


def test_a_cursor_beyond_the_head_has_expired(product: Product) -> None:
    """The log was lost, or restored without a new epoch."""
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    cursor = start(ann, room)

    lose(product)

    assert problem(ann.get(f"/rooms/{room['id']}/changes", params={"cursor": cursor}), 410)["code"] == "cursor_expired"


def test_entries_beyond_the_head_are_left_out(product: Product) -> None:
    """They are not complete yet: what appended them has still to write the head."""
    ann = product.register("ann")
    room = ann.open_room()
    product.deliver()
    cursor = start(ann, room)
    for number in range(2):
        ann.patch(f"/rooms/{room['id']}", json={"name": str(number)})
    product.deliver()

    set_head(product, room, 2)

    page = since(ann, room, cursor)
    assert [change["seq"] for change in page["changes"]] == [2]
    assert (page["head"], page["more"]) == (2, False)


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "101"}, {"cursor": "AAAA"}, {"sort": "at"}])
def test_an_invalid_query_is_refused(product: Product, params: dict[str, str]) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    assert field_errors(ann.get(f"/rooms/{room['id']}/changes", params=params), 400).keys() == {
        f"/{name}" for name in params
    }


def test_a_cursor_is_valid_for_one_log_and_one_caller(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room, other = ann.open_room(), ann.open_room()
    bob.join(room)
    cursor = start(ann, room)

    for person, path in ((ann, f"/rooms/{other['id']}"), (bob, f"/rooms/{room['id']}"), (ann, "/users/me")):
        response = person.get(f"{path}/changes", params={"cursor": cursor})
        assert field_errors(response, 400) == {"/cursor": "invalid_cursor"}


def test_the_own_log_is_read_under_both_names_and_by_nobody_else(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    bob.join(ann.open_room())

    cursor = ann.get("/users/me/changes").json()["next_cursor"]
    task = ann.plan(title="Alone")
    me = ann.patch("/users/me", json={"email": "ann@example.org"}).json()
    product.deliver()

    page = ann.get(f"/users/{ann.id}/changes", params={"cursor": cursor}).json()
    now = {each["type"]: each for each in page["current"]}
    assert now == {"task": {"type": "task", **task}, "user": {"type": "user", **me}}
    for path in (f"/users/{ann.id}", f"/rooms/{ann.id}"):
        assert bob.get(f"{path}/changes").status == 404
        assert bob.get(f"{path}/changes", params={"cursor": cursor}).status in (400, 404)


def test_the_log_of_a_person_is_not_read_as_that_of_a_room(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    ann.open_room()
    bob.plan(title="secret")
    product.deliver()

    for room_id in (bob.id, ann.id, "x"):
        response = ann.get(f"/rooms/{room_id}/changes")
        assert (response.status, response.json()["code"]) == (404, "not_found"), response
