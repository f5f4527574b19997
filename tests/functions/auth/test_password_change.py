"""POST /auth/password: ends every other session, and keeps the one it is called from."""

import pytest

from tests.support import builders
from tests.support.problems import field_errors, problem
from tests.support.product import Product

NEW = "another long enough password"


def change(current: str = builders.PASSWORD, new: str = NEW) -> dict[str, str]:
    return {"current_password": current, "new_password": new}


def test_a_new_password_replaces_the_old_one(product: Product) -> None:
    ann = product.register("ann")

    response = ann.post("/auth/password", json=change())

    assert response.status == 204, response
    assert response.text == ""
    old = {"username": ann.username, "password": builders.PASSWORD}
    problem(product.anonymous.post("/auth/login", json=old), 401, "invalid_credentials")
    assert product.anonymous.sign_in(ann.username, NEW).id == ann.id


def test_every_other_session_ends_and_the_current_one_stays(product: Product) -> None:
    ann = product.register("ann")
    elsewhere = product.anonymous.sign_in(ann.username)
    bob = product.register("bob")

    assert ann.post("/auth/password", json=change()).status == 204

    assert elsewhere.get("/users/me").status == 401
    refused = product.anonymous.post("/auth/refresh", json={"refresh_token": elsewhere.refresh_token})
    problem(refused, 401, "invalid_token")
    assert ann.get("/users/me").status == 200
    assert product.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token}).status == 200
    assert [session["current"] for session in ann.list("/auth/sessions")] == [True]
    assert bob.get("/users/me").status == 200


def test_a_password_can_be_changed_repeatedly_in_one_session(product: Product) -> None:
    ann = product.register("ann")

    for turn in range(3):
        current = builders.PASSWORD if turn == 0 else f"{NEW} {turn}"
        assert ann.post("/auth/password", json=change(current, f"{NEW} {turn + 1}")).status == 204

    assert product.anonymous.sign_in(ann.username, f"{NEW} 3").id == ann.id


def test_a_password_change_is_a_new_version_of_the_user(product: Product) -> None:
    ann = product.register("ann")

    ann.post("/auth/password", json=change())

    assert ann.get("/users/me").json()["version"] == 2


def test_the_current_password_must_be_correct(product: Product) -> None:
    ann = product.register("ann")
    elsewhere = product.anonymous.sign_in(ann.username)

    response = ann.post("/auth/password", json=change(current="not the password"))

    problem(response, 401, "invalid_credentials")
    assert elsewhere.get("/users/me").status == 200
    assert product.anonymous.sign_in(ann.username).id == ann.id


def test_a_new_password_has_the_minimum_length(product: Product) -> None:
    ann = product.register("ann")
    elsewhere = product.anonymous.sign_in(ann.username)

    response = ann.post("/auth/password", json=change(new="too short"))

    assert field_errors(response) == {"/new_password": "too_short"}
    assert elsewhere.get("/users/me").status == 200
    assert product.anonymous.sign_in(ann.username).id == ann.id


def test_the_new_password_must_differ(product: Product) -> None:
    ann = product.register("ann", password="caf\u00e9 with paper lanterns")

    for new in (ann.password, "cafe\u0301 with paper lanterns"):
        response = ann.post("/auth/password", json=change(current=ann.password, new=new))
        assert field_errors(response) == {"/new_password": "password_unchanged"}

    assert ann.get("/users/me").json()["version"] == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"/current_password": "missing", "/new_password": "missing"}),
        (
            {"current_password": 1, "new_password": None, "user_id": "somebody"},
            {"/current_password": "wrong_type", "/new_password": "wrong_type", "/user_id": "unknown_field"},
        ),
        (
            {"current_password": "x" * 1025, "new_password": "x" * 1025},
            {"/current_password": "too_long", "/new_password": "too_long"},
        ),
        (
            {"current_password": "", "new_password": ""},
            {"/current_password": "too_short", "/new_password": "too_short"},
        ),
    ],
)
def test_all_field_errors_are_reported_at_once(product: Product, body: object, expected: dict[str, str]) -> None:
    assert field_errors(product.register("ann").post("/auth/password", json=body)) == expected


def test_an_access_token_is_required(product: Product) -> None:
    problem(product.anonymous.post("/auth/password", json=change()), 401, "token_missing")
