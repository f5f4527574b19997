"""Cursors of task lists: opaque, and good for the list they belong to and for no other."""

from typing import Any

import pytest

from tests.support.client import Response
from tests.support.problems import field_errors
from tests.support.product import Product


def is_refused(response: Response) -> bool:
    return (response.status, response.json().get("code")) == (400, "invalid_cursor")


def test_a_cursor_works_with_another_page_size(product: Product) -> None:
    ann = product.register("ann")
    tasks = [ann.plan(title=f"Task {number}") for number in range(6)]
    first = ann.get("/tasks", params={"limit": 2}).json()

    second = ann.get("/tasks", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    rest = ann.get("/tasks", params={"cursor": second["next_cursor"]}).json()

    assert [page["items"] for page in (first, second, rest)] == [tasks[:2], tasks[2:5], tasks[5:]]
    assert rest["next_cursor"] is None


def test_a_cursor_can_be_reused(product: Product) -> None:
    ann = product.register("ann")
    for _ in range(3):
        ann.plan()
    cursor = ann.get("/tasks", params={"limit": 1}).json()["next_cursor"]

    pages = [ann.get("/tasks", params={"limit": 1, "cursor": cursor}).json() for _ in range(2)]

    assert pages[0] == pages[1]


def test_the_order_of_parameters_does_not_matter(product: Product) -> None:
    ann = product.register("ann")
    for _ in range(3):
        ann.plan()
    cursor = ann.get("/tasks?limit=1&status=pending&status=completed&sort=deadline").json()["next_cursor"]

    response = ann.get(f"/tasks?sort=deadline&cursor={cursor}&status=completed&limit=1&status=pending")

    assert response.status == 200


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"sort": "deadline"},
        {"sort": "-priority", "status": "pending"},
        {"sort": "-priority", "status": ["pending", "completed"], "priority": "medium"},
        {"sort": "priority", "status": ["pending", "completed"]},
    ],
)
def test_a_cursor_of_other_filters_or_another_order_is_refused(product: Product, parameters: dict[str, Any]) -> None:
    ann = product.register("ann")
    for _ in range(2):
        ann.plan()
    asked = {"sort": "-priority", "status": ["pending", "completed"], "limit": 1}
    cursor = ann.get("/tasks", params=asked).json()["next_cursor"]

    assert is_refused(ann.get("/tasks", params={**parameters, "limit": 1, "cursor": cursor}))


def test_a_cursor_of_another_list_or_another_user_is_refused(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room, other = ann.open_room(), ann.open_room()
    bob.join(room)
    for _ in range(2):
        ann.plan(room_id=room["id"])
        bob.plan(room_id=room["id"])
        ann.plan(room_id=other["id"])
    path = f"/rooms/{room['id']}/tasks"
    cursor = ann.get(path, params={"limit": 1}).json()["next_cursor"]
    asked = {"limit": 1, "cursor": cursor}

    assert ann.get(path, params=asked).status == 200
    assert is_refused(bob.get(path, params=asked))
    assert is_refused(ann.get(f"/rooms/{other['id']}/tasks", params=asked))
    assert is_refused(ann.get("/tasks", params=asked))
    assert is_refused(ann.get("/tasks", params={**asked, "room_id": room["id"]}))
    assert is_refused(ann.get("/rooms", params=asked))
    assert is_refused(ann.get(f"/rooms/{room['id']}/users", params=asked))
    assert is_refused(ann.get("/users", params=asked))


def test_an_altered_or_truncated_cursor_is_refused(product: Product) -> None:
    ann = product.register("ann")
    for _ in range(2):
        ann.plan()
    cursor = ann.get("/tasks", params={"limit": 1}).json()["next_cursor"]
    places = [*range(0, len(cursor), len(cursor) // 12), len(cursor) - 1]

    altered = [cursor[:i] + ("A" if cursor[i] != "A" else "B") + cursor[i + 1 :] for i in places]
    cut = [cursor[:i] for i in places if i] + [cursor[1:], cursor[4:]]
    longer = [cursor + "A", cursor + "AAAA", cursor + "=", "A" + cursor, cursor + cursor, cursor + "\n", f" {cursor}"]

    accepted = [
        each
        for each in altered + cut + longer
        if not is_refused(ann.get("/tasks", params={"limit": 1, "cursor": each}))
    ]
    assert accepted == []


@pytest.mark.parametrize("cursor", ["A", "0", "null", "%00", "ä", "🤷", "../..", "[0]", "A" * 2048, "=" * 40, "\x00"])
def test_an_invalid_cursor_is_refused(product: Product, cursor: str) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    for path in ("/tasks", "/rooms", "/users", f"/rooms/{room['id']}/tasks", f"/rooms/{room['id']}/users"):
        assert is_refused(ann.get(path, params={"cursor": cursor})), path


@pytest.mark.parametrize("cursor", ["", "A" * 2049])
def test_a_cursor_has_a_minimum_and_a_maximum_length(product: Product, cursor: str) -> None:
    ann = product.register("ann")

    response = ann.get("/tasks", params={"cursor": cursor})

    assert field_errors(response, 400).keys() == {"/cursor"}


def test_a_list_continues_after_a_deleted_task(product: Product) -> None:
    ann = product.register("ann")
    tasks = [ann.plan(title=f"Task {number}") for number in range(4)]
    for sort in ("created_at", "deadline", "priority"):
        cursor = ann.get("/tasks", params={"limit": 1, "sort": sort}).json()["next_cursor"]
        ann.delete_for_good(tasks[0])

        rest = ann.get("/tasks", params={"cursor": cursor, "sort": sort}).json()["items"]

        assert rest == tasks[1:]
        tasks = tasks[1:]
