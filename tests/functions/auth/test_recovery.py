"""POST /auth/recovery/complete: a new password for somebody who has forgotten theirs, with a token that
`make reset-password` issued."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support import builders
from tests.support.client import Person, Response
from tests.support.clock import Clock
from tests.support.problems import field_errors, problem
from tests.support.product import Product

NEW = "eleven quiet herons over Lake 47"
MINUTES = 60


@pytest.fixture(autouse=True)
def _cheap_hashes(product: Product) -> None:
    product.aws.deploy(BcryptCost="4")


def complete(product: Product, token: str, new: str = NEW) -> Response:
    return product.anonymous.post("/auth/recovery/complete", json={"token": token, "new_password": new})


def refused(response: Response) -> None:
    problem(response, 401, "invalid_recovery_token")


def user_item(product: Product, person: Person) -> dict[str, Any]:
    [item] = [item for item in product.items("UsersTable") if item["user_id"] == person.id]
    return item


def test_the_new_password_replaces_the_forgotten_one_and_every_session_ends(product: Product) -> None:
    ann = product.register("ann")

    response = complete(product, product.recovery_token(ann.username))

    assert (response.status, response.text) == (204, "")
    old = {"username": ann.username, "password": builders.PASSWORD}
    problem(product.anonymous.post("/auth/login", json=old), 401, "invalid_credentials")
    problem(product.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token}), 401)
    again = product.anonymous.sign_in(ann.username, NEW)
    assert (again.id, again.get("/users/me").json()["version"]) == (ann.id, 2)
    assert not [name for name in user_item(product, ann) if name.startswith("recovery")]


def test_an_unused_recovery_token_changes_nothing(product: Product) -> None:
    ann = product.register("ann")
    before = ann.get("/users/me").json()

    product.recovery_token(ann.username)

    assert ann.get("/users/me").json() == before
    assert product.anonymous.sign_in(ann.username).id == ann.id


def test_a_recovery_token_can_be_used_once(product: Product) -> None:
    token = product.recovery_token(product.register("ann").username)
    assert complete(product, token).status == 204

    refused(complete(product, token, f"{NEW} and more"))


def test_of_two_concurrent_uses_of_a_recovery_token_one_succeeds(product: Product) -> None:
    ann = product.register("ann")
    token = product.recovery_token(ann.username)

    with ThreadPoolExecutor(2) as threads:
        responses = list(threads.map(lambda number: complete(product, token, f"{NEW} {number}"), range(2)))

    assert sorted(response.status for response in responses) == [204, 401]
    winner = [response.status for response in responses].index(204)
    assert product.anonymous.sign_in(ann.username, f"{NEW} {winner}").id == ann.id


def test_a_recovery_token_expires_after_half_an_hour(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    ann = product.register("ann")
    token = product.recovery_token(ann.username)

    clock.pass_by(30 * MINUTES + 1)

    refused(complete(product, token))
    assert product.anonymous.sign_in(ann.username).id == ann.id


def test_a_newer_recovery_token_revokes_the_previous_one(product: Product) -> None:
    ann = product.register("ann")
    first, second = product.recovery_token(ann.username), product.recovery_token(ann.username)

    refused(complete(product, first))
    assert complete(product, second).status == 204


@pytest.mark.parametrize("change", ["password", "address", "deletion"])
def test_a_change_of_the_user_revokes_the_recovery_token(product: Product, change: str) -> None:
    ann = product.register("ann")
    token = product.recovery_token(ann.username)

    if change == "password":
        body = {"current_password": ann.password, "new_password": f"{NEW} changed"}
        assert ann.post("/auth/password", json=body).status == 204
    elif change == "address":
        assert ann.patch("/users/me", json={"email": "new@example.org"}).status == 200
    else:
        assert ann.delete("/users/me").status == 204

    refused(complete(product, token))


def test_a_sign_in_that_renews_the_hash_does_not_revoke_the_recovery_token(product: Product) -> None:
    ann = product.register("ann")
    token = product.recovery_token(ann.username)
    product.aws.deploy(BcryptCost="5")
    assert product.anonymous.sign_in(ann.username).id == ann.id

    assert complete(product, token).status == 204


def test_a_recovery_token_that_was_never_issued_is_refused(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    token = product.recovery_token(ann.username)
    user_id, _, secret = token.partition(".")
    nobody = f"usr_{'0' * 32}"

    for forged in (f"{bob.id}.{secret}", f"{nobody}.{secret}", f"{user_id}.{secret[::-1]}", user_id, "x", f"{token}\n"):
        refused(complete(product, forged))
    assert complete(product, token).status == 204


def test_a_guessable_password_is_refused_and_the_recovery_token_stays_valid(product: Product) -> None:
    ann = product.register("ann", username="marigold-hinterland")
    token = product.recovery_token(ann.username)

    assert field_errors(complete(product, token, "passwordpassword")) == {"/new_password": "password_too_common"}
    assert field_errors(complete(product, token, "too short")) == {"/new_password": "too_short"}
    assert "/new_password" in field_errors(complete(product, token, "marigold-hinterland"))

    assert product.anonymous.sign_in(ann.username).id == ann.id
    assert complete(product, token).status == 204


def test_the_response_to_a_wrong_recovery_token_does_not_depend_on_the_password(product: Product) -> None:
    """So nobody without a token learns what the names of the user are."""
    ann = product.register("ann", username="marigold-hinterland")

    refused(complete(product, f"{ann.id}.{'A' * 43}", "marigold-hinterland"))


def test_a_locked_out_user_can_sign_in_after_recovery(product: Product) -> None:
    ann = product.register("ann")
    wrong = {"username": ann.username, "password": "not the password at all"}
    responses = [product.anonymous.post("/auth/login", json=wrong) for _ in range(11)]
    problem(responses[-1], 429, "rate_limited")

    assert complete(product, product.recovery_token(ann.username)).status == 204

    assert product.anonymous.sign_in(ann.username, NEW).id == ann.id
