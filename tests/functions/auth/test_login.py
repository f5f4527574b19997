"""POST /auth/login: by either name, and what a refusal gives away (nothing)."""

from typing import Any

import pytest

from tests.support import builders
from tests.support.client import Response
from tests.support.problems import field_errors, problem
from tests.support.product import Product

SECRET = "a password of some length"


def test_the_username_is_accepted_in_any_case(product: Product) -> None:
    ann = product.register(username="Ann")

    response = product.anonymous.post("/auth/login", json={"username": "aNN", "password": ann.password})

    assert response.status == 200, response
    assert response.json()["user"]["id"] == ann.id
    assert response.json()["user"]["username"] == "Ann"


def test_the_address_is_accepted_in_any_case(product: Product) -> None:
    ann = product.register(email="Ann@Example.org")

    response = product.anonymous.post("/auth/login", json={"email": "ann@EXAMPLE.org", "password": ann.password})

    assert response.status == 200, response
    assert response.json()["user"]["id"] == ann.id
    assert response.json()["user"]["email"] == "Ann@Example.org"


def test_signing_in_has_the_response_of_registering(product: Product) -> None:
    body = builders.person("ann")
    registered = product.anonymous.post("/auth/register", json=body).json()

    signed_in = product.anonymous.post(
        "/auth/login", json={"username": body["username"], "password": body["password"]}
    ).json()

    assert signed_in.keys() == registered.keys()
    assert signed_in["user"] == registered["user"]
    assert signed_in["refresh_token"] != registered["refresh_token"]
    assert signed_in["access_token"] != registered["access_token"]


def test_unknown_names_wrong_passwords_and_wrong_kinds_of_names_get_the_same_response(product: Product) -> None:
    ann = product.register(username="ann", email="ann@example.org", password=SECRET)

    def refusal(**names: str) -> tuple[Any, list[str]]:
        response = product.anonymous.post("/auth/login", json={**names, "password": names.pop("password", SECRET)})
        document = problem(response, 401, "invalid_credentials")
        del document["request_id"]
        return document, sorted(response.headers)

    refusals = [
        refusal(username="ann", password="not the password"),
        refusal(username="nobody"),
        refusal(username="ann@example.org"),
        refusal(email="ann@example.org", password="not the password"),
        refusal(email="nobody@example.org"),
        refusal(username=ann.id),
        refusal(username="ann", password="x"),
    ]

    assert all(each == refusals[0] for each in refusals)


@pytest.mark.parametrize(
    "names",
    [{}, {"username": None}, {"username": "ann", "email": "ann@example.org"}],
    ids=["neither", "null", "both"],
)
def test_exactly_one_name_is_required(product: Product, names: dict[str, Any]) -> None:
    response = product.anonymous.post("/auth/login", json={**names, "password": SECRET})

    assert field_errors(response).keys() == {"/username"}


def test_a_password_is_required(product: Product) -> None:
    response = product.anonymous.post("/auth/login", json={"username": "ann"})

    assert field_errors(response) == {"/password": "missing"}


def test_a_password_over_the_length_limit_is_refused(product: Product) -> None:
    product.register(username="ann")

    response = product.anonymous.post("/auth/login", json={"username": "ann", "password": "x" * 1025})

    assert field_errors(response) == {"/password": "too_long"}


def test_every_sign_in_opens_a_session(product: Product) -> None:
    ann = product.register("ann")
    again = product.anonymous.sign_in(ann.username)

    assert _end(again.post("/auth/logout", json={"refresh_token": again.refresh_token}))
    assert ann.get("/users/me").status == 200
    assert again.get("/users/me").status == 401


def _end(response: Response) -> bool:
    return response.status == 204
