"""A long description is stored beside its task: lists have the beginning of it, under another name."""

from typing import Any

import pytest

from tests.support.client import Person
from tests.support.product import Product
from tests.support.stored_tasks import TABLE

Json = dict[str, Any]

SHORT, LONG, OTHER = "a" * 500, "b" * 501, "b" * 500 + "c" * 9_500


def lists(person: Person, task: Json) -> list[Json]:
    """The task as each list shows it."""
    room_id = task["room_id"]
    return [
        *person.list(f"/rooms/{room_id}/tasks"),
        *person.list(f"/rooms/{room_id}/tasks", user_id=person.id),
        *person.list("/tasks"),
        *person.get("/", headers={"Cache-Control": "no-cache"}).json()["tasks"],
        *person.post("/keys/resolve", json={"tasks": [task["id"]]}).json()["tasks"].values(),
    ]


def texts(product: Product) -> list[str]:
    return [item["text"] for item in product.items(TABLE) if item["item"].startswith("D#")]


@pytest.fixture
def ann(product: Product) -> Person:
    return product.register("ann")


def test_lists_have_an_excerpt_and_everything_else_the_whole(product: Product, ann: Person) -> None:
    task = ann.plan(room_id=ann.open_room()["id"], description=LONG)

    shown = lists(ann, task)

    excerpt = {name: value for name, value in task.items() if name != "description"} | {
        "description_excerpt": "b" * 500
    }
    assert task["description"] == LONG
    assert shown == [excerpt] * 5
    assert ann.get(f"/tasks/{task['id']}").json() == task
    assert ann.get("/users/me/export").json()["tasks"] == [task]
    assert texts(product) == [LONG]


@pytest.mark.parametrize("before", [None, SHORT, LONG])
@pytest.mark.parametrize("after", [None, SHORT, LONG, OTHER])
def test_every_change_is_stored_and_shown_whole(
    product: Product, ann: Person, before: str | None, after: str | None
) -> None:
    task = ann.plan(room_id=ann.open_room()["id"], description=before)

    response = ann.patch(f"/tasks/{task['id']}", json={"description": after})

    assert response.json()["description"] == after
    assert ann.get(f"/tasks/{task['id']}").json() == response.json()
    assert [each.get("description", each.get("description_excerpt")) for each in lists(ann, task)] == [
        after[:500] if after else None
    ] * 5
    assert texts(product) == ([after] if after in (LONG, OTHER) else [])
    ann.delete(f"/tasks/{task['id']}")
    ann.delete(f"/rooms/{task['room_id']}/trash/{task['id']}")
    assert product.items(TABLE) == []


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_a_list_returned_can_be_sent_back(ann: Person, method: str) -> None:
    task = ann.plan(description=LONG)
    [listed] = ann.list("/tasks")

    unchanged = ann.request(method, f"/tasks/{task['id']}", json=listed)
    renamed = ann.request(method, f"/tasks/{task['id']}", json={**listed, "title": "B", "description_excerpt": "cut"})

    assert unchanged.json() == task
    assert renamed.json() == {
        **task,
        "title": "B",
        "version": 2,
        "updated_at": renamed.json()["updated_at"],
    }


def test_only_the_end_of_a_description_changes(product: Product, ann: Person) -> None:
    room = ann.open_room()
    task = ann.plan(room_id=room["id"], description=LONG)
    path, headers = f"/tasks/{task['id']}", {"Idempotency-Key": "end", "If-Match": '"1"'}

    changed = ann.patch(path, json={"description": OTHER}, headers=headers)
    replayed = ann.patch(path, json={"description": OTHER}, headers=headers)
    stale = ann.patch(path, json={"description": LONG}, headers={"If-Match": '"1"'})
    product.deliver()

    assert (changed.status, changed.tagged_version, changed.json()["description"]) == (200, 2, OTHER)
    assert (replayed.status, replayed.text) == (200, changed.text)
    assert replayed.headers["Idempotency-Replayed"] == "true"
    assert stale.status == 412
    assert ann.get(path, headers={"If-None-Match": changed.headers["ETag"]}).status == 304
    entry = ann.list(f"/rooms/{room['id']}/activity")[0]
    beginning = "b" * 500 + "…"
    assert entry["changes"] == {"description": {"old": beginning, "new": beginning}}


def test_unassigning_keeps_the_whole_description(product: Product, ann: Person) -> None:
    bob = product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"], description=LONG, user_id=bob.id)

    bob.delete("/users/me")
    product.deliver()

    left = ann.get(f"/tasks/{task['id']}").json()
    assert (left["user_id"], left["description"]) == (None, LONG)


def test_a_room_is_purged_with_its_descriptions(product: Product, ann: Person) -> None:
    room = ann.open_room()
    ann.plan(room_id=room["id"], description=LONG)

    ann.delete(f"/rooms/{room['id']}")
    product.deliver()

    assert product.items(TABLE) == []
