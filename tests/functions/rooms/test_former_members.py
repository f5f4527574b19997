"""Leaving and joining again gives nobody a higher role, and whom an admin removed no code brings back."""

from typing import Any

import pytest

from tests.support.client import Person, Response
from tests.support.problems import problem
from tests.support.product import Product

Json = dict[str, Any]


def add(admin: Person, room: Json, person: Person, role: str) -> Response:
    return admin.post(f"/rooms/{room['id']}/users", json={"user_id": person.id, "role": role})


def end(actor: Person, room: Json, person: Person) -> None:
    assert actor.delete(f"/rooms/{room['id']}/users/{person.id}").status == 204


def try_code(person: Person, code: str) -> Response:
    return person.post("/rooms/join", json={"code": code})


def without_request_id(response: Response) -> Json:
    return {name: value for name, value in response.json().items() if name != "request_id"}


@pytest.mark.parametrize(
    ("join_role", "left_as", "comes_back_as"),
    [
        ("member", "viewer", "viewer"),
        ("member", "member", "member"),
        ("member", "admin", "member"),
        ("viewer", "viewer", "viewer"),
        ("viewer", "member", "viewer"),
        ("viewer", "admin", "viewer"),
    ],
)
def test_a_rejoining_member_has_the_lower_of_the_rooms_role_and_their_last_role(
    product: Product, join_role: str, left_as: str, comes_back_as: str
) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(join_role=join_role)
    add(ann, room, bob, left_as)

    for _ in range(2):  # what one came back as is not one's last word either
        end(bob, room, bob)
        back = try_code(bob, room["code"])
        assert (back.status, back.json()["role"]) == (200, comes_back_as)

    assert ann.list(f"/rooms/{room['id']}/users")[-1]["role"] == comes_back_as


def test_only_the_last_role_counts(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    member = f"/rooms/{room['id']}/users/{bob.id}"
    bob.join(room)
    ann.patch(member, json={"role": "viewer"})
    end(bob, room, bob)
    demoted = bob.join(room)["role"]
    ann.patch(member, json={"role": "member"})
    end(bob, room, bob)

    promoted = bob.join(room)["role"]

    assert (demoted, promoted) == ("viewer", "member")


@pytest.mark.parametrize("role", ["viewer", "member", "admin"])
def test_a_removed_member_cannot_join_by_code_until_an_admin_adds_them(product: Product, role: str) -> None:
    ann, bob, eve = product.register("ann"), product.register("bob"), product.register("eve")
    room = ann.open_room()
    add(ann, room, bob, role)
    end(ann, room, bob)
    renewed = ann.post(f"/rooms/{room['id']}/code").json()["code"]

    refused = [try_code(bob, code) for code in (renewed, room["code"])]
    unknown = try_code(bob, "NOSUCH")
    others = try_code(eve, renewed)
    added = add(ann, room, bob, "member")
    end(bob, room, bob)
    back = try_code(bob, renewed)

    for response in refused:
        problem(response, 404, "unknown_code")
        assert without_request_id(response) == without_request_id(unknown)
    assert (others.status, added.status) == (200, 201)
    assert (back.status, back.json()["role"]) == (200, "member")


def test_a_removed_member_does_not_learn_about_room_or_user_limits(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    end(ann, room, bob)
    ann.patch(f"/rooms/{room['id']}", json={"join_role": None})

    problem(try_code(bob, room["code"]), 404, "unknown_code")


def test_nobody_joins_by_code_while_joining_is_off(product: Product) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room(join_role=None)
    path = f"/rooms/{room['id']}"

    refused = try_code(bob, room["code"])
    unknown = try_code(bob, "NOSUCH")
    member = try_code(ann, room["code"])
    added = add(ann, room, bob, "viewer")
    opened = ann.patch(path, json={"join_role": "viewer"})
    joined = try_code(cleo, room["code"])
    unchanged = ann.put(path, json={"join_role": "viewer"})

    assert room["join_role"] is None
    problem(refused, 404, "unknown_code")
    assert without_request_id(refused) == without_request_id(unknown)
    problem(member, 409, "already_member")
    assert added.status == 201
    assert (opened.status, opened.json()["join_role"]) == (200, "viewer")
    assert (joined.status, joined.json()["role"], joined.json()["join_role"]) == (200, "viewer", "viewer")
    assert unchanged.json()["version"] == opened.json()["version"] + 1  # by the join alone
    assert {each["join_role"] for each in (*ann.list("/rooms"), *ann.get("/").json()["rooms"])} == {"viewer"}


def test_a_new_user_with_the_same_name_is_no_former_member(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    end(ann, room, bob)

    assert bob.delete("/users/me").status == 204
    assert [item for item in product.items("RoomsTable") if item["kind"] == "former"] == []
    assert product.register("bob", username=bob.username).join(room)["role"] == "member"


def test_closing_a_room_and_deleting_an_account_create_no_former_member(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    closed, left = ann.open_room(), ann.open_room()
    for room in (closed, left):
        add(ann, room, bob, "admin")
    ann.delete(f"/rooms/{closed['id']}")
    ann.delete("/users/me")
    product.deliver()

    assert bob.get("/users/me/export").json()["former_rooms"] == []
    assert [item for item in product.items("RoomsTable") if item["kind"] == "former"] == []


def test_the_export_lists_former_rooms_and_how_the_membership_ended(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    rooms = [ann.open_room() for _ in range(3)]
    for room in rooms:
        add(ann, room, bob, "viewer")
    end(bob, rooms[0], bob)
    end(ann, rooms[1], bob)

    former = bob.get("/users/me/export").json()["former_rooms"]

    assert [(each["room_id"], each["role"]) for each in former] == [
        (rooms[0]["id"], "viewer"),
        (rooms[1]["id"], "removed"),
    ]
    assert [each["left_at"] for each in former] == [
        ann.get(f"/rooms/{room['id']}").json()["updated_at"] for room in rooms[:2]
    ]
    assert ann.get("/users/me/export").json()["former_rooms"] == []


def test_a_viewer_never_sees_a_code(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(code="GARDEN789")
    path = f"/rooms/{room['id']}"
    key = {"Idempotency-Key": "renewed by Bob"}
    add(ann, room, bob, "admin")
    current = bob.post(f"{path}/code", headers=key).json()["code"]
    before = bob.get("/").json()["rooms"][0]["code"]
    ann.patch(f"{path}/users/{bob.id}", json={"role": "viewer"})
    product.deliver()

    seen = {
        "room": bob.get(path),
        "list": bob.get("/rooms"),
        "overview": bob.get("/"),
        "rooms by id": bob.post("/keys/resolve", json={"rooms": [room["id"]]}),
        "export": bob.get("/users/me/export"),
        "trail": bob.get(f"{path}/activity"),
        "repeated": bob.post(f"{path}/code", headers=key),
    }
    codes = bob.post("/keys/resolve", json={"codes": [current, current.lower(), "NOSUCH"]}).json()

    assert before == current
    assert {name: response.status for name, response in seen.items()} == dict.fromkeys(seen, 200)
    assert {
        name for name, response in seen.items() if current in response.text or room["code"] in response.text
    } == set()
    assert (seen["room"].json()["code"], seen["repeated"].json()["code"]) == (None, None)
    assert "Idempotency-Replayed" in seen["repeated"].headers
    renewal = next(entry for entry in seen["trail"].json()["items"] if "code" in entry["changes"])
    assert renewal["changes"]["code"] == {"old": None, "new": None}
    assert (codes["codes"], codes["missing"]) == ({}, [current, current.lower(), "NOSUCH"])
    assert ann.get(path).json()["code"] == ann.get("/").json()["rooms"][0]["code"] == current


def test_joining_as_a_viewer_does_not_show_the_code(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(join_role="viewer")
    key = {"Idempotency-Key": "one"}

    joined = bob.post("/rooms/join", json={"code": room["code"]}, headers=key)
    end(bob, room, bob)
    repeated = bob.post("/rooms/join", json={"code": room["code"]}, headers=key)

    assert (joined.json()["code"], repeated.json()) == (None, joined.json())
    assert ann.list(f"/rooms/{room['id']}/users")[1:] == []


def test_a_stored_response_shows_the_code_to_authorized_callers_only(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    key = {"Idempotency-Key": "one"}
    first = bob.post("/rooms/join", json={"code": room["code"]}, headers=key)

    as_member = bob.post("/rooms/join", json={"code": room["code"]}, headers=key)
    end(ann, room, bob)
    as_stranger = bob.post("/rooms/join", json={"code": room["code"]}, headers=key)

    assert as_member.json() == first.json()
    assert as_stranger.json() == {**first.json(), "code": None}
