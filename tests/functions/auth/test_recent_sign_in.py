"""What needs a recent sign-in, and POST /auth/reauthenticate (RFC 9470): a stolen token takes no account over."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest

from tests.functions.authorizer.forged_tokens import Forger, right_claims
from tests.functions.users.administrators import administrator
from tests.support import builders
from tests.support.aws import LOCK
from tests.support.client import Client, Person, Response
from tests.support.clock import Clock
from tests.support.problems import problem
from tests.support.product import Product

MINUTES = 60

Request = Callable[[Person], Response]


@pytest.fixture
def clock(product: Product, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Some time ago, as access tokens are verified by the machine's own clock: none may be of the future."""
    product.aws.deploy(AccessTokenSeconds="3600", BcryptCost="4")
    clock = Clock(monkeypatch)
    clock.pass_by(-40 * MINUTES)
    return clock


def reauthenticate(person: Person, password: str = builders.PASSWORD, **headers: str) -> Response:
    return person.post("/auth/reauthenticate", json={"password": password}, headers=headers)


def with_token(person: Person, token: str) -> Person:
    user = {"id": person.id, "username": person.username, "email": person.email}
    tokens = {"user": user, "access_token": token, "refresh_token": person.refresh_token}
    return Person(person.connection, tokens, person.password)


def claims(client: Client) -> Any:
    return jwt.decode(str(client.access_token), options={"verify_signature": False})


def people(product: Product) -> list[Any]:
    return sorted(product.items("UsersTable"), key=repr)


TAKES_OVER: dict[str, Request] = {
    "PATCH a username": lambda ann: ann.patch("/users/me", json={"username": "another"}),
    "PATCH an address": lambda ann: ann.patch("/users/me", json={"email": "another@example.org"}),
    "PATCH no address": lambda ann: ann.patch(f"/users/{ann.id}", json={"email": None}),
    "PUT a username": lambda ann: ann.put("/users/me", json={"username": "another"}),
    "DELETE": lambda ann: ann.delete("/users/me"),
}


def test_account_takeover_routes_need_a_recent_sign_in(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    root, ben = administrator(product), product.register("ben")
    asked = [(ann, request) for request in TAKES_OVER.values()]
    asked += [
        (root, lambda by: by.patch(f"/users/{ben.id}", json={"username": "another"})),
        (root, lambda by: by.delete(f"/users/{ben.id}")),
    ]
    clock.pass_by(15 * MINUTES + 1)
    before = people(product)

    for person, request in asked:
        document = problem(request(person), 401, "reauthentication_required")
        assert document["max_age"] == 15 * MINUTES
        assert 'max_age="900"' in request(person).headers["X-Amzn-Remapped-WWW-Authenticate"]

    assert people(product) == before
    for person, request in asked:
        assert request(with_token(person, reauthenticate(person).json()["access_token"])).status < 300


def test_a_sign_in_is_recent_for_fourteen_minutes(product: Product, clock: Clock) -> None:
    ann = product.register("ann")

    clock.pass_by(15 * MINUTES - 1)

    assert ann.patch("/users/me", json={"username": "another"}).status == 200
    assert ann.delete("/users/me").status == 204


def test_the_age_of_a_recent_sign_in_is_a_setting(product: Product, clock: Clock) -> None:
    product.aws.deploy(RecentSignInSeconds="60", AccessTokenSeconds="3600", BcryptCost="4")
    ann = product.register("ann")

    clock.pass_by(62)

    document = problem(ann.delete("/users/me"), 401, "reauthentication_required")
    assert document["max_age"] == 60


def test_other_routes_accept_an_old_sign_in(product: Product, clock: Clock) -> None:
    ann = product.register("ann", email="ann@example.org")
    clock.pass_by(30 * MINUTES)

    assert ann.get("/users/me").status == 200
    assert ann.plan(room_id=ann.open_room()["id"])
    unchanged = {"username": ann.username, "email": ann.email}
    assert ann.put("/users/me", json=unchanged).status == 200
    assert ann.delete(f"/auth/sessions/{claims(product.anonymous.sign_in(ann.username))['sid']}").status == 204
    change = {"current_password": ann.password, "new_password": "eleven quiet herons over Lake 47"}
    assert ann.post("/auth/password", json=change).status == 204


def test_an_unauthorized_caller_is_not_asked_for_a_password(product: Product, clock: Clock) -> None:
    ann, ben, eve = product.register("ann"), product.register("ben"), product.register("eve")
    ben.join(ann.open_room())
    clock.pass_by(30 * MINUTES)

    problem(eve.delete(f"/users/{ann.id}"), 404, "not_found")
    problem(ben.delete(f"/users/{ann.id}"), 403, "role_too_low")
    problem(ann.delete("/users/me", headers={"If-Match": '"7"'}), 412, "version_mismatch")


def test_reauthentication_returns_a_new_access_token_of_the_same_session(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    clock.pass_by(20 * MINUTES)

    response = reauthenticate(ann)

    assert response.status == 200, response
    assert response.json().keys() == {"access_token", "token_type", "expires_in"}
    assert (response.json()["token_type"], response.json()["expires_in"]) == ("Bearer", 3600)
    again = with_token(ann, response.json()["access_token"])
    before, after = claims(ann), claims(again)
    assert after["auth_time"] == after["iat"] == before["auth_time"] + 20 * MINUTES
    assert after["jti"] != before["jti"]
    assert {name: after[name] for name in ("sid", "sub", "role", "iss", "aud")} == {
        name: before[name] for name in ("sid", "sub", "role", "iss", "aud")
    }
    assert [session["current"] for session in again.list("/auth/sessions")] == [True]
    problem(ann.delete("/users/me"), 401, "reauthentication_required")
    assert again.delete("/users/me").status == 204


def test_a_refresh_keeps_the_time_of_the_last_password_check(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    signed_in_at = claims(ann)["auth_time"]
    clock.pass_by(16 * MINUTES)

    def refreshed(refresh_token: str) -> Person:
        tokens = product.anonymous.post("/auth/refresh", json={"refresh_token": refresh_token}).json()
        return Person(ann.connection, tokens, ann.password)

    refreshed_once = refreshed(ann.refresh_token)
    shown_at = claims(with_token(ann, reauthenticate(refreshed_once).json()["access_token"]))["auth_time"]
    clock.pass_by(5 * MINUTES)
    refreshed_again = refreshed(refreshed_once.refresh_token)

    assert claims(refreshed_once)["auth_time"] == signed_in_at
    problem(refreshed_once.delete("/users/me"), 401, "reauthentication_required")
    assert claims(refreshed_again)["auth_time"] == shown_at == signed_in_at + 16 * MINUTES
    assert refreshed_again.delete("/users/me").status == 204


def test_a_replayed_refresh_has_the_earlier_password_check(product: Product, clock: Clock) -> None:
    """Its answer was lost, and the password has been shown in between: no token says that it is older than that."""
    ann = product.register("ann")
    key, body = {"Idempotency-Key": "one"}, {"refresh_token": ann.refresh_token}
    clock.pass_by(16 * MINUTES)
    assert product.anonymous.post("/auth/refresh", json=body, headers=key).status == 200
    clock.pass_by(30)
    assert reauthenticate(ann).status == 200

    again = product.anonymous.post("/auth/refresh", json=body, headers=key)

    assert again.headers["Idempotency-Replayed"] == "true"
    given = with_token(ann, again.json()["access_token"])
    assert given.get("/users/me").status == 200
    assert claims(given)["auth_time"] <= claims(given)["iat"]


def test_reauthentication_checks_the_password_and_counts_failures_with_password_changes(
    product: Product, clock: Clock
) -> None:
    ann = product.register("ann")
    clock.pass_by(16 * MINUTES)
    change = {"current_password": "wrong", "new_password": "eleven quiet herons over Lake 47"}

    for _ in range(5):
        problem(reauthenticate(ann, "wrong"), 401, "invalid_credentials")
        problem(ann.post("/auth/password", json=change), 401, "invalid_credentials")

    problem(reauthenticate(ann), 429, "rate_limited")
    problem(ann.delete("/users/me"), 401, "reauthentication_required")


@pytest.mark.usefixtures("clock")
def test_reauthentication_counts_as_a_sign_in_of_the_address(product: Product) -> None:
    product.aws.deploy(SignInAttemptsPerIp="3", BcryptCost="4")
    ann = product.register("ann")

    responses = [reauthenticate(ann) for _ in range(4)]
    elsewhere = product.anonymous.post("/auth/login", json={"username": ann.username, "password": ann.password})

    assert [response.status for response in responses] == [200, 200, 200, 429]
    problem(elsewhere, 429, "rate_limited")


def test_an_older_session_without_a_password_check_uses_its_start(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    key = {"session_id": {"S": claims(ann)["sid"]}}
    with LOCK:
        product.aws.dynamodb.update_item(TableName="SessionsTable", Key=key, UpdateExpression="REMOVE authenticated_at")
    clock.pass_by(5 * MINUTES)

    tokens = product.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token}).json()

    refreshed = Person(ann.connection, tokens, ann.password)
    assert claims(refreshed)["auth_time"] == claims(ann)["auth_time"]
    clock.pass_by(9 * MINUTES)
    assert refreshed.patch("/users/me", json={"username": "another"}).status == 200


def test_an_older_token_without_auth_time_is_valid_but_not_recent(product: Product) -> None:
    ann = product.register("ann")
    signer = Forger()
    signer.publish()
    without = {name: value for name, value in right_claims(ann).items() if name != "auth_time"}
    old = with_token(ann, signer.token(without))

    assert old.get("/users/me").status == 200
    problem(old.delete("/users/me"), 401, "reauthentication_required")
    assert with_token(ann, reauthenticate(old).json()["access_token"]).delete("/users/me").status == 204


def test_a_stored_response_is_returned_however_old_the_sign_in_is(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    key, change = {"Idempotency-Key": "one"}, {"username": "another"}
    first = ann.patch("/users/me", json=change, headers=key)
    clock.pass_by(16 * MINUTES)

    again = ann.patch("/users/me", json=change, headers=key)

    assert (again.status, again.json()) == (200, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    problem(ann.patch("/users/me", json={"username": "a third"}), 401, "reauthentication_required")


def test_under_an_idempotency_key_the_same_token_is_returned_and_none_is_stored(product: Product, clock: Clock) -> None:
    """OWASP ASVS 5.0.0 10.4.5: nobody who reads the tables can sign in by what is there."""
    ann = product.register("ann")
    clock.pass_by(16 * MINUTES)

    first, again = (reauthenticate(ann, **{"Idempotency-Key": "one"}) for _ in range(2))

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.text == first.text
    token = first.json()["access_token"]
    kept = repr([product.items(table) for table in product.aws.stack.of_type("AWS::DynamoDB::Table")])
    assert token.rpartition(".")[2] not in kept
    assert ann.password not in kept
    assert with_token(ann, token).delete("/users/me").status == 204


def test_a_signed_out_user_cannot_reauthenticate(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    fresh = with_token(ann, reauthenticate(ann).json()["access_token"])
    product.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token})
    clock.pass_by(1)

    for person in (ann, fresh):
        problem(reauthenticate(person), 401, "token_revoked")
        problem(person.delete("/users/me"), 401, "token_revoked")
