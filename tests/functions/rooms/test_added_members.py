"""POST /rooms/{room_id}/users, as those see it who are added: what it costs them, and how they refuse it."""

import re
from typing import Any

import pytest

from tests.functions.users.administrators import administrator
from tests.support.client import Person, Response
from tests.support.clock import Clock
from tests.support.problems import field_errors, problem
from tests.support.product import Product
from tests.support.tables import drop, forget


def add(adder: Person, room: Any, user: Person, role: str = "member", **options: Any) -> Response:
    return adder.post(f"/rooms/{room['id']}/users", json={"user_id": user.id, "role": role}, **options)


def leave(person: Person, room: Any) -> None:
    assert person.delete(f"/rooms/{room['id']}/users/{person.id}").status == 204


def set_added_by(person: Person, value: str) -> None:
    assert person.patch("/users/me", json={"added_by": value}).status == 200


def limit(response: Response) -> str | None:
    """What the response says of adding strangers."""
    found = re.search(r'"add-strangers";r=\d+', response.headers["RateLimit"])
    return found[0] if found else None


# ------------------------------------------------------------------------------------------------------------- quotas
@pytest.mark.usefixtures("small_limits")
def test_being_added_to_rooms_does_not_use_up_the_users_own_room_quota(product: Product) -> None:
    ann, bob, eve = product.register("ann"), product.register("bob"), product.register("eve")
    for _ in range(2):
        room = eve.open_room()
        assert add(eve, room, ann, "admin").status == 201
        leave(eve, room)

    full = add(eve, eve.open_room(), ann)
    own = [ann.post("/rooms", json={}), ann.post("/rooms/join", json={"code": bob.open_room()["code"]})]
    more = [ann.post("/rooms", json={}), ann.post("/rooms/join", json={"code": bob.open_room()["code"]})]

    problem(full, 409, "too_many_rooms")
    assert [response.status for response in own] == [201, 200]
    assert [(response.status, response.json()["code"]) for response in more] == [(409, "too_many_rooms")] * 2
    assert len(ann.list("/rooms")) == 4


@pytest.mark.usefixtures("small_limits")
def test_a_user_with_a_full_room_quota_can_still_be_added(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    ann.open_room()
    ann.join(bob.open_room())
    room = bob.open_room()

    added = add(bob, room, ann)
    leave(ann, room)
    again = add(bob, room, ann)

    assert (added.status, again.status) == (201, 201)
    problem(ann.post("/rooms", json={}), 409, "too_many_rooms")


@pytest.mark.usefixtures("small_limits")
def test_the_latest_way_of_joining_counts(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    joined, other = bob.open_room(), bob.open_room()
    ann.join(joined)
    bob.delete(f"/rooms/{joined['id']}/users/{ann.id}")
    assert add(bob, joined, ann).status == 201
    assert add(bob, other, ann).status == 201
    leave(ann, other)
    ann.join(other)

    opened, too_many = ann.post("/rooms", json={}), ann.post("/rooms", json={})

    assert opened.status == 201, "one joined, one added"
    problem(too_many, 409, "too_many_rooms")


@pytest.mark.usefixtures("small_limits")
def test_older_memberships_do_not_use_up_the_room_quota(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    rooms = [ann.open_room(), ann.open_room()]
    for room in rooms:
        forget(product.aws, "RoomsTable", {"room_id": room["id"], "item": f"MEMBER#{ann.id}"}, "origin")

    added = add(bob, bob.open_room(), ann)
    opened = ann.post("/rooms", json={})
    renamed = ann.patch(f"/rooms/{rooms[0]['id']}", json={"name": "Garden"})
    seen = [room["id"] for room in ann.list("/rooms")]

    problem(added, 409, "too_many_rooms")
    assert (opened.status, renamed.status) == (201, 200)
    assert seen == [*[room["id"] for room in rooms], opened.json()["id"]]


# -------------------------------------------------------------------------------------------------------- who may add
@pytest.mark.parametrize(
    ("added_by", "stranger", "acquaintance"), [("anyone", 201, 201), ("shared", 409, 201), ("nobody", 409, 409)]
)
def test_users_choose_who_may_add_them(product: Product, added_by: str, stranger: int, acquaintance: int) -> None:
    ann, bob, eve = product.register("ann"), product.register("bob"), product.register("eve")
    ann.join(bob.open_room())
    set_added_by(ann, added_by)
    rooms = {bob.id: bob.open_room(), eve.id: eve.open_room()}

    responses = [add(eve, rooms[eve.id], ann), add(bob, rooms[bob.id], ann)]

    assert [response.status for response in responses] == [stranger, acquaintance]
    for person, response in zip((eve, bob), responses, strict=True):
        if response.status == 409:
            problem(response, 409, "adding_refused")
            assert person.get(f"/rooms/{rooms[person.id]['id']}").json() == rooms[person.id]
            assert ann.join(rooms[person.id])["role"] == "member", "whom one joins is for oneself to say"


@pytest.mark.usefixtures("small_limits")
def test_a_refusal_reveals_neither_the_setting_nor_the_number_of_rooms(product: Product) -> None:
    ann, bob, cleo, eve = (product.register(name) for name in ("ann", "bob", "cleo", "eve"))
    for _ in range(2):
        assert add(bob, bob.open_room(), ann).status == 201
    set_added_by(ann, "shared")
    set_added_by(cleo, "nobody")
    room = eve.open_room()

    documents = [{**problem(add(eve, room, person), 409), "request_id": None} for person in (ann, cleo)]

    assert documents[0] == documents[1]
    assert documents[0]["code"] == "adding_refused"


def test_a_room_that_was_left_is_not_shared(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    first, second = bob.open_room(), bob.open_room()
    ann.join(first)
    set_added_by(ann, "shared")
    leave(ann, first)

    problem(add(bob, second, ann), 409, "adding_refused")


def test_the_setting_is_visible_in_the_own_profile_only(product: Product) -> None:
    ann, bob, root = product.register("ann"), product.register("bob"), administrator(product)
    ann.join(bob.open_room())
    before = ann.get("/users/me")

    changed = ann.patch("/users/me", json={"added_by": "nobody"})

    assert (before.json()["added_by"], changed.json()["added_by"]) == ("anyone", "nobody")
    assert (changed.json()["version"], changed.tagged_version) == (2, 2)
    assert ann.get(f"/users/{ann.id}").json() == ann.get("/users/me/export").json()["user"] == changed.json()
    assert ann.put("/users/me", json={"email": None}).json()["added_by"] == "nobody"
    for other in (bob, root):
        shown = [other.get(f"/users/{ann.id}").json(), *other.list("/users")]
        assert [each for each in shown if "added_by" in each and each["id"] != other.id] == []


def test_only_users_themselves_change_the_setting(product: Product) -> None:
    ann, bob, root = product.register("ann"), product.register("bob"), administrator(product)

    responses = [
        person.patch(f"/users/{user_id}", json={"added_by": "anyone", "username": "eve"})
        for person, user_id in ((root, ann.id), (bob, ann.id), (bob, "usr_nobody"))
    ]

    assert [field_errors(response) for response in responses] == [{"/added_by": "not_allowed"}] * 3
    assert ann.get("/users/me").json()["username"] == ann.username
    assert field_errors(ann.patch("/users/me", json={"added_by": None})).keys() == {"/added_by"}
    assert field_errors(ann.patch("/users/me", json={"added_by": "friends"})).keys() == {"/added_by"}


def test_older_users_can_be_added_by_anyone_until_they_choose(
    product: Product,
) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    forget(product.aws, "UsersTable", {"user_id": ann.id}, "added_by")

    added = add(bob, bob.open_room(), ann)
    shown = ann.get("/users/me").json()
    chosen = ann.patch("/users/me", json={"added_by": "nobody"})

    assert (added.status, shown["added_by"]) == (201, "anyone")
    assert chosen.status == 200
    problem(add(bob, bob.open_room(), ann), 409, "adding_refused")


# --------------------------------------------------------------------------------------------------------- rate limit
def test_adding_users_without_a_shared_room_is_limited_per_hour(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(monkeypatch)
    product.aws.deploy(StrangersAddedPerUser="3", BcryptCost="4")
    eve, bob, refusing, *crowd = (product.register(f"person-{number}") for number in range(7))
    room, other = eve.open_room(), eve.open_room()
    set_added_by(refusing, "nobody")
    bob.join(room)

    known = [add(eve, other, bob), add(eve, room, bob)]
    key = {"Idempotency-Key": "once"}
    strangers = [add(eve, room, crowd[0], headers=key), add(eve, room, crowd[0], headers=key)]
    unknown = eve.post(f"/rooms/{room['id']}/users", json={"user_id": "usr_nobody"})
    by_now_known = add(eve, other, crowd[0])
    strangers += [add(eve, room, refusing), add(eve, room, crowd[1])]
    refused = add(eve, room, crowd[2])

    assert [(response.status, limit(response)) for response in known] == [(201, None), (409, None)]
    assert [(response.status, limit(response)) for response in strangers] == [
        (201, '"add-strangers";r=2'),
        (201, None),
        (409, '"add-strangers";r=1'),
        (201, '"add-strangers";r=0'),
    ]
    assert (unknown.status, by_now_known.status) == (422, 201)
    problem(refused, 429, "rate_limited")
    assert re.search(r'"add-strangers";q=3;w=3600', refused.headers["RateLimit-Policy"])
    assert eve.get(f"/rooms/{room['id']}").json()["member_count"] == 4
    assert add(bob, bob.open_room(), crowd[2]).status == 201, "others are not held up"


def test_users_without_a_shared_room_are_not_added_while_the_limit_is_unavailable(product: Product) -> None:
    ann, bob, eve = product.register("ann"), product.register("bob"), product.register("eve")
    room, other = eve.open_room(), eve.open_room()
    bob.join(room)
    drop(product.aws, "RateLimitsTable")

    problem(add(eve, other, ann), 503, "dependency_failed")
    assert add(eve, other, bob).status == 201
    assert eve.get(f"/rooms/{other['id']}").json()["user_ids"] == [eve.id, bob.id]
