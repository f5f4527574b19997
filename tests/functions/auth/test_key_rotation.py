"""Another key signs access tokens: what the one before signed stays good until it ends (RFC 8725, RFC 9068 §4)."""

from typing import Any

import boto3
import jwt
import pytest

from infrastructure import rotate_key
from infrastructure.template import REPOSITORY, load
from tasksync.dynamodb.sessions.repository import SessionsRepository
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.problems import problem
from tests.support.product import Product


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def rotate(product: Product, kept_seconds: int = rotate_key.KEPT_SECONDS) -> list[str]:
    secret = product.aws.stack.arns["SigningSecret"]
    secrets = boto3.client("secretsmanager")
    return rotate_key.rotate(secrets, product.aws.dynamodb, secret, "SessionsTable", kept_seconds)


def kid_of(client: Client) -> str:
    return str(jwt.get_unverified_header(str(client.access_token))["kid"])


def published(product: Product) -> list[str]:
    response = product.anonymous.get("/.well-known/jwks.json")
    assert response.status == 200, response
    return [key["kid"] for key in response.json()["keys"]]


def verified(product: Product, client: Client) -> Any:
    """As somebody else verifies it, with the published keys."""
    keys = jwt.PyJWKSet.from_dict(product.anonymous.get("/.well-known/jwks.json").json())
    key = keys[kid_of(client)]
    return jwt.decode(str(client.access_token), key, algorithms=["ES256"], audience="tasksync-api")


def test_tokens_of_both_keys_are_valid_during_a_rotation(product: Product) -> None:
    ann = product.register("ann")
    assert published(product) == [kid_of(ann)]

    retired = rotate(product)
    again = product.anonymous.sign_in(ann.username)

    assert retired == [kid_of(ann)]
    assert kid_of(again) != kid_of(ann)
    assert published(product) == [kid_of(again), kid_of(ann)]
    for client in (ann, again):
        assert client.get("/users/me").status == 200
        assert verified(product, client)["sub"] == ann.id


def test_a_warm_container_signs_with_the_new_key_at_once(product: Product) -> None:
    """It has the old key in memory, and looks whether it is retired before each signature."""
    ann = product.register("ann")
    signed = [kid_of(product.anonymous.sign_in(ann.username)) for _ in range(2)]

    rotate(product)

    after = [kid_of(product.anonymous.sign_in(ann.username)) for _ in range(2)]
    assert signed == [kid_of(ann)] * 2
    assert after[0] == after[1] != kid_of(ann)


def test_a_rotation_signs_nobody_out(product: Product) -> None:
    ann = product.register("ann")
    refresh_token = ann.refresh_token

    rotate(product)

    response = product.anonymous.post("/auth/refresh", json={"refresh_token": refresh_token})
    assert response.status == 200, response
    assert jwt.get_unverified_header(response.json()["access_token"])["kid"] != kid_of(ann)


def test_the_old_key_is_withdrawn_when_its_last_token_has_expired(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    assert ann.get("/users/me").status == 200
    rotate(product)
    current = kid_of(product.anonymous.sign_in(ann.username))

    clock.pass_by(rotate_key.KEPT_SECONDS - 60)
    assert published(product) == [current, kid_of(ann)]
    assert ann.get("/users/me").status == 200, "the token's own end is checked by another clock here"
    clock.pass_by(120)

    assert published(product) == [current]
    problem(ann.get("/users/me"), 401, "invalid_token")


def test_an_old_key_is_published_longer_than_any_access_token_lives() -> None:
    longest = load(REPOSITORY / "template.yaml")["Parameters"]["AccessTokenSeconds"]["MaxValue"]

    assert longest + 300 <= rotate_key.KEPT_SECONDS


def test_a_compromised_key_is_withdrawn_within_a_minute(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    assert ann.get("/users/me").status == 200

    rotate(product, kept_seconds=0)
    clock.pass_by(61)

    problem(ann.get("/users/me"), 401, "invalid_token")
    assert kid_of(ann) not in published(product)
    renewed = product.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token})
    assert renewed.status == 200, renewed


def test_a_withdrawn_key_is_not_published_again_from_a_cache(product: Product) -> None:
    """Such as a container that read the seed before it was replaced, and publishes its key after."""
    ann = product.register("ann")
    rotate(product, kept_seconds=0)
    [old] = [item for item in product.items("SessionsTable") if item["session_id"] == f"KEY#{kid_of(ann)}"]

    with product.aws.running("AuthFunction"):
        SessionsRepository().publish_key({"kid": kid_of(ann)})
    [after] = [item for item in product.items("SessionsTable") if item["session_id"] == f"KEY#{kid_of(ann)}"]

    assert after["expires_at"] == old["expires_at"]


def test_a_second_rotation_does_not_extend_the_first_key(product: Product, clock: Clock) -> None:
    ann = product.register("ann")
    rotate(product, kept_seconds=600)
    second = product.anonymous.sign_in(ann.username)

    retired = rotate(product)
    third = product.anonymous.sign_in(ann.username)

    assert retired == [kid_of(second)]
    assert sorted(published(product)) == sorted([kid_of(ann), kid_of(second), kid_of(third)])
    clock.pass_by(700)
    assert sorted(published(product)) == sorted([kid_of(second), kid_of(third)])


def test_the_command_and_the_table_contain_no_seed(product: Product) -> None:
    product.register("ann")
    retired = rotate(product)
    product.register("bob")

    seed = boto3.client("secretsmanager").get_secret_value(SecretId=product.aws.stack.arns["SigningSecret"])

    assert len(seed["SecretString"]) == 64
    assert seed["SecretString"] not in repr(product.items("SessionsTable")) + repr(retired)
