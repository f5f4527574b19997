"""Compressed responses and requests, as they are on the wire: the client here undoes nothing by itself."""

import gzip
import json
import zlib
from collections.abc import Mapping

import httpx
import pytest

from tests.journeys.service import Service
from tests.support import builders
from tests.support.client import Person

JSON = {"Content-Type": "application/json"}
LEAST = 1024


@pytest.fixture(scope="module")
def ann(service: Service) -> Person:
    person = service.register("ann")
    room = person.open_room()
    for number in range(20):
        person.plan(room_id=room["id"], title=f"Order desk {number}")
    return person


def raw(
    service: Service, person: Person, method: str, path: str, headers: Mapping[str, str], content: bytes = b""
) -> tuple[httpx.Response, bytes]:
    """The response, and its body as it was sent."""
    # httpx would name the codings that it knows.
    sent = {"Authorization": f"Bearer {person.access_token}", "Accept-Encoding": "identity", **headers}
    url = service.addresses.api_url + path
    with (
        httpx.Client(trust_env=False, timeout=30) as client,
        client.stream(method, url, headers=sent, content=content) as response,
    ):
        return response, b"".join(response.iter_raw())


def test_a_client_that_accepts_gzip_or_deflate_receives_less(service: Service, ann: Person) -> None:
    plain, whole = raw(service, ann, "GET", "/tasks", {})
    by_gzip, small = raw(service, ann, "GET", "/tasks", {"Accept-Encoding": "gzip, deflate, br"})
    by_deflate, other = raw(service, ann, "GET", "/tasks", {"Accept-Encoding": "deflate;q=0.7, gzip;q=0.2"})

    assert "Content-Encoding" not in plain.headers
    assert (by_gzip.headers["Content-Encoding"], by_deflate.headers["Content-Encoding"]) == ("gzip", "deflate")
    assert gzip.decompress(small) == zlib.decompress(other) == whole
    assert len(json.loads(whole)["items"]) >= 20
    assert len(small) == int(by_gzip.headers["Content-Length"]) < len(whole) / 5


def test_small_responses_and_responses_with_secrets_are_not_compressed(service: Service, ann: Person) -> None:
    for _ in range(4):
        ann.open_room()

    profile, small = raw(service, ann, "GET", "/users/me", {"Accept-Encoding": "gzip"})
    rooms, large = raw(service, ann, "GET", "/rooms", {"Accept-Encoding": "gzip"})

    assert len(small) < LEAST < len(large)
    assert "Content-Encoding" not in profile.headers
    assert rooms.headers["Content-Encoding"] == "identity"
    assert len(json.loads(large)["items"]) == 5


def test_an_unchanged_resource_is_still_a_304(service: Service, ann: Person) -> None:
    first, _ = raw(service, ann, "GET", "/openapi.json", {"Accept-Encoding": "gzip"})
    again, body = raw(
        service, ann, "GET", "/openapi.json", {"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]}
    )

    assert first.headers["Content-Encoding"] == "gzip"
    assert (again.status_code, body) == (304, b"")
    assert "Content-Encoding" not in again.headers


def test_a_request_may_be_compressed(service: Service, ann: Person) -> None:
    task = json.dumps(builders.task(description="Twelve, adjustable in height. " * 300)).encode()

    for name, encode in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        response, body = raw(service, ann, "POST", "/tasks", {"Content-Encoding": name, **JSON}, encode(task))

        assert response.status_code == 201, body
        assert json.loads(body)["description"] == json.loads(task)["description"]


@pytest.mark.parametrize(
    ("body", "name", "status", "code"),
    [
        # 160 KiB count as they are when unpacked, and the gateway unpacks no more than it would take.
        (gzip.compress(b"{" + b" " * 170_000 + b"}"), "gzip", 413, "body_too_large"),
        (gzip.compress(b" " * 20_000_000), "gzip", 413, "body_too_large"),
        (b"{}", "gzip", 415, "unknown_encoding"),
        (b"{}", "br", 415, "unknown_encoding"),
    ],
    ids=["too large", "a bomb", "not gzip", "brotli"],
)
def test_undecodable_and_oversized_compressed_bodies_are_refused(
    service: Service, ann: Person, body: bytes, name: str, status: int, code: str
) -> None:
    response, problem = raw(service, ann, "POST", "/tasks", {"Content-Encoding": name, **JSON}, body)

    assert (response.status_code, json.loads(problem)["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"
