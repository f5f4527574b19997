"""POST /auth/refresh: single use, one family for each session, seven days in all."""

import secrets

import jwt
import pytest

from tests.support.client import Answer, Person
from tests.support.problems import faults, problem
from tests.support.product import Product
from tests.support.tables import change


def refreshed(product: Product, refresh_token: str) -> Answer:
    return product.anonymous.post("/auth/refresh", json={"refresh_token": refresh_token})


def session_id(person: Person) -> str:
    claims = jwt.decode(str(person.access_token), options={"verify_signature": False})
    return str(claims["sid"])


def test_a_refresh_token_is_exchanged_for_a_new_pair(product: Product) -> None:
    ann = product.register("ann")

    answer = refreshed(product, ann.refresh_token)

    assert answer.status == 200, answer
    pair = answer.json()
    assert pair["user"]["id"] == ann.id
    assert pair["refresh_token"] != ann.refresh_token
    assert pair["access_token"] != ann.access_token
    assert Person(ann.connection, pair, ann.password).get("/users/me").status == 200


def test_a_refresh_is_the_same_session(product: Product) -> None:
    ann = product.register("ann")

    pair = refreshed(product, ann.refresh_token).json()

    after = Person(ann.connection, pair, ann.password)
    assert session_id(after) == session_id(ann)
    assert [session["id"] for session in after.list("/auth/sessions")] == [session_id(ann)]
    assert ann.get("/users/me").status == 200, "the access token from before is good until it expires"


def test_tokens_are_refreshed_again_and_again(product: Product) -> None:
    token = product.register("ann").refresh_token
    seen = {token}

    for _ in range(5):
        answer = refreshed(product, token)
        assert answer.status == 200, answer
        token = answer.json()["refresh_token"]
        seen.add(token)

    assert len(seen) == 6


def test_a_refresh_does_not_prolong_the_session(product: Product) -> None:
    ann = product.register("ann")
    in_an_hour = {item["expires_at"]: item for item in product.items("SessionsTable") if "user_id" in item}
    [expires_at] = in_an_hour
    change(product.aws, "SessionsTable", {"session_id": session_id(ann)}, expires_at=expires_at - 600_000)

    pair = refreshed(product, ann.refresh_token).json()

    assert 4_700 < pair["refresh_expires_in"] <= 4_800


def test_an_old_refresh_token_ends_the_whole_session(product: Product) -> None:
    ann = product.register("ann")
    pair = refreshed(product, ann.refresh_token).json()

    reused = refreshed(product, ann.refresh_token)

    problem(reused, 401, "invalid_token")
    problem(refreshed(product, pair["refresh_token"]), 401, "invalid_token")
    assert ann.get("/users/me").status == 401
    assert Person(ann.connection, pair, ann.password).get("/users/me").status == 401


def test_an_old_refresh_token_ends_no_other_session(product: Product) -> None:
    ann = product.register("ann")
    elsewhere = product.anonymous.sign_in(ann.username)
    refreshed(product, ann.refresh_token)

    problem(refreshed(product, ann.refresh_token), 401)

    assert elsewhere.get("/users/me").status == 200
    assert refreshed(product, elsewhere.refresh_token).status == 200


def test_a_made_up_token_with_a_real_session_in_it_ends_nothing(product: Product) -> None:
    ann = product.register("ann")
    session = session_id(ann)
    family = ann.refresh_token.split(".")[1]
    made_up = [
        f"{session}.{secrets.token_urlsafe(32)}.{secrets.token_urlsafe(32)}",
        f"{session}.{secrets.token_urlsafe(32)}.{ann.refresh_token.split('.')[2]}",
        f"{session}.{family}",
        f"{session}..{family}",
        session,
    ]

    for token in made_up:
        problem(refreshed(product, token), 401, "invalid_token")

    assert ann.get("/users/me").status == 200
    assert refreshed(product, ann.refresh_token).status == 200


@pytest.mark.parametrize(
    "token",
    ["x", "a.b.c", "ses_" + "0" * 32, f"ses_{'0' * 32}.{'A' * 43}.{'A' * 43}", "é" * 40, "\x00", "x" * 4096],
    ids=["a word", "dots", "no secrets", "of nobody", "no ascii", "nul", "long"],
)
def test_garbage_is_no_refresh_token(product: Product, token: str) -> None:
    problem(refreshed(product, token), 401, "invalid_token")


def test_an_access_token_is_no_refresh_token(product: Product) -> None:
    ann = product.register("ann")

    problem(refreshed(product, str(ann.access_token)), 401, "invalid_token")

    assert refreshed(product, ann.refresh_token).status == 200


def test_an_expired_session_is_over(product: Product) -> None:
    ann = product.register("ann")
    change(product.aws, "SessionsTable", {"session_id": session_id(ann)}, expires_at=1_700_000_000)

    problem(refreshed(product, ann.refresh_token), 401, "invalid_token")
    problem(ann.get("/users/me"), 401, "invalid_token")


def test_a_new_pair_carries_the_role_of_the_table(product: Product) -> None:
    ann = product.register("ann")
    change(product.aws, "UsersTable", {"user_id": ann.id}, role="admin")

    pair = refreshed(product, ann.refresh_token).json()

    assert pair["user"]["role"] == "admin"
    assert jwt.decode(pair["access_token"], options={"verify_signature": False})["role"] == "admin"


def test_a_deleted_user_refreshes_nothing(product: Product) -> None:
    ann = product.register("ann")
    assert ann.delete("/users/me").status == 204

    problem(refreshed(product, ann.refresh_token), 401, "invalid_token")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"/refresh_token": "missing"}),
        ({"refresh_token": None}, {"/refresh_token": "wrong_type"}),
        ({"refresh_token": 5}, {"/refresh_token": "wrong_type"}),
        ({"refresh_token": ""}, {"/refresh_token": "too_short"}),
        ({"refresh_token": "x" * 4097}, {"/refresh_token": "too_long"}),
        ({"refresh_token": "x", "user_id": "y"}, {"/user_id": "unknown_field"}),
    ],
)
@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
def test_the_body_is_checked(product: Product, path: str, body: object, expected: dict[str, str]) -> None:
    assert faults(product.anonymous.post(path, json=body)) == expected
