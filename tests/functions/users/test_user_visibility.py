"""GET /users and GET /users/{user_id}: who sees whom, and how much of them."""

import re
from typing import Any

import pytest

from tests.functions.users.administrators import administrator, as_administrators_see
from tests.support.client import Person
from tests.support.memberships import end_membership
from tests.support.problems import field_errors
from tests.support.product import Product


def told(person: Person, user_id: str) -> list[tuple[int, dict[str, str], str]]:
    """What is said to each request about one user, without what differs between any two responses."""
    path = f"/users/{user_id}"
    return [
        response.told()
        for response in (
            person.get(path),
            person.get(path, headers={"If-None-Match": "*"}),
            person.put(path, json={"username": "taken over"}),
            person.patch(path, json={"username": "taken over"}),
            person.patch(path, json={"email": None}, headers={"If-Match": '"99"'}),
            person.patch(path, json={"role": "admin"}),
            person.delete(path),
            person.delete(path, headers={"If-Match": '"99"'}),
        )
    ]


def test_users_see_their_own_full_profile(product: Product) -> None:
    ann = product.register("ann")

    response = ann.get(f"/users/{ann.id}")

    profile = response.json()
    assert (response.status, response.tagged_version) == (200, 1)
    assert profile == {
        "id": ann.id,
        "username": ann.username,
        "email": ann.email,
        "role": "user",
        "created_at": profile["created_at"],
        "updated_at": profile["created_at"],
        "version": 1,
        "added_by": "anyone",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", profile["created_at"])


def test_me_is_the_caller(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")

    assert [person.get("/users/me").json()["id"] for person in (ann, bob)] == [ann.id, bob.id]
    assert ann.get("/users/me").json() == ann.get(f"/users/{ann.id}").json()


def test_an_unchanged_profile_is_a_304(product: Product) -> None:
    ann = product.register("ann")
    tag = ann.get("/users/me").headers["ETag"]

    unchanged = ann.get("/users/me", headers={"If-None-Match": tag})
    ann.patch("/users/me", json={"email": None})
    changed = ann.get("/users/me", headers={"If-None-Match": tag})

    assert (unchanged.status, unchanged.text, unchanged.headers["ETag"]) == (304, "", tag)
    assert (changed.status, changed.json()["version"], changed.tagged_version) == (200, 2, 2)


def test_only_id_and_username_of_a_roommate_are_visible(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    bob.join(ann.open_room())

    seen = ann.get(f"/users/{bob.id}")

    assert (seen.status, seen.json()) == (200, {"id": bob.id, "username": bob.username})
    assert bob.get(f"/users/{ann.id}").json() == {"id": ann.id, "username": ann.username}


@pytest.mark.parametrize("way", ["never met", "left", "was removed", "whose room is gone"])
def test_a_user_without_a_shared_room_gets_the_response_of_an_unknown_one(product: Product, way: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    if way != "never met":
        bob.join(room)
        assert bob.get(f"/users/{ann.id}").status == 200
        end_membership(way, ann, bob, room["id"])

    of_nobody = told(bob, f"usr_{'0' * 32}")
    of_ann = told(bob, ann.id)

    assert of_ann == of_nobody
    assert {status for status, _, _ in of_ann} == {404}
    assert ann.get("/users/me").json()["username"] == ann.username
    assert bob.list("/users") == [bob.get("/users/me").json()]


def test_an_invalid_user_id_is_unknown(product: Product) -> None:
    ann = product.register("ann")
    root = administrator(product)
    claims = [f"NAME%23{ann.username}", f"EMAIL%23{ann.email}", f"NAME#{ann.username}", "%20", "x" * 101, "nobody"]

    for person in (ann, root):
        assert [person.get(f"/users/{user_id}").status for user_id in claims] == [404] * 6


def test_the_list_has_the_caller_and_users_of_shared_rooms(product: Product) -> None:
    ann, bob, cleo, dan = (product.register(name) for name in ("ann", "bob", "cleo", "dan"))
    room = ann.open_room()
    bob.join(room)
    bob.join(cleo.open_room())
    dan.open_room()

    seen = {person.username: {user["id"] for user in person.list("/users")} for person in (ann, bob, cleo, dan)}

    assert seen == {
        ann.username: {ann.id, bob.id},
        bob.username: {ann.id, bob.id, cleo.id},
        cleo.username: {bob.id, cleo.id},
        dan.username: {dan.id},
    }


def test_only_the_callers_entry_in_the_list_is_full(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    bob.join(ann.open_room())

    users = {user["id"]: user for user in ann.list("/users")}

    assert users == {ann.id: ann.get("/users/me").json(), bob.id: {"id": bob.id, "username": bob.username}}


def test_a_user_in_two_shared_rooms_is_listed_once(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    for _ in range(2):
        bob.join(ann.open_room())

    assert sorted(user["id"] for user in ann.list("/users", limit=1)) == sorted([ann.id, bob.id])


def pages_of(person: Person, limit: int) -> list[list[str]]:
    pages = []
    parameters: dict[str, Any] = {"limit": limit}
    while True:
        page = person.get("/users", params=parameters).json()
        pages.append([user["id"] for user in page["items"]])
        if page["next_cursor"] is None:
            return pages
        parameters["cursor"] = page["next_cursor"]


def test_roommates_are_listed_page_by_page(product: Product) -> None:
    people = [product.register(f"person{number}") for number in range(5)]
    room = people[0].open_room()
    for person in people[1:]:
        person.join(room)

    for limit, sizes in ((1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (6, [5])):
        pages = pages_of(people[2], limit)
        assert [len(page) for page in pages] == sizes
        assert sorted(user_id for page in pages for user_id in page) == sorted(person.id for person in people)


def test_an_admin_lists_all_full_profiles_page_by_page(product: Product) -> None:
    people = [product.register(f"person{number}") for number in range(4)]
    root = administrator(product)
    everybody = {person.id for person in (*people, root)}

    assert {user["id"]: user for user in root.list("/users")} == {
        root.id: root.get("/users/me").json(),
        **{person.id: as_administrators_see(person) for person in people},
    }
    for limit, sizes in ((1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (100, [5])):
        pages = pages_of(root, limit)
        assert [len(page) for page in pages] == sizes
        assert {user_id for page in pages for user_id in page} == everybody
    assert root.get(f"/users/{people[0].id}").json() == as_administrators_see(people[0])


def test_the_admin_role_ends_only_with_the_account(product: Product) -> None:
    root = administrator(product)

    assert root.get("/users/me").json()["role"] == "admin"
    assert root.patch("/users/me", json={"username": "somebody else"}).json()["role"] == "admin"


@pytest.mark.parametrize(
    ("parameters", "pointers"),
    [
        ({"limit": "0"}, {"/limit"}),
        ({"username": "ann"}, {"/username"}),
        ({"limit": "x", "role": "admin"}, {"/limit", "/role"}),
    ],
)
def test_wrong_and_unknown_query_parameters_are_named(
    product: Product, parameters: dict[str, str], pointers: set[str]
) -> None:
    ann = product.register("ann")

    assert field_errors(ann.get("/users", params=parameters), 400).keys() == pointers


def test_the_tag_of_another_user_depends_on_visible_fields_only(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    path = f"/users/{bob.id}"
    first = ann.get(path)
    tag = {"If-None-Match": first.headers["ETag"]}

    bob.patch("/users/me", json={"email": "new@example.org"})
    bob.post("/auth/password", json={"current_password": bob.password, "new_password": "eleven quiet herons over"})
    second = ann.get(path)
    unchanged = ann.get(path, headers=tag)
    bob.patch("/users/me", json={"username": "robert"})
    renamed = ann.get(path, headers=tag)

    assert second.told() == first.told()
    assert unchanged.status == 304
    assert (renamed.status, renamed.json()["username"]) == (200, "robert")
    assert renamed.headers["ETag"] != first.headers["ETag"]
    # Two people who are shown alike in all but their names have tags that tell neither's version.
    assert not re.fullmatch(r'"\d{1,9}(\..*)?"', first.headers["ETag"])
    assert bob.get(path).tagged_version == bob.get(path).json()["version"]


def test_the_tag_of_a_full_profile_has_its_version(product: Product) -> None:
    bob, root = product.register("bob"), administrator(product)

    assert root.get(f"/users/{bob.id}").tagged_version == bob.get("/users/me").tagged_version == 1
