"""DELETE /users/{user_id}: what goes with somebody, and what stays."""

import json
from typing import Any

import pytest

from tests.functions.room_cleanup.stream_deliveries import let_indexes_settle
from tests.functions.users.administrators import administrator
from tests.support import builders
from tests.support.client import Person
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.rooms_table import of_rooms


def roles(person: Person, room: Any) -> dict[str, str]:
    return {member["user_id"]: member["role"] for member in person.list(f"/rooms/{room['id']}/users")}


def items_about(product: Product, person: Person) -> list[dict[str, Any]]:
    """Items of any table that are the person's: not those that only say who did something."""
    tables = ("UsersTable", "RoomsTable", "TasksTableV2", "SessionsTable")
    items = [item for table in tables for item in product.items(table)]
    authors = ("created_by", "updated_by")
    return [
        item
        for item in items
        if person.id in json.dumps({k: v for k, v in item.items() if k not in authors}, default=str)
    ]


@pytest.mark.parametrize("path", ["me", "id"])
def test_deleting_an_account_signs_it_out_everywhere(product: Product, path: str) -> None:
    ann = product.register("ann")
    elsewhere = product.anonymous.sign_in(ann.username)

    response = ann.delete(f"/users/{ann.id if path == 'id' else 'me'}")

    assert (response.status, response.text) == (204, "")
    for session in (ann, elsewhere):
        problem(session.get("/users/me"), 401)
        problem(session.post("/rooms", json={}), 401)
        refreshed = product.anonymous.post("/auth/refresh", json={"refresh_token": session.refresh_token})
        problem(refreshed, 401, "invalid_token")
    for name in ({"username": ann.username}, {"email": ann.email}):
        problem(
            product.anonymous.post("/auth/login", json={**name, "password": ann.password}), 401, "invalid_credentials"
        )


def test_no_items_of_the_account_are_left(product: Product) -> None:
    ann = product.register("ann")
    ann.open_room()
    ann.plan()
    assert items_about(product, ann) != []

    ann.delete("/users/me")
    product.deliver()
    at_first = items_about(product, ann)
    let_indexes_settle(product)
    product.deliver()

    # The account itself stays, for nobody to see, until the indexes must have caught up.
    assert [(item["user_id"], item["status"]) for item in at_first] == [(ann.id, "deleting")]
    assert items_about(product, ann) == []
    assert product.items("UsersTable") == []


def test_name_and_address_are_free_again(product: Product) -> None:
    ann = product.register("ann")
    ann.delete("/users/me")

    again = product.register(username=ann.username, email=ann.email)

    assert again.id != ann.id
    assert again.list("/rooms") == again.list("/tasks") == []


def test_other_users_no_longer_see_the_deleted_user(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)

    bob.delete("/users/me")

    assert ann.get(f"/users/{bob.id}").status == 404
    assert [user["id"] for user in ann.list("/users")] == [ann.id]
    assert roles(ann, room) == {ann.id: "admin"}
    seen = ann.get(f"/rooms/{room['id']}").json()
    assert (seen["user_ids"], seen["member_count"]) == ([ann.id], 1)
    problem(ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id}), 422, "unknown_user")


def test_every_room_is_left(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    rooms = [ann.open_room() for _ in range(4)]
    for room in rooms:
        bob.join(room)

    bob.delete("/users/me")

    assert [ann.get(f"/rooms/{room['id']}").json()["member_count"] for room in rooms] == [1] * 4
    # Ann, who is alone and the admin, can leave: the counts are right.
    assert [ann.delete(f"/rooms/{room['id']}/users/{ann.id}").status for room in rooms] == [204] * 4


def test_the_longest_standing_member_becomes_the_admin_of_a_room_that_loses_its_last(product: Product) -> None:
    ann, vic, bob, cleo = (product.register(name) for name in ("ann", "vic", "bob", "cleo"))
    room = ann.open_room()
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": vic.id, "role": "viewer"})
    bob.join(room)
    cleo.join(room)

    ann.delete("/users/me")

    assert roles(cleo, room) == {vic.id: "viewer", bob.id: "admin", cleo.id: "member"}
    problem(bob.delete(f"/rooms/{room['id']}/users/{bob.id}"), 409, "last_admin")
    assert bob.patch(f"/rooms/{room['id']}", json={"name": "Bob's"}).status == 200


def test_with_only_viewers_left_the_longest_standing_one_becomes_admin(product: Product) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room()
    for person in (bob, cleo):
        ann.post(f"/rooms/{room['id']}/users", json={"user_id": person.id, "role": "viewer"})

    ann.delete("/users/me")

    assert roles(cleo, room) == {bob.id: "admin", cleo.id: "viewer"}


def test_with_another_admin_left_nobody_is_promoted(product: Product) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room()
    bob.join(room)
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": cleo.id, "role": "admin"})

    ann.delete("/users/me")

    assert roles(bob, room) == {bob.id: "member", cleo.id: "admin"}


def test_a_room_that_loses_its_last_member_is_deleted_with_its_tasks(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(code="GARDEN")
    ann.plan(room_id=room["id"])

    ann.delete("/users/me")
    problem(bob.post("/rooms/join", json={"code": "GARDEN"}), 404, "unknown_code")
    product.deliver()

    assert of_rooms(product) == product.items("TasksTableV2") == []


def test_room_tasks_stay_without_an_assignee(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    rooms = [ann.open_room(), ann.open_room()]
    for room in rooms:
        bob.join(room)
    theirs = [bob.plan(room_id=room["id"]) for room in rooms]
    mine = [ann.plan(room_id=room["id"]) for room in rooms]
    by_bob_for_ann = bob.plan(room_id=rooms[0]["id"], user_id=ann.id)

    bob.delete("/users/me")

    for task in theirs:
        left = ann.get(f"/tasks/{task['id']}")
        assert left.tagged_version == 2
        assert left.json() == {
            **task,
            "user_id": None,
            "assignee_ids": [],
            "version": 2,
            "updated_at": left.json()["updated_at"],
        }
    for task in (*mine, by_bob_for_ann):
        assert ann.get(f"/tasks/{task['id']}").json() == task
    assert ann.patch(f"/tasks/{theirs[0]['id']}", json={"user_id": ann.id}).status == 200


def test_tasks_in_rooms_left_before_are_unassigned_too(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"], user_id=bob.id)
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")

    bob.delete("/users/me")

    assert ann.get(f"/tasks/{task['id']}").json()["user_id"] is None


def test_personal_tasks_are_deleted(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    tasks = [ann.plan(title=f"Task {number}", description="long " * 101) for number in range(3)]
    ann.delete(f"/tasks/{tasks[0]['id']}")
    kept = bob.plan()

    ann.delete("/users/me")

    assert {item["item"].rpartition("#")[2] for item in product.items("TasksTableV2")} == {kept["id"]}


def test_an_account_is_deleted_only_in_the_version_that_is_named(product: Product) -> None:
    ann = product.register("ann")

    problem(ann.delete("/users/me", headers={"If-Match": '"2"'}), 412, "version_mismatch")
    assert ann.get("/users/me").status == 200
    assert ann.delete("/users/me", headers={"If-Match": '"1"'}).status == 204


def test_an_admin_deletes_a_user_once(product: Product) -> None:
    ann, bob, root = product.register("ann"), product.register("bob"), administrator(product)
    room = ann.open_room()
    bob.join(room)

    statuses = [root.delete(f"/users/{ann.id}").status for _ in range(2)]

    assert statuses == [204, 404]
    problem(ann.get("/users/me"), 401)
    assert roles(bob, room) == {bob.id: "admin"}
    assert ann.id not in {user["id"] for user in root.list("/users")}
    problem(root.get(f"/users/{ann.id}"), 404, "not_found")


def test_a_user_without_rooms_tasks_or_an_address_can_be_deleted(product: Product) -> None:
    response = product.anonymous.post("/auth/register", json={"username": "ann", "password": builders.PASSWORD})
    ann = Person(product.anonymous.connection, response.json(), builders.PASSWORD)

    assert ann.delete("/users/me").status == 204
    let_indexes_settle(product)
    product.deliver()
    assert product.items("UsersTable") == []
