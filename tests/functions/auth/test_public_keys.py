"""Access tokens as somebody else verifies them: with GET /.well-known/jwks.json and nothing of ours."""

import time
from typing import Any

import jwt
import pytest

from tests.support.client import Person
from tests.support.product import Product

ISSUER = "urn:tasksync:dev"
AUDIENCE = "tasksync-api"


def verified(product: Product, access_token: str) -> Any:
    """The claims, if the signature is right by the published key that the token names."""
    keys = jwt.PyJWKSet.from_dict(product.anonymous.get("/.well-known/jwks.json").json())
    key = keys[jwt.get_unverified_header(access_token)["kid"]]
    return jwt.decode(access_token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)


def test_the_public_keys_are_a_jwk_set_without_private_parts(product: Product) -> None:
    response = product.anonymous.get("/.well-known/jwks.json")

    assert response.status == 200, response
    [key] = response.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")


def test_an_access_token_has_the_claims_of_rfc_9068(product: Product) -> None:
    before = int(time.time())
    ann = product.register("ann")

    claims = verified(product, str(ann.access_token))

    assert claims["sub"] == ann.id
    assert claims["iss"] == ISSUER
    assert claims["aud"] == AUDIENCE
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] - claims["iat"] == 600
    assert claims["role"] == "user"
    assert claims["auth_time"] == claims["iat"]
    assert claims["client_id"]
    assert claims["sid"] == ann.list("/auth/sessions")[0]["id"]
    assert jwt.get_unverified_header(str(ann.access_token))["typ"] == "at+jwt"


def test_every_access_token_has_an_id_of_its_own(product: Product) -> None:
    ann = product.register("ann")
    tokens = [str(ann.access_token)]
    tokens += [str(product.anonymous.sign_in(ann.username).access_token) for _ in range(2)]

    ids = {verified(product, token)["jti"] for token in tokens}

    assert len(ids) == 3


def test_an_access_token_contains_no_personal_data(product: Product) -> None:
    ann = product.register("ann")

    claims = verified(product, str(ann.access_token))

    assert claims.keys() == {*("iss", "aud", "sub", "client_id", "iat", "exp", "jti", "sid", "role", "auth_time")}


def test_a_refreshed_token_is_verified_by_the_same_keys(product: Product) -> None:
    ann = product.register("ann")
    pair = product.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token}).json()

    assert verified(product, Person(ann.connection, pair, "").access_token or "")["sub"] == ann.id


def test_another_installation_has_other_keys(product: Product) -> None:
    ann = product.register("ann")
    elsewhere = jwt.PyJWK.from_dict(
        {
            **product.anonymous.get("/.well-known/jwks.json").json()["keys"][0],
            # The generator of P-256 (SEC 2 §2.4.2): a point of the curve, so a valid key, of nobody here.
            "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
            "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
        }
    )

    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(str(ann.access_token), elsewhere, algorithms=["ES256"], audience=AUDIENCE)
