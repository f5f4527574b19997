"""The members of a room: listing and adding them, and changing their roles."""

import re
from typing import Any

import pytest

from tests.support.problems import field_errors, problem
from tests.support.product import Product


def roles(person: Any, room: Any) -> dict[str, str]:
    return {member["user_id"]: member["role"] for member in person.list(f"/rooms/{room['id']}/users")}


def test_members_are_listed_in_the_order_they_joined(product: Product) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room()
    cleo.join(room)
    bob.join(room)

    response = bob.get(f"/rooms/{room['id']}/users")

    members = response.json()["items"]
    joined = [member.pop("joined_at") for member in members]
    assert response.status == 200
    assert members == [
        {"user_id": ann.id, "username": ann.username, "role": "admin"},
        {"user_id": cleo.id, "username": cleo.username, "role": "member"},
        {"user_id": bob.id, "username": bob.username, "role": "member"},
    ]
    assert joined == sorted(joined)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in joined)


def test_members_are_listed_page_by_page(product: Product) -> None:
    people = [product.register(f"person{number}") for number in range(5)]
    room = people[0].open_room()
    for person in people[1:]:
        person.join(room)
    expected = [person.id for person in people]

    for limit in (1, 2, 4, 5, 6):
        assert [member["user_id"] for member in people[3].list(f"/rooms/{room['id']}/users", limit=limit)] == expected
    full = people[3].get(f"/rooms/{room['id']}/users", params={"limit": 5})
    assert full.json()["next_cursor"] is None
    assert "Link" not in full.headers


def test_the_list_continues_after_members_who_left_meanwhile(product: Product) -> None:
    people = [product.register(f"person{number}") for number in range(4)]
    room = people[0].open_room()
    for person in people[1:]:
        person.join(room)
    path = f"/rooms/{room['id']}/users"
    page = people[0].get(path, params={"limit": 2}).json()

    people[1].delete(f"{path}/{people[1].id}")

    rest = people[0].get(path, params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [member["user_id"] for member in rest["items"]] == [people[2].id, people[3].id]
    assert rest["next_cursor"] is None


def test_a_cursor_is_empty_once_all_later_members_have_left(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    path = f"/rooms/{room['id']}/users"
    page = ann.get(path, params={"limit": 1}).json()

    bob.delete(f"{path}/{bob.id}")

    rest = ann.get(path, params={"limit": 1, "cursor": page["next_cursor"]})
    assert (rest.status, rest.json()) == (200, {"items": [], "next_cursor": None})


def test_a_changed_username_is_shown(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)

    bob.patch("/users/me", json={"username": f"{bob.username}-2"})

    names = [member["username"] for member in ann.list(f"/rooms/{room['id']}/users")]
    assert names == [ann.username, f"{bob.username}-2"]


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_an_admin_adds_a_user_in_any_role(product: Product, role: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()

    response = ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id, "role": role})

    added = response.json()
    assert response.status == 201
    assert response.headers["Location"] == f"/rooms/{room['id']}/users/{bob.id}"
    assert added == {"user_id": bob.id, "username": bob.username, "role": role, "joined_at": added["joined_at"]}
    assert ann.list(f"/rooms/{room['id']}/users")[1] == added
    seen = bob.get(f"/rooms/{room['id']}").json()
    assert (seen["role"], seen["member_count"], seen["version"]) == (role, 2, 2)


def test_a_user_added_without_a_role_is_a_member(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()

    response = ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id})

    assert (response.status, response.json()["role"]) == (201, "member")


def test_only_existing_users_can_be_added(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.delete("/users/me")

    responses = [
        ann.post(f"/rooms/{room['id']}/users", json={"user_id": user_id})
        for user_id in (bob.id, f"usr_{'0' * 32}", "nobody", "ME", "NAME#x"[:4])
    ]

    assert [(response.status, response.json()["code"]) for response in responses] == [(422, "unknown_user")] * 5
    assert {fault["pointer"] for response in responses for fault in response.json()["errors"]} == {"/user_id"}
    assert roles(ann, room) == {ann.id: "admin"}


def test_nobody_is_added_twice(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)

    responses = [
        ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id, "role": "admin"}),
        ann.post(f"/rooms/{room['id']}/users", json={"user_id": ann.id}),
    ]

    assert [(response.status, response.json()["code"]) for response in responses] == [(409, "already_member")] * 2
    assert roles(ann, room) == {ann.id: "admin", bob.id: "member"}


@pytest.mark.usefixtures("small_limits")
def test_nobody_is_added_to_a_full_room(product: Product) -> None:
    ann, bob, cleo, dan = (product.register(name) for name in ("ann", "bob", "cleo", "dan"))
    room = ann.open_room()
    bob.join(room)
    cleo.join(room)

    response = ann.post(f"/rooms/{room['id']}/users", json={"user_id": dan.id})

    problem(response, 409, "room_full")
    assert ann.get(f"/rooms/{room['id']}").json()["member_count"] == 3


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_only_an_admin_adds_removes_and_promotes_members(product: Product, role: str) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room()
    path = f"/rooms/{room['id']}/users"
    ann.post(path, json={"user_id": bob.id, "role": role})

    responses = [
        bob.post(path, json={"user_id": cleo.id}),
        bob.patch(f"{path}/{bob.id}", json={"role": "admin"}),
        bob.patch(f"{path}/{ann.id}", json={"role": "viewer"}),
        bob.patch(f"{path}/{cleo.id}", json={"role": "viewer"}),
        bob.delete(f"{path}/{ann.id}"),
        bob.delete(f"{path}/{cleo.id}"),
    ]

    assert [(response.status, response.json()["code"]) for response in responses] == [(403, "role_too_low")] * 6
    assert roles(ann, room) == {ann.id: "admin", bob.id: role}


def test_a_new_role_takes_effect_at_the_next_request(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    path = f"/rooms/{room['id']}/users/{bob.id}"

    promoted = ann.patch(path, json={"role": "admin"})
    as_admin = bob.patch(f"/rooms/{room['id']}", json={"name": "Bob's"})
    demoted = ann.patch(path, json={"role": "viewer"})
    as_viewer = bob.patch(f"/rooms/{room['id']}", json={"name": "Bob's again"})

    expected = {"user_id": bob.id, "username": bob.username, "joined_at": promoted.json()["joined_at"]}
    assert (promoted.status, promoted.json()) == (200, {**expected, "role": "admin"})
    assert (demoted.status, demoted.json()) == (200, {**expected, "role": "viewer"})
    assert (as_admin.status, as_viewer.status) == (200, 403)


def test_the_last_admin_cannot_give_up_the_role(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()

    alone = ann.patch(f"/rooms/{room['id']}/users/{ann.id}", json={"role": "member"})
    bob.join(room)
    responses = [alone] + [
        ann.patch(f"/rooms/{room['id']}/users/{ann.id}", json={"role": role}) for role in ("member", "viewer")
    ]

    assert [(response.status, response.json()["code"]) for response in responses] == [(409, "last_admin")] * 3
    assert roles(bob, room) == {ann.id: "admin", bob.id: "member"}


def test_one_of_two_admins_can_give_up_the_role(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    path = f"/rooms/{room['id']}/users"
    ann.patch(f"{path}/{bob.id}", json={"role": "admin"})

    stepped_down = ann.patch(f"{path}/{ann.id}", json={"role": "viewer"})
    by_former = ann.patch(f"{path}/{bob.id}", json={"role": "member"})
    by_last = bob.patch(f"{path}/{bob.id}", json={"role": "member"})

    assert (stepped_down.status, stepped_down.json()["role"]) == (200, "viewer")
    problem(by_former, 403, "role_too_low")
    problem(by_last, 409, "last_admin")
    assert roles(ann, room) == {ann.id: "viewer", bob.id: "admin"}


def test_of_two_admins_only_one_can_demote_the_other(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    path = f"/rooms/{room['id']}/users"
    ann.post(path, json={"user_id": bob.id, "role": "admin"})

    first = ann.patch(f"{path}/{bob.id}", json={"role": "member"})
    second = bob.patch(f"{path}/{ann.id}", json={"role": "member"})

    assert (first.status, second.status) == (200, 403)
    assert roles(ann, room) == {ann.id: "admin", bob.id: "member"}


def test_setting_the_same_role_is_no_change(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()

    response = ann.patch(f"/rooms/{room['id']}/users/{ann.id}", json={"role": "admin"})

    assert (response.status, response.json()["role"]) == (200, "admin")
    assert ann.get(f"/rooms/{room['id']}").json() == room


def test_the_role_of_a_user_who_is_no_member_cannot_be_changed(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()

    responses = [
        ann.patch(f"/rooms/{room['id']}/users/{user_id}", json={"role": "viewer"}) for user_id in (bob.id, "nobody")
    ]

    assert [(response.status, response.json()["code"]) for response in responses] == [(404, "not_found")] * 2


@pytest.mark.parametrize(
    ("method", "body", "pointers"),
    [
        ("POST", {}, {"/user_id"}),
        ("POST", {"user_id": None, "role": None}, {"/user_id", "/role"}),
        ("POST", {"user_id": "a b", "role": "owner", "joined_at": "now"}, {"/user_id", "/role", "/joined_at"}),
        ("PATCH", {}, {"/role"}),
        ("PATCH", {"role": "Admin"}, {"/role"}),
        ("PATCH", {"role": ["admin"], "colour": "red"}, {"/role", "/colour"}),
    ],
)
def test_wrong_missing_and_unknown_fields_are_named(
    product: Product, method: str, body: dict[str, Any], pointers: set[str]
) -> None:
    ann = product.register("ann")
    path = f"/rooms/{ann.open_room()['id']}/users"

    response = ann.request(method, path if method == "POST" else f"{path}/{ann.id}", json=body)

    assert field_errors(response).keys() == pointers
