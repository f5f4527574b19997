"""A person's new name is in the logs of their rooms, so that whoever follows a room reads its members again."""

import json

import pytest

from tests.functions.activity.test_redelivered_records import everything, forget, numbers, records
from tests.functions.activity.trails import FUNCTION, Json, changed, markers, trail
from tests.functions.room_cleanup.stream_deliveries import hand_over, outage
from tests.functions.users.administrators import administrator
from tests.support.client import Person
from tests.support.product import Product


def of_users(person: Person, room: Json) -> list[Json]:
    return [entry for entry in trail(person, room) if entry["resource"] == "user"]


def of_user(delivered: list[Json], person: Person) -> list[Json]:
    return [each for each in delivered if each["dynamodb"]["Keys"].get("user_id", {}).get("S") == person.id]


def in_rooms(product: Product, number: int) -> tuple[Person, Person, list[Json]]:
    """Ann and Bob, and rooms in which both are."""
    ann, bob = product.register("ann"), product.register("bob")
    rooms = [bob.open_room() for _ in range(number)]
    for room in rooms:
        ann.join(room)
    product.deliver()
    return ann, bob, rooms


def test_it_is_an_entry_of_each_room_without_the_name(product: Product) -> None:
    ann, bob, rooms = in_rooms(product, 2)
    renamed = ann.patch("/users/me", json={"username": f"{ann.username}-2"})
    product.deliver()

    for room in rooms:
        [entry] = of_users(bob, room)
        assert entry | {"id": "", "at": ""} == {
            "id": "",
            "seq": 3,
            "at": "",
            "actor_id": ann.id,
            "action": "updated",
            "resource": "user",
            "resource_id": ann.id,
            "changes": changed(username=(None, None)),
            "request_id": renamed.headers["X-Request-Id"],
            "version": None,
            "revision": None,
        }
    assert ann.username not in json.dumps([trail(bob, room) for room in rooms])


def test_no_other_change_of_a_profile_is_an_entry_of_a_room(product: Product) -> None:
    ann, bob, [room] = in_rooms(product, 1)
    ann.patch("/users/me", json={"email": "post@example.org", "added_by": "nobody"})
    ann.post("/auth/password", json={"current_password": ann.password, "new_password": "eleven quiet herons 47"})
    product.deliver()

    assert of_users(bob, room) == []


def test_former_rooms_are_not_told_and_nobody_learns_which_admin_did_it(product: Product) -> None:
    ann, bob, [left, stayed] = in_rooms(product, 2)
    ann.delete(f"/rooms/{left['id']}/users/{ann.id}")
    root = administrator(product)
    assert root.patch(f"/users/{ann.id}", json={"username": f"{ann.username}-2"}).status == 200
    product.deliver()

    [entry] = of_users(bob, stayed)
    assert (entry["actor_id"], entry["request_id"]) == (None, None)
    assert of_users(bob, left) == []


def test_redelivered_and_reordered_records_of_users_tell_a_room_once(product: Product) -> None:
    ann, bob, [room] = in_rooms(product, 1)
    for number in range(2):
        ann.patch("/users/me", json={"username": f"{ann.username}-{number}"})
    first, second = of_user(records(product.deliver(to=FUNCTION)), ann)
    forget(product)

    for each in ([second], [first], [first, second], [second]):
        assert hand_over(product, FUNCTION, each) == []

    assert [entry["action"] for entry in of_users(bob, room)] == ["updated"]
    assert {"revision", "expires_at"} <= markers(product)[ann.id].keys()


def test_a_room_whose_log_fails_keeps_no_other_back_and_is_told_later(product: Product) -> None:
    ann, bob, rooms = in_rooms(product, 3)
    ann.patch("/users/me", json={"username": f"{ann.username}-2"})
    failing = min(room["id"] for room in rooms)

    with outage(failing, after=1):  # its membership is read
        [interrupted] = product.deliver(to=FUNCTION)
    reported = [len(of_users(bob, room)) for room in rooms]
    [again] = product.deliver(to=FUNCTION)
    after = everything(product)
    hand_over(product, FUNCTION, again.records)

    assert interrupted.failed == numbers(interrupted.records)[:1]
    assert sum(reported) == 2
    assert again.failed == []
    assert [len(of_users(bob, room)) for room in rooms] == [1, 1, 1]
    assert everything(product) == after


@pytest.mark.parametrize("image", ["NewImage", "OldImage"])
def test_a_name_that_is_missing_in_a_record_is_another_name(product: Product, image: str) -> None:
    ann, bob, [room] = in_rooms(product, 1)
    ann.patch("/users/me", json={"email": "post@example.org"})
    [record] = of_user(records(product.deliver(to=FUNCTION)), ann)
    forget(product)
    del record["dynamodb"][image]["username"]

    assert hand_over(product, FUNCTION, [record, record]) == []

    assert [entry["action"] for entry in of_users(bob, room)] == ["updated"]


@pytest.mark.parametrize("image", ["NewImage", "OldImage"])
def test_a_record_that_cannot_be_read_may_be_a_new_name(product: Product, image: str) -> None:
    ann, bob, [room] = in_rooms(product, 1)
    ann.patch("/users/me", json={"email": "post@example.org"})
    [record] = of_user(records(product.deliver(to=FUNCTION)), ann)
    forget(product)
    record["dynamodb"][image]["status"] = {"S": "unheard of"}

    assert hand_over(product, FUNCTION, [record, record]) == []

    assert [(entry["action"], entry["resource_id"]) for entry in of_users(bob, room)] == [("refetch", ann.id)]


def test_a_deleted_person_has_no_new_name(product: Product) -> None:
    ann, bob, [room] = in_rooms(product, 1)
    ann.delete("/users/me")
    product.deliver()

    assert of_users(bob, room) == []


def test_the_export_has_a_new_name_once(product: Product) -> None:
    ann, _, _ = in_rooms(product, 2)
    ann.patch("/users/me", json={"username": f"{ann.username}-2"})
    product.deliver()

    found = [
        (entry["action"], entry["room_id"])
        for entry in ann.get("/users/me/export").json()["activity"]
        if entry["resource"] == "user"
    ]
    assert found == [("updated", None), ("created", None)]
