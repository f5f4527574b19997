"""What a body may be: JSON, an object, of 160 KiB at most, with the fields of the route and no others."""

import base64
import functools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.layers.http import calls
from tests.layers.http.calls import Route
from tests.support.client import Person, Response
from tests.support.context import LambdaContext
from tests.support.gateway import load_handler
from tests.support.problems import field_errors, problem
from tests.support.product import Product

LIMIT = 160 * 1024
JSON = {"Content-Type": "application/json"}


def login(product: Product, content: bytes | str, content_type: str | None = "application/json") -> Response:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return product.anonymous.post("/auth/login", content=content, headers=headers)


def credentials(product: Product) -> str:
    ann = product.register("ann")
    return json.dumps({"username": ann.username, "password": ann.password})


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "}",
        '{"username": "ann",}',
        "{'username': 'ann'}",
        '{"username": NaN}',
        '{"username": Infinity}',
        '{"username": -Infinity}',
        '{"username": 01}',
        '{"username": "ann" "password": "x"}',
        '{"username": "a\nb"}',
        '{"username": "\\ud800"}',
        '{"username": "\\udc00\\ud800"}',
        '{"username": "\\x41"}',
        '{"username": undefined}',
        '{"username": "ann"} {}',
        '{"username": "ann"}x',
        "username=ann&password=x",
        "<login/>",
        "/* comment */ {}",
        "nul",
        " ",
        "\ufeff{}",
        b'{"username": "\xff\xfe"}',
        b'{"username": "\xed\xa0\x80"}',
        b"\x00",
        "[" * 20_000,
        '{"a":' * 10_000,
    ],
    ids=lambda content: repr(content[:40]),
)
def test_invalid_json_is_malformed(product: Product, content: bytes | str) -> None:
    response = login(product, content)

    if b"\xff" in _bytes(content) or b"\xed\xa0" in _bytes(content):
        # The gateway hands texts to functions: it has put U+FFFD in the place of what is no UTF-8.
        assert response.status in (400, 422), response
    else:
        problem(response, 400, "malformed_json")


@pytest.mark.parametrize(
    "content", ["[" * 5_000 + "]" * 5_000, '{"a":' * 5_000 + "1" + "}" * 5_000], ids=["arrays", "objects"]
)
def test_deeply_nested_json_is_refused(product: Product, content: str) -> None:
    response = login(product, content)

    # It is JSON. How deep it may be for a parser to see that differs between versions of Python.
    assert response.status in (400, 422), response
    problem(response, response.status)


@pytest.mark.parametrize("content", ["[]", '["username"]', '"text"', "7", "1e400", "true", "null", "-0"])
def test_a_body_that_is_not_an_object_is_an_error_of_the_whole_body(product: Product, content: str) -> None:
    response = login(product, content)

    if content == "1e400" and response.status == 400:
        return  # a number no computer can hold may be called malformed
    assert field_errors(response) == {"": "wrong_type"}


def test_every_route_with_a_body_refuses_other_json_than_objects(product: Product) -> None:
    ann = product.register("ann")

    for route in calls.WITH_BODY:
        assert field_errors(calls.call(ann, route, json=[{}])) == {"": "wrong_type"}
        problem(calls.call(ann, route, content="{", headers=JSON), 400, "malformed_json")


def test_every_route_with_a_body_refuses_unknown_fields(product: Product) -> None:
    ann = product.register("ann")
    unknown = {"~x/y": 1, "version": 2, "__proto__": {}, "created_by": ann.id, "": 0}
    pointers = ["/~0x~1y", "/version", "/__proto__", "/created_by", "/"]

    for route in calls.WITH_BODY:
        sent, expected = dict(unknown), dict.fromkeys(pointers, "unknown_field")
        if route[0] != "POST":
            # They may say what is so: tests/functions/preconditions/test_read_modify_write.py.
            for name in ("version", "created_by"):
                del sent[name], expected[f"/{name}"]
        found = field_errors(calls.call(ann, route, json=sent))
        # A missing name is a fault of two fields together, which only right ones can have.
        of_one_field = {pointer: code for pointer, code in found.items() if (pointer, code) != ("/username", "missing")}
        assert of_one_field == expected | dict.fromkeys(calls.WITH_NEEDED_FIELDS.get(route, ()), "missing"), route


def test_a_missing_body_is_an_empty_object(product: Product) -> None:
    ann = product.register("ann")

    for route, needed in calls.WITH_NEEDED_FIELDS.items():
        responses = [calls.call(ann, route)]
        responses += [calls.call(ann, route, content=content, headers=JSON) for content in (None, "", "{}")]
        found = [field_errors(response).keys() - {"/username"} for response in responses]
        assert found == [needed] * 4, route


def test_every_route_with_a_body_refuses_170_kb(product: Product) -> None:
    ann = product.register("ann")
    content = json.dumps({"x": "x" * 170_000})

    for route in calls.WITH_BODY:
        problem(calls.call(ann, route, content=content, headers=JSON), 413, "body_too_large")


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 422), (LIMIT + 1, 413), (9_000_000, 413), (11_000_000, 413)])
def test_a_body_has_at_most_160_kib(product: Product, size: int, status: int) -> None:
    response = login(product, "{" + " " * (size - 2) + "}")

    problem(response, status)


def test_the_size_is_in_bytes_and_not_in_characters(product: Product) -> None:
    response = login(product, json.dumps({"username": "\N{CAT FACE}" * 41_000}, ensure_ascii=False))

    problem(response, 413, "body_too_large")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_every_route_with_a_body_accepts_only_json(product: Product, content_type: str | None) -> None:
    ann = product.register("ann")
    headers = {} if content_type is None else {"Content-Type": content_type}

    for route in calls.WITH_BODY:
        problem(calls.call(ann, route, content="{}", headers=headers), 415, "not_json")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        "application/merge-patch+json",
        "application/vnd.example.login+json; version=1",
        " application/json ",
    ],
)
def test_json_has_several_media_types(product: Product, content_type: str) -> None:
    response = login(product, credentials(product), content_type.strip())

    assert response.status == 200, response


@pytest.mark.parametrize(
    "content_type", ["", "json", "text/json", "application/jsonp", "application/json-seq", "multipart/form-data", "*/*"]
)
def test_other_media_types_are_refused(product: Product, content_type: str) -> None:
    problem(login(product, credentials(product), content_type), 415, "not_json")


def test_a_compressed_body_is_not_accepted_as_json(product: Product) -> None:
    response = product.anonymous.post(
        "/auth/login", content=b"\x1f\x8b\x08\x00\x00", headers={**JSON, "Content-Encoding": "gzip"}
    )

    assert response.status in (400, 415), response


def test_the_last_of_a_duplicate_field_counts(product: Product) -> None:
    ann = product.register("ann")
    content = f'{{"username": "nobody", "password": "{ann.password}", "username": "{ann.username}"}}'

    assert login(product, content).status == 200


def test_wrong_types_are_reported_for_every_field_at_once(product: Product) -> None:
    ann = product.register("ann")
    body = {
        "title": 7,
        "description": [],
        "status": "done",
        "priority": None,
        "deadline": "tomorrow",
        "room_id": {},
        "user_id": True,
        "extra": 1,
    }

    found = field_errors(ann.post("/tasks", json=body))

    assert found == {
        "/title": "wrong_type",
        "/description": "wrong_type",
        "/status": "not_allowed",
        "/priority": "wrong_type",
        "/deadline": "bad_format",
        "/room_id": "wrong_type",
        "/user_id": "wrong_type",
        "/extra": "unknown_field",
    }


def test_length_errors_state_the_limits(product: Product) -> None:
    ann = product.register("ann")

    response = ann.post("/tasks", json={"title": "x" * 256, "description": "x" * 10_001})

    assert field_errors(response) == {"/title": "too_long", "/description": "too_long"}
    details = {fault["pointer"]: fault["detail"] for fault in response.json()["errors"]}
    assert "255" in details["/title"]
    assert "10000" in details["/description"]


def test_a_refused_body_is_never_quoted(product: Product) -> None:
    canary = "canary-7f3a"

    response = product.anonymous.post("/auth/login", json={"username": canary + "\n", "password": [canary]})

    assert field_errors(response).keys() == {"/username", "/password"}
    assert canary not in response.text


def test_a_base64_body_is_decoded(product: Product) -> None:
    content = credentials(product).encode()

    assert lambda_login(product, base64.b64encode(content).decode())["statusCode"] == 200
    assert lambda_login(product, base64.b64encode(b"{" + b" " * LIMIT + b"}").decode())["statusCode"] == 413
    assert lambda_login(product, "no base64!")["statusCode"] == 400
    assert lambda_login(product, base64.b64encode(b"\xff\xfe").decode())["statusCode"] == 400


def lambda_login(product: Product, body: str) -> Any:
    """Call the function as a gateway does that was told to treat bodies as binary."""
    event = {
        "resource": "/auth/login",
        "path": "/auth/login",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "a-request",
            "httpMethod": "POST",
            "resourcePath": "/auth/login",
            "path": "/live/auth/login",
            "stage": "live",
            "domainName": "api.example.org",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": body,
        "isBase64Encoded": True,
    }
    with product.aws.running("AuthFunction"):
        return load_handler("auth_api.routes.app")(event, LambdaContext("AuthFunction"))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *("username", "email", "password", "refresh_token", "current_password", "new_password", "name", "code"),
        *("user_id", "role", "title", "description", "status", "priority", "deadline", "room_id"),
    ]
)


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=st.sampled_from(calls.WITH_BODY), body=JSON_VALUES | st.dictionaries(FIELDS, JSON_VALUES, max_size=4))
def test_no_body_causes_an_internal_error(product: Product, route: Route, body: object) -> None:
    response = calls.call(_somebody(product), route, content=json.dumps(body), headers=JSON)

    assert response.status < 500, response
    if response.status >= 400:
        problem(response, response.status)


@functools.lru_cache(maxsize=1)
def _somebody(product: Product) -> Person:
    """One person for all examples: registering costs a bcrypt."""
    return product.register("ann")


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content
