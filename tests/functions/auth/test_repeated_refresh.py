"""POST /auth/refresh with an Idempotency-Key: a response that was lost can be had again for a minute, and only so."""

from typing import Any

import jwt
import pytest

from tests.support.client import Person, Response
from tests.support.clock import Clock
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.tables import change


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def refreshed(product: Product, refresh_token: str, key: str | None = "a key") -> Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return product.anonymous.post("/auth/refresh", json={"refresh_token": refresh_token}, headers=headers)


def claims(response: Response) -> Any:
    return jwt.decode(response.json()["access_token"], options={"verify_signature": False})


def test_a_lost_response_is_replayed(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    first = refreshed(product, ann.refresh_token)

    clock.pass_by(59)
    again = refreshed(product, ann.refresh_token)

    assert first.status == 200, first
    assert "Idempotency-Replayed" not in first.headers
    assert again.status == 200, again
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["refresh_token"] == first.json()["refresh_token"]
    assert claims(again) == claims(first)
    assert again.json() == first.json(), "to the last bit of the signature"


def test_a_replayed_pair_of_tokens_is_valid(product: Product) -> None:
    ann = product.register("ann")
    refreshed(product, ann.refresh_token)

    pair = refreshed(product, ann.refresh_token).json()

    assert Person(ann.connection, pair, ann.password).get("/users/me").status == 200
    assert refreshed(product, pair["refresh_token"], None).status == 200


def test_a_response_can_be_replayed_repeatedly(product: Product) -> None:
    ann = product.register("ann")

    responses = [refreshed(product, ann.refresh_token) for _ in range(4)]

    assert len({response.text for response in responses}) == 1


def test_after_a_minute_a_repeated_request_is_token_reuse(product: Product, clock: Clock) -> None:
    """RFC 9700 §4.14.2."""
    ann = product.register("ann")
    pair = refreshed(product, ann.refresh_token).json()

    clock.pass_by(60)

    problem(refreshed(product, ann.refresh_token), 401, "invalid_token")
    problem(refreshed(product, pair["refresh_token"]), 401, "invalid_token")
    assert ann.get("/users/me").status == 401


@pytest.mark.parametrize("key", [None, "another key", "A KEY"])
def test_without_the_same_key_a_repeated_request_is_token_reuse(
    product: Product, key: str | None, clock: Clock
) -> None:
    ann = product.register("ann")
    pair = refreshed(product, ann.refresh_token).json()
    problem(refreshed(product, ann.refresh_token, key), 409, "refresh_in_progress")

    clock.pass_by(10)

    problem(refreshed(product, ann.refresh_token, key), 401, "invalid_token")
    problem(refreshed(product, pair["refresh_token"], None), 401, "invalid_token")


def test_a_refresh_without_a_key_cannot_be_replayed_with_one(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    refreshed(product, ann.refresh_token, None)
    problem(refreshed(product, ann.refresh_token), 409, "refresh_in_progress")

    clock.pass_by(10)

    problem(refreshed(product, ann.refresh_token), 401, "invalid_token")


def test_only_the_last_refresh_is_replayed(product: Product) -> None:
    ann = product.register("ann")
    second = refreshed(product, ann.refresh_token, "one").json()["refresh_token"]
    assert refreshed(product, second, "two").status == 200

    problem(refreshed(product, ann.refresh_token, "one"), 401, "invalid_token")


def test_a_key_is_bound_to_one_token(product: Product) -> None:
    ann = product.register("ann")
    successor = refreshed(product, ann.refresh_token).json()["refresh_token"]

    problem(refreshed(product, successor), 422, "idempotency_key_reused")

    assert refreshed(product, ann.refresh_token).status == 200, "nothing has happened by it"
    assert refreshed(product, successor, "another key").status == 200


def test_a_key_can_be_reused_after_a_minute(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    successor = refreshed(product, ann.refresh_token).json()["refresh_token"]

    clock.pass_by(60)

    response = refreshed(product, successor)
    assert response.status == 200, response
    assert "Idempotency-Replayed" not in response.headers


def test_keys_of_different_users_are_independent(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")

    responses = [refreshed(product, person.refresh_token) for person in (ann, bob)]

    assert [response.status for response in responses] == [200, 200]
    assert [response.json()["user"]["id"] for response in responses] == [ann.id, bob.id]


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_a_key_has_a_valid_form(product: Product, key: str) -> None:
    ann = product.register("ann")
    headers = [(b"idempotency-key", key.encode("latin-1"))]

    response = product.anonymous.connection.post(
        "/auth/refresh", json={"refresh_token": ann.refresh_token}, headers=headers
    )

    assert response.status_code == 400
    assert response.json()["code"] == "invalid_idempotency_key"
    assert refreshed(product, ann.refresh_token).status == 200


def test_an_ended_session_replays_no_refresh(product: Product) -> None:
    ann = product.register("ann")
    pair = refreshed(product, ann.refresh_token).json()
    product.anonymous.post("/auth/logout", json={"refresh_token": pair["refresh_token"]})

    problem(refreshed(product, ann.refresh_token), 401, "invalid_token")


def test_after_signing_out_everywhere_no_refresh_is_replayed(product: Product) -> None:
    ann = product.register("ann")
    refreshed(product, ann.refresh_token)
    assert ann.delete("/auth/sessions").status == 204

    problem(refreshed(product, ann.refresh_token), 401, "invalid_token")


def test_no_token_is_stored_and_none_can_be_derived_from_stored_data(product: Product) -> None:
    """OWASP ASVS 5.0.0 10.4.5. The salt alone derives nothing, nor does it with another key."""
    ann = product.register("ann")
    pair = refreshed(product, ann.refresh_token).json()

    kept = repr(product.items("SessionsTable"))

    for token in (ann.refresh_token, pair["refresh_token"]):
        assert not any(part in kept for part in token.split(".")[1:])
    assert pair["access_token"] not in kept
    assert "a key" not in kept


def test_another_salt_gives_another_token(product: Product) -> None:
    ann = product.register("ann")
    first = refreshed(product, ann.refresh_token).json()
    key = {"session_id": claims_of(ann)["sid"]}
    change(product.aws, "SessionsTable", key, exchange_salt="another salt")

    again = refreshed(product, ann.refresh_token).json()

    assert again["refresh_token"] != first["refresh_token"]


def claims_of(person: Person) -> Any:
    return jwt.decode(str(person.access_token), options={"verify_signature": False})


def test_logging_out_with_the_previous_token_ends_the_session(product: Product) -> None:
    """The client never saw the response to its refresh: OWASP ASVS 5.0.0 7.4.1."""
    ann = product.register("ann")
    pair = refreshed(product, ann.refresh_token).json()

    assert product.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token}).status == 204

    problem(ann.get("/users/me"), 401, "token_revoked")
    problem(refreshed(product, pair["refresh_token"], None), 401, "invalid_token")
