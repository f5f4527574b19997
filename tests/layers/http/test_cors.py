"""Pages of other origins: those on the list may use the API, others get nothing (OWASP ASVS 5.0.0 §3.4.2)."""

import pytest

from tests.layers.http import calls
from tests.layers.http.test_common_headers import is_protected
from tests.support.client import Response
from tests.support.product import Product

APP, STAGING, EVIL = "https://app.example.org", "http://localhost:5173", "https://evil.example.org"
NEARLY = [
    EVIL,
    "null",
    "*",
    "",
    "https://app.example.org.evil.example.org",
    "http://app.example.org",
    f"{APP},{STAGING}",
]
EXPOSED = {
    "ETag",
    "Location",
    "Link",
    "Retry-After",
    "X-Request-Id",
    "RateLimit",
    "RateLimit-Policy",
    "Idempotency-Replayed",
}


@pytest.fixture
def listed(product: Product) -> Product:
    product.aws.deploy(CorsAllowedOrigins=f"{APP},{STAGING}")
    return product


def listed_in(response: Response, header: str) -> set[str]:
    return {each.strip() for each in response.headers[header].split(",")}


def asked_before(product: Product, path: str, origin: str) -> Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match"}
    return product.anonymous.request("OPTIONS", path, headers=headers)


@pytest.mark.parametrize("origin", [APP, STAGING])
def test_a_listed_origin_may_use_every_path_and_method(listed: Product, origin: str) -> None:
    for _, path in calls.ALL:
        response = asked_before(listed, path.replace("{", "").replace("}", ""), origin)

        assert (response.status, response.text) == (204, "")
        assert is_protected(response)
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert response.headers["Vary"] == "Origin"
        assert listed_in(response, "Access-Control-Allow-Methods") == {"GET", "POST", "PUT", "PATCH", "DELETE"}
        allowed = {name.lower() for name in listed_in(response, "Access-Control-Allow-Headers")}
        assert {"authorization", "content-type", "idempotency-key", "if-match", "if-none-match"} <= allowed
        assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_preflight_calls_nothing_counts_for_no_limit_and_is_cached(listed: Product) -> None:
    """So a browser gets its answer also while tables and secrets are out of reach."""
    for path in sorted({path for _, path in calls.ALL}):
        response = asked_before(listed, path.replace("{", "").replace("}", ""), APP)

        assert listed.aws.permissions.calls == []
        assert not {"ratelimit", "ratelimit-policy"} & response.headers.keys()
        assert response.headers["Access-Control-Max-Age"] == "7200"


@pytest.mark.parametrize("origin", NEARLY)
def test_other_origins_get_no_cors_headers(listed: Product, origin: str) -> None:
    ann = listed.register("ann")

    for response in (asked_before(listed, "/rooms", origin), ann.get("/rooms", headers={"Origin": origin})):
        assert response.status in (200, 204)
        assert response.headers["Vary"] == "Origin"
        assert not [name for name in response.headers if name.startswith("access-control")]


def test_responses_name_the_origin_and_expose_the_headers(listed: Product) -> None:
    ann = listed.register("ann")
    path = f"/tasks/{ann.plan()['id']}"
    tag = ann.get(path).headers["ETag"]

    responses = [
        ann.get("/rooms", headers={"Origin": APP}),
        ann.post("/tasks", json={}, headers={"Origin": APP}),
        ann.get(path, headers={"Origin": APP, "If-None-Match": tag}),
        listed.anonymous.post("/auth/login", json={"username": "x", "password": "y"}, headers={"Origin": APP}),
        listed.anonymous.get("/openapi.json", headers={"Origin": APP}),
    ]

    assert [response.status for response in responses] == [200, 422, 304, 401, 200]
    for response in responses:
        assert response.headers["Access-Control-Allow-Origin"] == APP
        assert listed_in(response, "Access-Control-Expose-Headers") >= EXPOSED
        assert "Access-Control-Allow-Credentials" not in response.headers


def test_gateway_responses_are_readable_from_a_listed_origin(listed: Product) -> None:
    for response in (
        listed.anonymous.get("/rooms", headers={"Origin": APP}),
        listed.anonymous.get("/nowhere", headers={"Origin": APP}),
    ):
        assert response.status in (401, 404)
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]


def test_without_a_list_no_response_allows_any_origin(product: Product) -> None:
    ann = product.register("ann")

    for response in (
        asked_before(product, "/rooms", APP),
        ann.get("/rooms", headers={"Origin": APP}),
        ann.get("/rooms", headers={"Origin": ""}),
        product.anonymous.get("/rooms", headers={"Origin": APP}),
        product.anonymous.get("/nowhere", headers={"Origin": APP}),
    ):
        assert response.headers["Vary"] == "Origin"
        assert not [name for name in response.headers if name.startswith("access-control")]
