"""The signing key is replaced while people work, and lost responses to refreshes are given again."""

import jwt

from infrastructure import rotate_key
from tests.journeys.service import Service, at_once
from tests.support.client import Client, Response


def kid_of(client: Client) -> str:
    return str(jwt.get_unverified_header(str(client.access_token))["kid"])


def test_a_key_rotation_is_invisible_to_clients(service: Service) -> None:
    ann = service.register("ann")
    clients = (service.addresses.client("secretsmanager"), service.addresses.client("dynamodb"))
    outputs = service.addresses.outputs

    retired = rotate_key.rotate(*clients, outputs["SigningSecret"], outputs["SessionsTable"], rotate_key.KEPT_SECONDS)
    again = service.anonymous.sign_in(ann.username)

    assert kid_of(ann) in retired
    assert kid_of(again) not in retired
    assert ann.get("/users/me").status == 200
    assert again.get("/users/me").status == 200
    keys = service.anonymous.get("/.well-known/jwks.json").json()["keys"]
    assert {kid_of(ann), kid_of(again)} <= {key["kid"] for key in keys}
    pair = service.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token})
    assert pair.status == 200, pair


def test_concurrent_refreshes_with_one_idempotency_key_get_the_same_pair(service: Service) -> None:
    ann = service.register("ann")

    def refresh() -> Response:
        headers = {"Idempotency-Key": "one key"}
        return service.anonymous.post("/auth/refresh", json={"refresh_token": ann.refresh_token}, headers=headers)

    responses = at_once([refresh] * 4)

    assert [response.status for response in responses] == [200] * 4
    assert len({response.text for response in responses}) == 1
    assert sorted("Idempotency-Replayed" in response.headers for response in responses) == [False, True, True, True]
    client = Client(ann.connection, responses[0].json()["access_token"])
    assert client.get("/users/me").status == 200
