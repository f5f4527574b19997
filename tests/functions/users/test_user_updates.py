"""PUT and PATCH /users/{user_id}, and POST /users."""

from typing import Any

import pytest

from tests.functions.users.administrators import administrator, as_administrators_see
from tests.support import builders
from tests.support.client import Person
from tests.support.clock import Clock
from tests.support.problems import field_errors, problem
from tests.support.product import Product


def sign_in(product: Product, **fields: str) -> int:
    return product.anonymous.post("/auth/login", json={"password": builders.PASSWORD, **fields}).status


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("user_id", ["me", "id"])
def test_users_change_their_own_name_and_address(product: Product, method: str, user_id: str) -> None:
    ann = product.register("ann")
    before = ann.get("/users/me").json()
    new = builders.person("anna")

    response = ann.request(
        method,
        f"/users/{ann.id if user_id == 'id' else 'me'}",
        json={"username": new["username"], "email": new["email"]},
    )

    changed = response.json()
    assert (response.status, response.tagged_version) == (200, 2)
    assert changed == {
        **before,
        "username": new["username"],
        "email": new["email"],
        "updated_at": changed["updated_at"],
        "version": 2,
    }
    assert ann.get("/users/me").json() == changed
    assert sign_in(product, username=new["username"]) == sign_in(product, email=new["email"]) == 200
    assert sign_in(product, username=ann.username) == sign_in(product, email=str(ann.email)) == 401


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_absent_fields_stay_and_null_removes_the_address(product: Product, method: str) -> None:
    ann = product.register("ann")
    before = ann.get("/users/me").json()

    nothing = ann.request(method, "/users/me", json={})
    no_email = ann.request(method, "/users/me", json={"email": None})

    assert (nothing.status, nothing.json()) == (200, before)
    changed = no_email.json()
    assert changed == {**before, "email": None, "updated_at": changed["updated_at"], "version": 2}
    assert sign_in(product, email=str(ann.email)) == 401
    assert sign_in(product, username=ann.username) == 200


def test_a_released_address_can_be_taken_and_set_again(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    ann.patch("/users/me", json={"email": None})

    taken = bob.patch("/users/me", json={"email": ann.email})
    new = ann.patch("/users/me", json={"email": bob.email})

    assert (taken.status, taken.json()["email"]) == (200, ann.email)
    assert (new.status, new.json()["email"]) == (200, bob.email)


@pytest.mark.parametrize(("field", "code"), [("username", "username_taken"), ("email", "email_taken")])
def test_a_name_or_address_of_another_user_is_taken_in_any_case(product: Product, field: str, code: str) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    before = bob.get("/users/me").json()
    theirs = ann.get("/users/me").json()[field]

    responses = [
        bob.patch("/users/me", json={field: spelling})
        for spelling in (theirs, theirs.upper(), theirs.title(), theirs.swapcase())
    ]

    for response in responses:
        problem(response, 409, code)
        assert field_errors(response, 409) == {f"/{field}": code}
    assert bob.get("/users/me").json() == before


def test_a_taken_name_is_refused_although_the_address_is_free(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    free = builders.person("free")

    problem(bob.patch("/users/me", json={"username": free["username"], "email": ann.email}), 409, "email_taken")
    problem(bob.patch("/users/me", json={"username": ann.username, "email": free["email"]}), 409, "username_taken")

    # Neither half was kept.
    assert product.anonymous.post("/users", json=free).status == 201


def test_a_replaced_name_is_free(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")

    ann.patch("/users/me", json={"username": f"{ann.username}-2"})

    assert bob.patch("/users/me", json={"username": ann.username.upper()}).status == 200
    problem(ann.patch("/users/me", json={"username": ann.username}), 409, "username_taken")


def test_the_spelling_of_ones_own_name_can_change(product: Product) -> None:
    ann = product.register("ann")

    response = ann.patch("/users/me", json={"username": ann.username.upper(), "email": str(ann.email).upper()})

    assert (response.status, response.json()["username"]) == (200, ann.username.upper())
    assert sign_in(product, username=ann.username) == sign_in(product, email=str(ann.email)) == 200
    problem(product.anonymous.post("/users", json=builders.person(username=ann.username)), 409, "username_taken")


def test_two_users_swap_names_in_three_steps(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")

    statuses = [
        ann.patch("/users/me", json={"username": f"{ann.username}-aside"}).status,
        bob.patch("/users/me", json={"username": ann.username}).status,
        ann.patch("/users/me", json={"username": bob.username}).status,
    ]

    assert statuses == [200, 200, 200]
    assert [person.get("/users/me").json()["username"] for person in (ann, bob)] == [bob.username, ann.username]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"username": None}, {"/username"}),
        ({"username": "", "email": ""}, {"/username", "/email"}),
        ({"username": " ann"}, {"/username"}),
        ({"username": "a\nb"}, {"/username"}),
        ({"username": "x" * 81, "email": f"{'x' * 250}@x.org"}, {"/username", "/email"}),
        ({"username": 5, "email": ["a@example.org"]}, {"/username", "/email"}),
        ({"email": "no address"}, {"/email"}),
        ({"email": "a@b"}, {"/email"}),
        ({"role": "admin", "version": "7", "id": "usr_1"}, {"/role", "/version", "/id"}),
        ({"password": builders.PASSWORD, "created_at": "x"}, {"/password", "/created_at"}),
    ],
)
def test_read_only_fields_are_named_and_nothing_changes(
    product: Product, body: dict[str, Any], pointers: set[str]
) -> None:
    ann = product.register("ann")
    before = ann.get("/users/me").json()

    responses = [ann.request(method, "/users/me", json=body) for method in ("PUT", "PATCH")]

    assert [field_errors(response).keys() for response in responses] == [pointers] * 2
    assert ann.get("/users/me").json() == before


def test_a_change_applies_only_to_the_version_it_names(product: Product) -> None:
    ann = product.register("ann")
    ann.patch("/users/me", json={"email": None})
    before = ann.get("/users/me").json()

    for method in ("PUT", "PATCH"):
        for condition in ('"1"', '"3"', 'W/"2"'):
            response = ann.request(method, "/users/me", json={"username": "other"}, headers={"If-Match": condition})
            problem(response, 412, "version_mismatch")
    for condition in ('"1"', '"3"'):
        problem(ann.delete("/users/me", headers={"If-Match": condition}), 412, "version_mismatch")
    assert ann.get("/users/me").json() == before
    assert ann.patch("/users/me", json={"username": "other"}, headers={"If-Match": '"2"'}).status == 200


def test_roommates_can_read_and_not_change_a_profile(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    bob.join(ann.open_room())
    path = f"/users/{bob.id}"
    before = bob.get("/users/me").json()

    # Ann is the room's admin, which is nothing outside of the room.
    problem(ann.put(path, json={"username": "bobby"}), 403, "role_too_low")
    problem(ann.patch(path, json={"email": None}), 403, "role_too_low")
    problem(ann.patch(path, json={}), 403, "role_too_low")
    problem(ann.patch(path, json={"email": None}, headers={"If-Match": '"99"'}), 403, "role_too_low")
    problem(ann.delete(path), 403, "role_too_low")
    assert bob.get("/users/me").json() == before


def test_an_admin_changes_any_user(product: Product) -> None:
    ann, root = product.register("ann"), administrator(product)

    response = root.patch(f"/users/{ann.id}", json={"username": f"{ann.username}-2", "email": None})

    assert response.status == 200
    assert response.json() == as_administrators_see(ann)
    assert (response.json()["username"], response.json()["email"]) == (f"{ann.username}-2", None)
    problem(root.patch(f"/users/{ann.id}", json={"role": "admin"}), 422, "validation_failed")
    problem(root.patch(f"/users/usr_{'0' * 32}", json={"email": None}), 404, "not_found")


def test_a_user_created_by_an_admin_can_sign_in(product: Product) -> None:
    person = builders.person("ann")

    response = product.anonymous.post("/users", json=person)

    user = response.json()
    signed_in: Person = product.anonymous.sign_in(person["username"])
    assert (response.status, response.headers["Location"], response.tagged_version) == (201, f"/users/{user['id']}", 1)
    assert (user["username"], user["email"], user["role"]) == (person["username"], person["email"], "user")
    assert signed_in.get("/users/me").json() == user


def test_a_user_is_created_once_and_needs_a_name_or_an_address(product: Product) -> None:
    person = builders.person("ann")
    product.anonymous.post("/users", json=person)
    nameless = {"email": "nameless@example.org", "password": builders.PASSWORD}

    problem(product.anonymous.post("/users", json=person), 409, "username_taken")
    problem(product.anonymous.post("/users", json={**person, "username": "other"}), 409, "email_taken")
    made = product.anonymous.post("/users", json=nameless)
    refused = product.anonymous.post("/users", json={"password": builders.PASSWORD, "role": "admin"})

    assert made.status == 201
    assert made.json()["username"]
    assert "/role" in field_errors(refused)


def test_version_dates_of_a_profile_never_decrease(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = product.register("ann")
    clock = Clock(monkeypatch)
    changes = [{"added_by": "shared"}, {"added_by": "nobody"}, {"added_by": "anyone"}]

    versions = [ann.get("/users/me").json()]
    for change in changes:
        clock.pass_by(-1)
        versions.append(ann.patch("/users/me", json=change).json())

    times = [version["updated_at"] for version in versions]
    assert times == sorted(set(times))
