"""Whoever is no member of a room is told exactly what they are told of a room that does not exist."""

from typing import Any

import pytest

from tests.functions.users.administrators import administrator
from tests.support.client import Person
from tests.support.product import Product

UNKNOWN_ROOM = f"room_{'0' * 32}"

REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/rooms/{room}", {}),
    ("GET", "/rooms/{room}", {"headers": {"If-None-Match": "*"}}),
    ("PUT", "/rooms/{room}", {"json": {"name": "Mine"}}),
    ("PATCH", "/rooms/{room}", {"json": {"name": "Mine"}}),
    ("PATCH", "/rooms/{room}", {"json": {"name": "Mine"}, "headers": {"If-Match": '"99"'}}),
    ("PATCH", "/rooms/{room}", {"json": {"name": 5, "code": "GARDEN"}}),
    ("DELETE", "/rooms/{room}", {}),
    ("DELETE", "/rooms/{room}", {"headers": {"If-Match": '"99"'}}),
    ("POST", "/rooms/{room}/code", {"json": {}}),
    ("POST", "/rooms/{room}/code", {"json": {}, "headers": {"If-Match": '"99"'}}),
    ("GET", "/rooms/{room}/users", {}),
    ("GET", "/rooms/{room}/users", {"params": {"limit": "1"}}),
    ("GET", "/rooms/{room}/users", {"params": {"cursor": "AAAA"}}),
    ("POST", "/rooms/{room}/users", {"json": {"user_id": "{caller}"}}),
    ("POST", "/rooms/{room}/users", {"json": {"user_id": "{member}", "role": "viewer"}}),
    ("POST", "/rooms/{room}/users", {"json": {"user_id": "nobody"}}),
    ("PATCH", "/rooms/{room}/users/{member}", {"json": {"role": "viewer"}}),
    ("PATCH", "/rooms/{room}/users/{caller}", {"json": {"role": "admin"}}),
    ("DELETE", "/rooms/{room}/users/{member}", {}),
    ("DELETE", "/rooms/{room}/users/{caller}", {}),
    ("GET", "/rooms/{room}/activity", {}),
    ("GET", "/rooms/{room}/activity", {"params": {"limit": "1"}}),
    ("GET", "/rooms/{room}/tasks", {}),
    ("GET", "/rooms/{room}/tasks", {"params": {"sort": "-deadline", "status": "pending"}}),
    ("GET", "/tasks", {"params": {"room_id": "{room}"}}),
    ("POST", "/tasks", {"json": {"title": "Mine", "room_id": "{room}"}}),
    ("POST", "/tasks", {"json": {"title": "Mine", "room_id": "{room}", "user_id": "{member}"}}),
]


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(each, names) for key, each in value.items()}
    return value.format_map(names) if isinstance(value, str) else value


def responses(person: Person, room_id: str, member_id: str) -> list[tuple[int, dict[str, str], str]]:
    """Of every request: status, headers and body, without what differs between any two responses."""
    names = {"room": room_id, "member": member_id, "caller": person.id}
    return [
        person.request(method, filled(path, names), **filled(options, names)).told()
        for method, path, options in REQUESTS
    ]


def test_a_stranger_cannot_see_that_a_room_exists(product: Product) -> None:
    ann, eve = product.register("ann"), product.register("eve")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    before = ann.get(f"/rooms/{room['id']}").json(), ann.list(f"/rooms/{room['id']}/tasks")

    existing, unknown = (responses(eve, room_id, ann.id) for room_id in (room["id"], UNKNOWN_ROOM))

    assert existing == unknown
    assert {status for status, _, _ in existing} == {404, 400}
    assert before == (ann.get(f"/rooms/{room['id']}").json(), ann.list(f"/rooms/{room['id']}/tasks"))


@pytest.mark.parametrize("way", ["left", "was removed", "outlived it"])
def test_a_former_member_cannot_see_that_a_room_exists(product: Product, way: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    match way:
        case "left":
            bob.delete(f"/rooms/{room['id']}/users/{bob.id}")
        case "was removed":
            ann.delete(f"/rooms/{room['id']}/users/{bob.id}")
        case "outlived it":
            ann.delete(f"/rooms/{room['id']}")

    assert responses(bob, room["id"], ann.id) == responses(bob, UNKNOWN_ROOM, ann.id)


@pytest.mark.parametrize("room_id", ["%20", "a%2Fb", "x" * 101, "r%C3%A4ume", "room_%00", "usr_" + "0" * 32])
def test_an_invalid_room_id_gets_the_response_of_an_unknown_one(product: Product, room_id: str) -> None:
    ann = product.register("ann")

    statuses = [
        ann.get(f"/rooms/{room_id}").status,
        ann.patch(f"/rooms/{room_id}", json={}).status,
        ann.delete(f"/rooms/{room_id}").status,
        ann.get(f"/rooms/{room_id}/users").status,
        ann.get(f"/rooms/{room_id}/tasks").status,
    ]

    assert statuses == [404] * 5


def test_an_administrator_is_a_stranger_to_other_rooms(product: Product) -> None:
    ann, root = product.register("ann"), administrator(product)
    room = ann.open_room()

    assert responses(root, room["id"], ann.id) == responses(root, UNKNOWN_ROOM, ann.id)
