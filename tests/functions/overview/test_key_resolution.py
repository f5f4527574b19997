"""POST /keys/resolve: what stands behind ids and codes, as far as the caller may see it; the rest is missing."""

from typing import Any

import pytest

from tests.functions.users.administrators import administrator, as_administrators_see
from tests.support.client import Person
from tests.support.memberships import end_membership
from tests.support.problems import field_errors
from tests.support.product import Product

Json = dict[str, Any]

NOTHING: Json = {"users": {}, "rooms": {}, "tasks": {}, "codes": {}, "missing": []}


def resolve(person: Person, **keys: list[str]) -> Json:
    response = person.post("/keys/resolve", json=keys)
    assert response.status == 200, response
    found: Json = response.json()
    return found


def test_an_empty_request_finds_nothing(product: Product) -> None:
    assert resolve(product.register()) == NOTHING


def test_visible_resources_are_shown_as_by_their_own_routes(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task, personal = ann.plan(room_id=room["id"], user_id=None), bob.plan()
    pasted = f" {room['code'][:3]}-{room['code'][3:]}\n"

    found = resolve(
        bob,
        users=[ann.id, bob.id],
        rooms=[room["id"]],
        tasks=[task["id"], personal["id"]],
        codes=[room["code"], room["code"].lower(), pasted],
    )

    assert found == {
        "users": {person.id: bob.get(f"/users/{person.id}").json() for person in (ann, bob)},
        "rooms": {room["id"]: bob.list("/rooms")[0]},
        "tasks": {task["id"]: task, personal["id"]: personal},
        "codes": dict.fromkeys([room["code"], room["code"].lower(), pasted], room["id"]),
        "missing": [],
    }


@pytest.mark.parametrize("way", ["never met", "left", "was removed", "whose room is gone"])
def test_invisible_resources_are_missing_like_unknown_ones(product: Product, way: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    task, personal = ann.plan(room_id=room["id"]), ann.plan()
    if way != "never met":
        bob.join(room)
        assert resolve(bob, tasks=[task["id"]])["missing"] == []
        end_membership(way, ann, bob, room["id"])

    found = resolve(
        bob,
        users=[ann.id, f"usr_{'0' * 32}"],
        rooms=[room["id"], f"room_{'0' * 32}"],
        tasks=[task["id"], personal["id"], f"{room['id']}.{'0' * 32}"],
        codes=[room["code"], "ZZZZZZZZZ"],
    )

    assert found == NOTHING | {
        "missing": [
            *(ann.id, f"usr_{'0' * 32}"),
            *(room["id"], f"room_{'0' * 32}"),
            *(task["id"], personal["id"], f"{room['id']}.{'0' * 32}"),
            *(room["code"], "ZZZZZZZZZ"),
        ]
    }


def test_codes_of_other_rooms_are_not_resolved(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    code = ann.open_room()["code"]
    calls = product.aws.permissions.calls
    resolve(bob, codes=["ZZZZZZZZZ"])  # counted: what follows is counted with it

    calls.clear()
    assert resolve(bob, codes=["ZZZZZZZZZ"])["missing"] == ["ZZZZZZZZZ"]
    of_no_room = calls.copy()
    calls.clear()
    assert resolve(bob, codes=[code])["missing"] == [code]

    assert calls == of_no_room


def test_a_replaced_code_is_missing(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    code = ann.post(f"/rooms/{room['id']}/code", json={}).json()["code"]

    found = resolve(ann, codes=[room["code"], code])

    assert (found["codes"], found["missing"]) == ({code: room["id"]}, [room["code"]])


def test_a_user_being_deleted_is_missing(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    bob.join(ann.open_room())
    bob.delete("/users/me")

    assert resolve(ann, users=[bob.id])["missing"] == [bob.id]


def test_an_administrator_sees_every_user_and_only_their_own_rooms(product: Product) -> None:
    root, ann = administrator(product), product.register("ann")
    room = ann.open_room()

    found = resolve(root, users=[ann.id], rooms=[room["id"]], codes=[room["code"]])

    assert found["users"] == {ann.id: as_administrators_see(ann)}
    assert found["missing"] == [room["id"], room["code"]]


def test_an_invalid_id_is_missing(product: Product) -> None:
    ann = product.register("ann")
    odd = ["", " ", "x" * 5000, "NAME#ann", "ME", "ROOM", "a/b", "\x00", "☃", "CODE#ABCDEF", f"{ann.id}.x", "room_"]

    for kind in ("users", "rooms", "tasks", "codes"):
        assert resolve(ann, **{kind: odd}) == NOTHING | {"missing": odd}


def test_a_duplicate_key_is_returned_once(product: Product) -> None:
    ann = product.register("ann")

    found = resolve(ann, users=[ann.id, ann.id, "nobody", "nobody"], rooms=["nobody"])

    assert (list(found["users"]), found["missing"]) == ([ann.id], ["nobody"])


def test_at_most_a_hundred_keys_are_accepted(product: Product) -> None:
    ann = product.register("ann")
    many = [f"usr_{number:032x}" for number in range(100)]

    assert resolve(ann, users=many[:50], tasks=many[50:])["missing"] == many
    response = ann.post("/keys/resolve", json={"users": many, "codes": ["ABCDEF"]})

    assert field_errors(response) == {"": "too_many"}


def test_wrong_types_are_named(product: Product) -> None:
    ann = product.register("ann")

    response = ann.post("/keys/resolve", json={"users": "x", "rooms": [1], "tasks": None, "codes": {}, "names": []})

    assert field_errors(response) == {
        "/users": "wrong_type",
        "/rooms": "wrong_type",
        "/tasks": "wrong_type",
        "/codes": "wrong_type",
        "/names": "unknown_field",
    }


def test_several_of_each_kind_take_as_many_round_trips_as_one(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    rooms = [ann.open_room() for _ in range(6)]
    for room in rooms:
        bob.join(room)
    tasks = [ann.plan(room_id=room["id"]) for room in rooms]
    calls = product.aws.permissions.calls
    resolve(bob, codes=["ZZZZZZZZZ"])  # counted: what follows is counted with it

    def taken(number: int) -> list[str]:
        calls.clear()
        found = resolve(
            bob,
            users=[ann.id, bob.id][:number],
            rooms=[room["id"] for room in rooms][:number],
            tasks=[task["id"] for task in tasks][:number],
            codes=[room["code"] for room in rooms][:number],
        )
        assert found["missing"] == []
        return calls.copy()

    assert taken(6) == taken(1)
    assert len(taken(1)) == 1 + 5  # the authorizer's, and the route's


def test_a_stale_index_entry_resolves_nothing(product: Product) -> None:
    """Whoever has just left may still be in the index; the room says that they are not."""
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    hint = next(item for item in product.items("RoomsTable") if item["item"] == f"MEMBER#{bob.id}")
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")
    product.aws.dynamodb.put_item(
        TableName="RoomsTable", Item={name: {"S": str(value)} for name, value in hint.items()}
    )

    found = resolve(bob, users=[ann.id], rooms=[room["id"]], codes=[room["code"]])

    assert found["missing"] == [ann.id, room["id"], room["code"]]
    assert bob.list("/rooms") == []
