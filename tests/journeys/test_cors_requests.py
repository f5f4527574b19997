"""Browsers on pages of other origins: those on the list may use the API, the others may not."""

import httpx
import pytest

from tests.journeys.service import ORIGIN, Service


def preflight(service: Service, origin: str, path: str = "/rooms") -> httpx.Response:
    """What a browser asks before it sends a request with a token."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return httpx.options(service.addresses.api_url + path, headers=asked, trust_env=False, timeout=30)


@pytest.mark.parametrize("path", ["/", "/rooms", "/rooms/room_1/users/usr_1", "/auth/login"])
def test_a_listed_origin_may_send_a_request_and_read_its_response(service: Service, path: str) -> None:
    allowed = preflight(service, ORIGIN, path)
    response = service.anonymous.get("/health", headers={"Origin": ORIGIN})

    assert allowed.status_code == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"POST", "PATCH", "DELETE"} <= set(
        allowed.headers["Access-Control-Allow-Methods"].replace(" ", "").split(",")
    )
    assert {"authorization", "content-type"} <= set(
        allowed.headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")
    )
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in response.headers["Vary"]


def test_an_unlisted_origin_may_not(service: Service) -> None:
    refused = preflight(service, "https://evil.example.org")
    response = service.anonymous.get("/health", headers={"Origin": "https://evil.example.org"})

    assert "Access-Control-Allow-Origin" not in refused.headers
    assert "Access-Control-Allow-Origin" not in response.headers


def test_no_response_allows_browser_credentials(service: Service) -> None:
    responses = [preflight(service, ORIGIN), preflight(service, "null")]

    assert not any("Access-Control-Allow-Credentials" in response.headers for response in responses)


def test_gateway_refusals_are_readable_from_a_listed_origin(service: Service) -> None:
    response = service.anonymous.get("/rooms", headers={"Origin": ORIGIN})

    assert response.status == 401
    assert response.headers["Access-Control-Allow-Origin"] in {ORIGIN, "*"}
