"""Malformed, oversized and forged requests over a real connection: the contract's answers, never a 500."""

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.journeys.service import Service
from tests.support.client import Client, Person
from tests.support.problems import field_errors, problem

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def ann(service: Service) -> Person:
    return service.register("ann")


def test_invalid_json_is_malformed(ann: Person) -> None:
    for content in ("{", '{"title": NaN}', '{"title": "\\ud800"}', "title=x", "[" * 20_000, '{"a":' * 10_000, "\x00"):
        problem(ann.post("/tasks", content=content, headers=JSON), 400, "malformed_json")


def test_bytes_that_are_not_utf_8_are_refused(ann: Person) -> None:
    for content in (b"\xff\xfe\x00", b'{"title": \xff}', b"\x1f\x8b\x08\x00"):
        problem(ann.post("/tasks", content=content, headers=JSON), 400, "malformed_json")


def test_every_wrong_field_is_named(ann: Person) -> None:
    body = {"title": "", "status": 7, "priority": "urgent", "deadline": "soon", "colour": "red", "a/b~c": 1}

    assert field_errors(ann.post("/tasks", json=body)) == {
        "/title": "too_short",
        "/status": "wrong_type",
        "/priority": "not_allowed",
        "/deadline": "bad_format",
        "/colour": "unknown_field",
        "/a~1b~0c": "unknown_field",
    }
    assert field_errors(ann.post("/tasks", json=[body])) == {"": "wrong_type"}


def test_read_only_fields_change_nothing(ann: Person) -> None:
    task = ann.plan()

    response = ann.patch(f"/tasks/{task['id']}", json={"created_by": "somebody", "room_id": None, "id": "x"})

    assert field_errors(response) == dict.fromkeys(["/created_by", "/id"], "read_only")
    problem(ann.patch(f"/tasks/{task['id']}", json={"title": "B", "version": 7}), 412, "version_mismatch")
    assert ann.get(f"/tasks/{task['id']}").json() == task


def test_wrong_and_unknown_parameters_are_named(ann: Person) -> None:
    response = ann.get("/tasks?limit=0&status=done&page=2&deadline_from=soon")

    assert field_errors(response, 400) == {
        "/limit": "out_of_range",
        "/status": "not_allowed",
        "/page": "unknown_parameter",
        "/deadline_from": "bad_format",
    }


@pytest.mark.parametrize("size", [170_000, 1_000_000, 11_000_000])
def test_a_body_that_is_too_large_is_refused(service: Service, ann: Person, size: int) -> None:
    # Whoever refuses a body without reading it to its end may close the connection: nobody else uses this one.
    alone = Client.over_http(service.addresses.api_url)
    headers = {**JSON, "Authorization": f"Bearer {ann.access_token}"}

    with alone.connection:
        response = alone.post("/tasks", content=json.dumps({"title": "x" * size}), headers=headers)

    problem(response, 413, "body_too_large")


def test_a_body_of_another_media_type_is_refused(ann: Person) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        problem(ann.post("/tasks", content="{}", headers={"Content-Type": content_type}), 415, "not_json")
    response = ann.post("/tasks", content='{"title": "x"}', headers={"Content-Type": "application/json; charset=utf-8"})
    assert response.status == 201, response


def test_a_chunked_body_is_read(ann: Person) -> None:
    def chunks() -> Any:
        yield b'{"title": "In '
        yield b'two parts"}'

    response = ann.connection.post(
        "/tasks", content=chunks(), headers={**JSON, "Authorization": f"Bearer {ann.access_token}"}
    )

    assert response.status_code == 201
    assert response.json()["title"] == "In two parts"


def test_altered_cursors_and_cursors_of_others_are_refused(service: Service, ann: Person) -> None:
    eve = service.register("eve")
    for person in (ann, eve):
        for _ in range(3):
            person.plan(status="pending")
    cursor = ann.get("/tasks?limit=1&status=pending").json()["next_cursor"]

    for path, person in (
        ("/tasks?status=pending", eve),
        ("/tasks?status=completed", ann),
        ("/tasks", ann),
        ("/rooms", ann),
        ("/auth/sessions", ann),
    ):
        problem(person.get(path, params={**_query(path), "cursor": cursor}), 400, "invalid_cursor")
    problem(ann.get("/tasks", params={"status": "pending", "cursor": cursor[:-2] + "AA"}), 400, "invalid_cursor")
    assert ann.get("/tasks", params={"status": "pending", "cursor": cursor}).status == 200


def _query(path: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in urlsplit(path).query.split("&") if pair)


def test_forged_tokens_are_refused(service: Service, ann: Person) -> None:
    header, claims, signature = str(ann.access_token).split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0"  # {"alg":"none","typ":"at+jwt"}

    for token in (
        "",
        "x",
        "a.b.c",
        f"{header}.{claims}.",
        f"{none}.{claims}.",
        f"{header}.{claims}.{signature[:-4]}AAAA",
        f"{header}.{claims[:-4]}AAAA.{signature}",
        ann.refresh_token,
        "x" * 5000,
    ):
        response = service.anonymous.get("/users/me", headers={"Authorization": f"Bearer {token}".strip()})
        assert problem(response, 401)["code"] in ("token_malformed", "invalid_token")
    problem(service.anonymous.get("/users/me"), 401, "token_missing")
    problem(service.anonymous.get("/users/me", headers={"Authorization": "Basic YW5uOng="}), 401, "token_malformed")


def test_a_refused_token_has_its_reason_and_the_challenge_with_and_without_the_cache(
    service: Service, ann: Person
) -> None:
    for _ in range(2):
        response = service.anonymous.get("/users/me", headers={"Authorization": str(ann.access_token)})
        assert "without the word Bearer" in problem(response, 401, "token_malformed")["detail"]
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_the_challenge_of_a_function_has_the_header_name_of_api_gateway(service: Service) -> None:
    response = service.anonymous.post("/auth/login", json={"username": "nobody at all", "password": "x"})

    problem(response, 401, "invalid_credentials")
    assert response.headers["X-Amzn-Remapped-WWW-Authenticate"] == "Bearer"
    assert "WWW-Authenticate" not in response.headers


def test_invalid_ids_and_paths_are_404(ann: Person) -> None:
    for path in (
        "/tasks/x",
        "/tasks/%00",
        "/tasks/%E2%98%83",
        "/tasks/a%2Fb",
        "/tasks/%ZZ",
        "/rooms/" + "x" * 3000,
        "/rooms/..%2F..%2Fetc",
        "/users/NAME%23ann",
        "/nowhere",
        "/tasks/x/y/z",
        "/_ministack/health",
        "/_aws/",
    ):
        problem(ann.get(path), 404, "not_found")
    for method in ("PUT", "PATCH", "TRACE", "BREW"):
        problem(ann.request(method, "/rooms"), 404, "not_found")


def test_a_malformed_http_request_harms_no_other(service: Service, ann: Person) -> None:
    address = urlsplit(service.addresses.api_url)
    for sent in (b"\x00\x01\x02\r\n\r\n", b"GET /health\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 2000):
        with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=5) as connection:
            connection.sendall(sent)

    assert ann.get("/users/me").status == 200


def test_headers_and_queries_of_any_bytes_cause_no_internal_error(service: Service, ann: Person) -> None:
    address = urlsplit(service.addresses.api_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    try:
        connection.putrequest("GET", "/tasks?limit=%FF&status=%00")
        connection.putheader("Authorization", f"Bearer {ann.access_token}")
        connection.putheader("User-Agent", b"\xff\xfe \xe2\x98\x83")
        connection.putheader("If-None-Match", b'"\xff"')
        connection.endheaders()
        response = connection.getresponse()
        document = json.loads(response.read())
    finally:
        connection.close()

    assert response.status == 400
    assert {fault["pointer"] for fault in document["errors"]} == {"/limit", "/status"}


def test_a_repeated_header_line_does_not_replace_the_first(ann: Person, service: Service) -> None:
    path = f"/rooms/{ann.open_room()['id']}"
    bob = service.register("bob")
    tags = [("If-Match", '"1"'), ("If-Match", '"7"')]
    tokens = [("Authorization", f"Bearer {person.access_token}") for person in (ann, bob)]

    assert ann.patch(path, content='{"name": "B"}', headers=[*JSON.items(), *tags]).status == 200
    problem(ann.patch(path, content='{"name": "C"}', headers=[*JSON.items(), *tags]), 412, "version_mismatch")
    problem(ann.get(path, headers=tokens), 401, "token_malformed")


def test_monitors_may_send_head_requests(service: Service) -> None:
    for path in ("/health", "/docs?utm_source=mail", "/.well-known/jwks.json"):
        response = service.anonymous.request("HEAD", path)
        assert (response.status, response.text) == (200, "")
