"""DELETE /rooms/{room_id}/users/{user_id} and DELETE /rooms/{room_id}: how memberships and rooms end."""

import json
from typing import Any

import pytest

from tests.support.client import Person
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.rooms_table import of_rooms


def leave(person: Person, room: Any) -> int:
    return person.delete(f"/rooms/{room['id']}/users/{person.id}").status


def traces(product: Product, room: Any) -> list[dict[str, Any]]:
    """Whatever still knows of the room, in any table; its retired code and its former members aside."""
    tables = ("UsersTable", "TasksTableV2", "SessionsTable")
    items = [*of_rooms(product), *(item for table in tables for item in product.items(table))]
    return [item for item in items if any(word in json.dumps(item, default=str) for word in (room["id"], room["code"]))]


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_any_member_may_leave(product: Product, role: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id, "role": role})

    response = bob.delete(f"/rooms/{room['id']}/users/{bob.id}")

    assert (response.status, response.text) == (204, "")
    assert bob.get(f"/rooms/{room['id']}").status == 404
    assert bob.list("/rooms") == []
    left = ann.get(f"/rooms/{room['id']}").json()
    assert (left["user_ids"], left["member_count"], left["version"]) == ([ann.id], 1, 3)


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_an_admin_removes_any_member_and_it_takes_effect_at_the_next_request(product: Product, role: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id, "role": role})
    assert bob.get(f"/rooms/{room['id']}").status == 200

    response = ann.delete(f"/rooms/{room['id']}/users/{bob.id}")

    assert response.status == 204
    assert bob.get(f"/rooms/{room['id']}").status == 404
    assert bob.post("/tasks", json={"title": "Too late", "room_id": room["id"]}).status == 404
    assert ann.get(f"/rooms/{room['id']}").json()["user_ids"] == [ann.id]


def test_a_user_who_is_no_member_cannot_be_removed(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()

    responses = [ann.delete(f"/rooms/{room['id']}/users/{user_id}") for user_id in (bob.id, "nobody")]

    assert [(response.status, response.json()["code"]) for response in responses] == [(404, "not_found")] * 2
    assert ann.get(f"/rooms/{room['id']}").json() == room


def test_leaving_twice_is_a_not_found(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)

    assert [leave(bob, room), leave(bob, room)] == [204, 404]
    assert ann.get(f"/rooms/{room['id']}").json()["member_count"] == 1


def test_the_last_admin_cannot_leave_while_others_remain(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)

    refused = ann.delete(f"/rooms/{room['id']}/users/{ann.id}")
    ann.patch(f"/rooms/{room['id']}/users/{bob.id}", json={"role": "admin"})
    after_a_handover = leave(ann, room)

    problem(refused, 409, "last_admin")
    assert after_a_handover == 204
    assert bob.list(f"/rooms/{room['id']}/users")[0]["role"] == "admin"


def test_the_last_admin_may_leave_when_alone(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    leave(bob, room)

    assert leave(ann, room) == 204
    assert ann.get(f"/rooms/{room['id']}").status == 404


def test_when_the_last_member_leaves_the_room_is_gone_at_once(product: Product) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"])
    leave(bob, room)

    leave(ann, room)

    # No stream record has been read yet.
    for person in (ann, bob, cleo):
        assert person.get(f"/rooms/{room['id']}").status == 404
        assert person.get(f"/rooms/{room['id']}/users").status == 404
        assert person.get(f"/rooms/{room['id']}/tasks").status == 404
        assert person.get(f"/tasks/{task['id']}").status == 404
        assert person.post("/tasks", json={"title": "Too late", "room_id": room["id"]}).status == 404
        assert person.list("/rooms") == person.list("/tasks") == []
        joining = person.post("/rooms/join", json={"code": room["code"]})
        problem(joining, 404, "unknown_code")


def test_a_removed_room_soon_leaves_no_items_in_any_table(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    for person in (ann, bob):
        person.plan(room_id=room["id"])
    leave(bob, room)
    leave(ann, room)
    assert traces(product, room) != []

    product.deliver()

    assert traces(product, room) == []


def test_removing_a_room_keeps_tasks_of_other_rooms(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    dying, living = ann.open_room(), ann.open_room()
    bob.join(living)
    kept = [bob.plan(room_id=living["id"]), bob.plan()]
    ann.plan(room_id=dying["id"])

    leave(ann, dying)
    product.deliver()

    assert [bob.get(f"/tasks/{task['id']}").json() for task in kept] == kept
    assert traces(product, dying) == []


def test_when_an_admin_deletes_a_room_every_membership_ends_at_once(product: Product) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room()
    bob.join(room)
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": cleo.id, "role": "admin"})
    task = bob.plan(room_id=room["id"])

    response = ann.delete(f"/rooms/{room['id']}")

    assert (response.status, response.text) == (204, "")
    for person in (ann, bob, cleo):
        assert person.get(f"/rooms/{room['id']}").status == 404
        assert person.get(f"/tasks/{task['id']}").status == 404
        assert person.patch(f"/tasks/{task['id']}", json={"title": "Too late"}).status == 404
        assert person.list("/rooms") == person.list("/tasks") == []
        joining = person.post("/rooms/join", json={"code": room["code"]})
        problem(joining, 404, "unknown_code")
    product.deliver()
    assert traces(product, room) == []


def test_a_room_can_be_deleted_once(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    assert [ann.delete(f"/rooms/{room['id']}").status for _ in range(2)] == [204, 404]
