"""PUT and PATCH /rooms/{room_id}, and POST /rooms/{room_id}/code."""

import re
from typing import Any

import pytest

from tests.support.client import Person
from tests.support.problems import field_errors, problem
from tests.support.product import Product


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_admin_renames_the_room_for_all_members(product: Product, method: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(name="Old")
    bob.join(room)

    response = ann.request(method, f"/rooms/{room['id']}", json={"name": "New"})

    assert (response.status, response.tagged_version) == (200, 3)
    changed = response.json()
    assert changed == {
        **room,
        "name": "New",
        "user_ids": [ann.id, bob.id],
        "member_count": 2,
        "updated_at": changed["updated_at"],
        "version": 3,
    }
    assert bob.get(f"/rooms/{room['id']}").json() == {**changed, "role": "member"}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_null_removes_the_name_and_an_absent_name_stays(product: Product, method: str) -> None:
    ann = product.register("ann")
    room = ann.open_room(name="Garden")
    path = f"/rooms/{room['id']}"

    absent = ann.request(method, path, json={})
    null = ann.request(method, path, json={"name": None})

    assert (absent.status, absent.json()) == (200, room)
    assert (null.status, null.json()["name"], null.json()["version"]) == (200, None, 2)
    assert ann.get(path).json() == null.json()


def test_setting_the_same_name_is_no_change(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room(name="Garden")

    response = ann.patch(f"/rooms/{room['id']}", json={"name": "Garden"})

    assert (response.status, response.json()) == (200, room)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"name": ""}, {"/name"}),
        ({"name": 5}, {"/name"}),
        ({"join_role": "admin"}, {"/join_role"}),
        ({"join_role": True}, {"/join_role"}),
        ({"code": "GARDEN"}, {"/code"}),
        ({"name": "x" * 256, "version": "2", "role": "viewer"}, {"/name", "/version", "/role"}),
    ],
)
def test_only_the_name_and_the_join_role_can_be_changed_to_valid_values(
    product: Product, body: dict[str, Any], pointers: set[str]
) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    responses = [ann.request(method, f"/rooms/{room['id']}", json=body) for method in ("PUT", "PATCH")]

    assert [field_errors(response).keys() for response in responses] == [pointers] * 2
    assert ann.get(f"/rooms/{room['id']}").json() == room


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_only_an_admin_changes_a_room(product: Product, role: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    path = f"/rooms/{room['id']}"
    ann.post(f"{path}/users", json={"user_id": bob.id, "role": role})
    before = ann.get(path).json()

    responses = [
        bob.put(path, json={"name": "Bob's"}),
        bob.patch(path, json={"name": "Bob's"}),
        bob.post(f"{path}/code"),
        bob.delete(path),
    ]

    assert [(response.status, response.json()["code"]) for response in responses] == [(403, "role_too_low")] * 4
    assert ann.get(path).json() == before


def changes(room_id: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The requests that change a room, and whose response depends on its version."""
    return [
        ("PUT", f"/rooms/{room_id}", {"name": "Changed"}),
        ("PATCH", f"/rooms/{room_id}", {"name": "Changed"}),
        ("POST", f"/rooms/{room_id}/code", {}),
        ("DELETE", f"/rooms/{room_id}", {}),
    ]


def send(person: Person, method: str, path: str, body: dict[str, Any], condition: str) -> int:
    options: dict[str, Any] = {} if method == "DELETE" else {"json": body}
    return person.request(method, path, headers={"If-Match": condition}, **options).status


def test_a_change_with_another_version_is_refused(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.patch(f"/rooms/{room['id']}", json={"name": "Changed meanwhile"})
    before = ann.get(f"/rooms/{room['id']}").json()

    statuses = [
        send(ann, *change, condition)
        for change in changes(room["id"])
        for condition in ('"1"', '"3"', 'W/"2"', '"1", "3"')
    ]

    assert statuses == [412] * 16
    assert ann.get(f"/rooms/{room['id']}").json() == before


@pytest.mark.parametrize("condition", ['"1"', "*", '"7", "1"'])
def test_a_change_with_the_current_version_succeeds(product: Product, condition: str) -> None:
    ann = product.register("ann")
    rooms = [ann.open_room() for _ in range(4)]

    statuses = [send(ann, *changes(room["id"])[number], condition) for number, room in enumerate(rooms)]

    assert statuses == [200, 200, 200, 204]
    assert [ann.get(f"/rooms/{room['id']}").json().get("version") for room in rooms] == [2, 2, 2, None]


def test_of_two_changes_with_one_version_the_second_is_refused(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    path = f"/rooms/{room['id']}"
    ann.post(f"{path}/users", json={"user_id": bob.id, "role": "admin"})
    tag = ann.get(path).headers["ETag"]

    first = ann.patch(path, json={"name": "Ann's"}, headers={"If-Match": tag})
    second = bob.patch(path, json={"name": "Bob's"}, headers={"If-Match": tag})

    assert (first.status, second.status, second.json()["code"]) == (200, 412, "version_mismatch")
    assert bob.get(path).json()["name"] == "Ann's"


def test_a_new_code_opens_the_room_and_the_old_one_does_not(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(code="GARDEN")

    response = ann.post(f"/rooms/{room['id']}/code")

    changed = response.json()
    assert (response.status, response.tagged_version) == (200, 2)
    assert re.fullmatch("[A-Z0-9]{9}", changed["code"])
    assert changed == {**room, "code": changed["code"], "updated_at": changed["updated_at"], "version": 2}
    assert ann.get(f"/rooms/{room['id']}").json() == changed
    refused = bob.post("/rooms/join", json={"code": "GARDEN"})
    problem(refused, 404, "unknown_code")
    assert bob.join(changed)["id"] == room["id"]


def test_a_new_code_cannot_be_chosen(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    response = ann.post(f"/rooms/{room['id']}/code", json={"code": "GARDEN"})

    assert field_errors(response).keys() == {"/code"}
    assert ann.get(f"/rooms/{room['id']}").json() == room
