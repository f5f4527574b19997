"""What the gateway answers by itself cannot be told from what the functions answer."""

import json
from typing import Any

import pytest

from infrastructure.local import gateway
from tasksync.http.problems import PROBLEM_TYPES, TITLES
from tests.support.product import Product
from tests.support.stack import Stack

STACK = Stack()
RESPONSES: dict[str, Any] = STACK.decided(STACK.resources["Api"]["Properties"]["GatewayResponses"])

# Every kind that a request to this API can meet has its own, and the defaults catch the rest.
KINDS = {
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "AUTHORIZER_FAILURE",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "UNAUTHORIZED",
    "ACCESS_DENIED",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "MISSING_AUTHENTICATION_TOKEN",
    "INVALID_SIGNATURE",
    "EXPIRED_TOKEN",
    "RESOURCE_NOT_FOUND",
    "UNSUPPORTED_MEDIA_TYPE",
    "REQUEST_TOO_LARGE",
    "THROTTLED",
    "WAF_FILTERED",
    "QUOTA_EXCEEDED",
}
FIELDS = {"type", "title", "status", "code", "detail", "request_id"}
EXTRA_HEADERS = {401: {"www-authenticate"}, 429: {"retry-after"}, 503: {"retry-after"}}


def _headers(kind: str) -> dict[str, str]:
    headers = RESPONSES[kind]["ResponseParameters"]["Headers"]
    return {name.lower(): value for name, value in headers.items()}


def test_every_gateway_response_type_is_declared() -> None:
    assert RESPONSES.keys() == KINDS


@pytest.mark.parametrize("kind", RESPONSES)
def test_a_gateway_response_body_is_a_problem_document(kind: str) -> None:
    templates = RESPONSES[kind]["ResponseTemplates"]

    template = templates["application/json"].replace("$context.requestId", "an-id")
    # What the authorizer names, the tests of the authorizer see.
    template = template.replace("$context.authorizer.code", "invalid_token").replace(
        "$context.authorizer.detail", "No."
    )
    problem = json.loads(template)
    codes = {each.code: each.status for each in PROBLEM_TYPES.values()}

    assert templates.keys() == {"application/json"}
    assert problem.keys() == FIELDS
    assert problem["status"] == RESPONSES[kind]["StatusCode"]
    assert problem["request_id"] == "an-id"
    assert problem["title"] == TITLES[problem["status"]]
    assert codes[problem["code"]] == problem["status"]


@pytest.mark.parametrize("kind", RESPONSES)
def test_gateway_response_headers_equal_those_of_a_function(kind: str, product: Product) -> None:
    made_by_function = product.register().get("/rooms/unknown")
    status = RESPONSES[kind]["StatusCode"]

    headers = _headers(kind)

    assert made_by_function.status == 404
    # What is left of a limit, the gateway does not know.
    of_function = set(made_by_function.headers) - {"content-length", "ratelimit", "ratelimit-policy"}
    assert headers.keys() == of_function | EXTRA_HEADERS.get(status, set())
    for name in of_function - {"x-request-id"}:
        # The gateway takes a value between single quotes, and has no way to write one inside.
        assert headers[name].strip("'") == made_by_function.headers[name].replace("'", "")
    assert headers["x-request-id"] == "context.requestId"


@pytest.mark.parametrize("kind", ["REQUEST_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "DEFAULT_5XX"])
def test_the_local_stack_responds_with_problem_documents_before_it_is_deployed(kind: str) -> None:
    status, headers, body = gateway.render_response({}, kind)

    problem = json.loads(body)
    codes = {each.code: each.status for each in PROBLEM_TYPES.values()}
    assert problem.keys() == FIELDS
    assert (problem["status"], problem["title"], codes[problem["code"]]) == (status, TITLES[status], status)
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["X-Request-Id"] == problem["request_id"]


def test_the_challenge_of_a_rejected_token_comes_from_the_gateway() -> None:
    """From a function it would arrive under another name."""
    assert _headers("UNAUTHORIZED")["www-authenticate"] == "'Bearer'"
    assert _headers("ACCESS_DENIED")["www-authenticate"] == "'Bearer error=\"invalid_token\"'"


def test_a_problem_from_a_function_has_the_same_fields(product: Product) -> None:
    problem = product.register().get("/rooms/unknown").json()

    assert problem.keys() == FIELDS


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/rooms/join", 404, "not_found"),
        ("GET", "/rooms", 401, "token_missing"),
    ],
)
def test_a_gateway_refusal_arrives_as_described(
    product: Product, method: str, path: str, status: int, code: str
) -> None:
    response = product.anonymous.request(method, path)

    assert response.status == status
    assert response.json()["code"] == code
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["X-Request-Id"] == response.json()["request_id"]


# No route takes a signature of AWS's: where the gateway looks for one, no route was found.
@pytest.mark.parametrize(
    "kind", ["MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE", "EXPIRED_TOKEN", "RESOURCE_NOT_FOUND", "DEFAULT_4XX"]
)
def test_an_unknown_path_gets_404_whichever_gateway_response_is_used(kind: str) -> None:
    assert {event.get("Auth", {}).get("Authorizer", "NONE") for event in _routes()} == {"NONE"}
    assert RESPONSES[kind]["StatusCode"] == 404
    assert json.loads(RESPONSES[kind]["ResponseTemplates"]["application/json"])["code"] == "not_found"


@pytest.mark.parametrize(
    "authorization",
    ["Bearer abc", "Bearer", "Basic dTpw", "abc", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b, Signature=c"],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/rooms/join"), ("GET", "/auth/login/")])
def test_an_unknown_path_gets_404_with_any_authorization_header(
    product: Product, method: str, path: str, authorization: str
) -> None:
    response = product.anonymous.request(method, path, headers={"Authorization": authorization})

    assert response.status == 404
    assert response.json()["code"] == "not_found"
    assert response.headers["Content-Type"] == "application/problem+json"


def _routes() -> list[dict[str, Any]]:
    return [event for function in STACK.functions for event in STACK.events(function, "Api")]


def test_a_body_over_the_gateway_limit_is_refused_by_the_gateway(product: Product) -> None:
    response = product.anonymous.post("/auth/login", content=b" " * (10 * 1024 * 1024 + 1))

    assert response.status == 413
    assert response.json()["code"] == "body_too_large"
