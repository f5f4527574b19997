"""POST /auth/refresh: single use, one family for each session, seven days in all."""

import secrets

import jwt
import pytest

from tests.support.aws import LOCK
from tests.support.client import Person, Response
from tests.support.clock import Clock
from tests.support.problems import field_errors, problem
from tests.support.product import Product
from tests.support.tables import change

DAY = 24 * 3600


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def refreshed(product: Product, refresh_token: str) -> Response:
    return product.anonymous.post("/auth/refresh", json={"refresh_token": refresh_token})


def session_id(person: Person) -> str:
    claims = jwt.decode(str(person.access_token), options={"verify_signature": False})
    return str(claims["sid"])


def test_a_session_without_an_idle_time_lasts_until_its_end(product: Product) -> None:
    ann = product.register("ann")
    key = {"session_id": {"S": session_id(ann)}}
    with LOCK:
        product.aws.dynamodb.update_item(TableName="SessionsTable", Key=key, UpdateExpression="REMOVE ends_at")

    listed = ann.get("/auth/sessions")
    response = refreshed(product, ann.refresh_token)

    assert listed.status == 200, listed
    assert response.status == 200, response


def test_a_refresh_token_is_exchanged_for_a_new_pair(product: Product) -> None:
    ann = product.register("ann")

    response = refreshed(product, ann.refresh_token)

    assert response.status == 200, response
    pair = response.json()
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


def test_tokens_can_be_refreshed_repeatedly(product: Product) -> None:
    token = product.register("ann").refresh_token
    seen = {token}

    for _ in range(5):
        response = refreshed(product, token)
        assert response.status == 200, response
        token = response.json()["refresh_token"]
        seen.add(token)

    assert len(seen) == 6


def test_a_refresh_does_not_extend_the_session(product: Product, clock: Clock) -> None:
    """Seven days in all, however often it is refreshed: RFC 9700 §4.14.2, OWASP ASVS 5.0.0 7.3.2."""
    token = product.register("ann").refresh_token

    for day in (2, 4, 6):
        clock.pass_by(2 * DAY)
        response = refreshed(product, token)
        assert response.status == 200, response
        assert response.json()["refresh_expires_in"] in (7 * DAY - day * DAY - 1, 7 * DAY - day * DAY)
        token = response.json()["refresh_token"]
    clock.pass_by(DAY)

    problem(refreshed(product, token), 401, "invalid_token")


def test_a_session_expires_after_three_idle_days(product: Product, clock: Clock) -> None:
    """OWASP ASVS 5.0.0 7.3.1. Within three days, each refresh gives three more."""
    token = product.register("ann").refresh_token

    clock.pass_by(3 * DAY - 60)
    token = refreshed(product, token).json()["refresh_token"]
    clock.pass_by(3 * DAY - 60)
    token = refreshed(product, token).json()["refresh_token"]
    clock.pass_by(2 * DAY)

    problem(refreshed(product, token), 401, "invalid_token")


def test_an_expired_session_is_not_listed(product: Product) -> None:
    ann = product.register("ann")
    idle = product.anonymous.sign_in(ann.username)
    change(product.aws, "SessionsTable", {"session_id": session_id(idle)}, expires_at=1_700_000_000)

    assert [session["id"] for session in ann.list("/auth/sessions")] == [session_id(ann)]


def test_of_two_concurrent_refreshes_the_second_is_refused_and_the_session_stays(
    product: Product, clock: Clock
) -> None:
    """As two tabs of a browser do: RFC 9700 §4.14.2 asks to tell them from a thief."""
    ann = product.register("ann")
    pair = refreshed(product, ann.refresh_token).json()

    at_once = [refreshed(product, ann.refresh_token) for _ in range(3)]
    clock.pass_by(9.9)
    at_once.append(refreshed(product, ann.refresh_token))

    for response in at_once:
        problem(response, 409, "refresh_in_progress")
        assert not any(token in response.text for token in (pair["access_token"], pair["refresh_token"]))
    assert ann.get("/users/me").status == 200
    assert refreshed(product, pair["refresh_token"]).status == 200


def test_only_the_latest_used_token_counts_as_a_concurrent_refresh(product: Product) -> None:
    ann = product.register("ann")
    second = refreshed(product, ann.refresh_token).json()["refresh_token"]
    third = refreshed(product, second).json()["refresh_token"]

    problem(refreshed(product, ann.refresh_token), 401, "invalid_token")

    problem(refreshed(product, third), 401, "invalid_token")


def test_an_old_refresh_token_ends_the_whole_session(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    pair = refreshed(product, ann.refresh_token).json()
    clock.pass_by(10)

    reused = refreshed(product, ann.refresh_token)

    problem(reused, 401, "invalid_token")
    problem(refreshed(product, pair["refresh_token"]), 401, "invalid_token")
    assert ann.get("/users/me").status == 401
    assert Person(ann.connection, pair, ann.password).get("/users/me").status == 401


def test_an_old_refresh_token_ends_no_other_session(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    elsewhere = product.anonymous.sign_in(ann.username)
    refreshed(product, ann.refresh_token)
    clock.pass_by(10)

    problem(refreshed(product, ann.refresh_token), 401)

    assert elsewhere.get("/users/me").status == 200
    assert refreshed(product, elsewhere.refresh_token).status == 200


def test_a_forged_token_with_a_real_session_id_ends_nothing(product: Product) -> None:
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
def test_a_malformed_refresh_token_is_refused(product: Product, token: str) -> None:
    problem(refreshed(product, token), 401, "invalid_token")


def test_an_access_token_is_refused_as_a_refresh_token(product: Product) -> None:
    ann = product.register("ann")

    problem(refreshed(product, str(ann.access_token)), 401, "invalid_token")

    assert refreshed(product, ann.refresh_token).status == 200


def test_an_expired_session_cannot_be_refreshed(product: Product) -> None:
    ann = product.register("ann")
    change(product.aws, "SessionsTable", {"session_id": session_id(ann)}, expires_at=1_700_000_000)

    problem(refreshed(product, ann.refresh_token), 401, "invalid_token")
    problem(ann.get("/users/me"), 401, "token_revoked")


def test_a_new_pair_carries_the_stored_role(product: Product) -> None:
    ann = product.register("ann")
    change(product.aws, "UsersTable", {"user_id": ann.id}, role="admin")

    pair = refreshed(product, ann.refresh_token).json()

    assert pair["user"]["role"] == "admin"
    assert jwt.decode(pair["access_token"], options={"verify_signature": False})["role"] == "admin"


def test_a_deleted_user_cannot_refresh(product: Product) -> None:
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
def test_the_body_is_validated(product: Product, path: str, body: object, expected: dict[str, str]) -> None:
    assert field_errors(product.anonymous.post(path, json=body)) == expected
