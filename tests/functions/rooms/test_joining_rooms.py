"""POST /rooms/join."""

from typing import Any

import pytest

from tests.support.problems import field_errors, problem
from tests.support.product import Product


def test_a_valid_code_makes_the_caller_a_member(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()

    response = bob.post("/rooms/join", json={"code": room["code"]})

    joined = response.json()
    assert (response.status, response.tagged_version) == (200, 2)
    assert joined == {
        **room,
        "user_ids": [ann.id, bob.id],
        "member_count": 2,
        "role": "member",
        "updated_at": joined["updated_at"],
        "version": 2,
    }
    assert bob.get(f"/rooms/{room['id']}").json() == joined
    assert [each["id"] for each in bob.list("/rooms")] == [room["id"]]


def test_a_code_is_accepted_in_any_spelling(product: Product) -> None:
    ann, bob, cleo = product.register("ann"), product.register("bob"), product.register("cleo")
    room = ann.open_room(code="Garden7")

    responses = [bob.post("/rooms/join", json={"code": "garden7"}), cleo.post("/rooms/join", json={"code": "gArDeN7"})]

    assert [(response.status, response.json()["id"]) for response in responses] == [(200, room["id"])] * 2


def test_spaces_hyphens_and_line_breaks_in_a_pasted_code_are_ignored(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room(code="GARDEN789")
    spellings = [
        " garden789\r\n",
        "GAR-DEN-789",
        "gar den\t789",
        "GAR\N{NON-BREAKING HYPHEN}DEN\N{EN DASH}789",
        "\N{ZERO WIDTH NO-BREAK SPACE}GARDEN\N{NO-BREAK SPACE}789\N{ZERO WIDTH SPACE}",
        "G\N{SOFT HYPHEN}ARDEN\N{NARROW NO-BREAK SPACE}7\N{MINUS SIGN}89\N{LEFT-TO-RIGHT MARK}",
    ]

    joined = []
    for spelling in spellings:
        joined.append(bob.post("/rooms/join", json={"code": spelling}))
        bob.delete(f"/rooms/{room['id']}/users/{bob.id}")

    assert [(response.status, response.json()["id"]) for response in joined] == [(200, room["id"])] * len(spellings)


def test_an_unused_code_is_unknown(product: Product) -> None:
    ann = product.register("ann")

    response = ann.post("/rooms/join", json={"code": "NOSUCH"})

    problem(response, 404, "unknown_code")


def test_a_member_cannot_join_again(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    before = ann.get(f"/rooms/{room['id']}").json()

    responses = [person.post("/rooms/join", json={"code": room["code"]}) for person in (ann, bob)]

    assert [(response.status, response.json()["code"]) for response in responses] == [(409, "already_member")] * 2
    assert ann.get(f"/rooms/{room['id']}").json() == before


@pytest.mark.usefixtures("small_limits")
def test_a_full_room_accepts_nobody_until_a_member_leaves(product: Product) -> None:
    ann, bob, cleo, dan = (product.register(name) for name in ("ann", "bob", "cleo", "dan"))
    room = ann.open_room()
    bob.join(room)
    cleo.join(room)

    refused = dan.post("/rooms/join", json={"code": room["code"]})
    again = cleo.post("/rooms/join", json={"code": room["code"]})
    cleo.delete(f"/rooms/{room['id']}/users/{cleo.id}")
    admitted = dan.post("/rooms/join", json={"code": room["code"]})

    problem(refused, 409, "room_full")
    problem(again, 409, "already_member")
    assert (admitted.status, admitted.json()["user_ids"]) == (200, [ann.id, bob.id, dan.id])


@pytest.mark.usefixtures("small_limits")
def test_opening_and_joining_rooms_has_a_limit_per_user(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    rooms = [ann.open_room(), ann.open_room()]
    bobs = bob.open_room()

    refused = [ann.post("/rooms", json={}), ann.post("/rooms/join", json={"code": bobs["code"]})]
    ann.delete(f"/rooms/{rooms[0]['id']}/users/{ann.id}")
    admitted = ann.post("/rooms/join", json={"code": bobs["code"]})

    assert [(response.status, response.json()["code"]) for response in refused] == [(409, "too_many_rooms")] * 2
    assert admitted.status == 200
    assert [room["id"] for room in ann.list("/rooms")] == [rooms[1]["id"], bobs["id"]]


@pytest.mark.usefixtures("small_limits")
def test_at_the_room_limit_more_specific_errors_are_still_reported(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.open_room()

    again = ann.post("/rooms/join", json={"code": room["code"]})
    unknown = ann.post("/rooms/join", json={"code": "NOSUCH"})

    problem(again, 409, "already_member")
    problem(unknown, 404, "unknown_code")


def test_an_admin_who_left_rejoins_as_an_ordinary_member(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    ann.patch(f"/rooms/{room['id']}/users/{bob.id}", json={"role": "admin"})
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")

    rejoined = bob.join(room)

    assert (rejoined["role"], rejoined["user_ids"]) == ("member", [ann.id, bob.id])


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/code"}),
        ({"code": None}, {"/code"}),
        ({"code": "SHORT"}, {"/code"}),
        ({"code": "MUCHTOOLONG"}, {"/code"}),
        ({"code": "WITH SPACES"}, {"/code"}),
        ({"code": "WITH_LINE"}, {"/code"}),
        ({"code": "- - - - - -"}, {"/code"}),
        ({"code": "GARDEN" + 95 * " "}, {"/code"}),
        ({"code": 123456}, {"/code"}),
        ({"role": "admin", "user_id": "usr_1"}, {"/code", "/role", "/user_id"}),
    ],
)
def test_an_invalid_code_is_refused_before_any_lookup(
    product: Product, body: dict[str, Any], pointers: set[str]
) -> None:
    ann = product.register("ann")

    response = ann.post("/rooms/join", json=body)

    assert field_errors(response).keys() == pointers
