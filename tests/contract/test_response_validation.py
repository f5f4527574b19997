"""Every response that a test gets is held against the description; here it is seen that a wrong one would be found."""

from typing import Any

import httpx
import pytest

from tests.support.description import Undescribed, description

REQUEST_ID = "1699949d-2e5e-4180-b16b-88be7d4f67c2"
MEMBER = {"user_id": "usr_1", "username": "ann", "role": "member", "joined_at": "2026-11-21T04:10:39.524Z"}
MEMBERS = {"items": [MEMBER], "next_cursor": None}
PROBLEM = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "No.", "request_id": REQUEST_ID}
PATH = "/rooms/room_1/users"


def check(
    status: int, body: Any, method: str = "GET", path: str = PATH, sent: Any = None, query: str = "", **headers: str
) -> None:
    media_type = "application/json" if status < 400 else "application/problem+json"
    fields = {"X-Request-Id": REQUEST_ID, "Content-Type": media_type}
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    request = httpx.Request(method, f"https://api.example.org{path}{query}", json=sent)
    description().check(httpx.Response(status, json=body, headers=fields, request=request), path)


def test_a_described_response_passes() -> None:
    check(200, MEMBERS)
    check(200, MEMBERS, query="?limit=7")
    check(200, MEMBERS, Link='<x>; rel="next"')
    check(404, {**PROBLEM, "code": "not_found"})
    check(201, MEMBER, "POST", sent={"user_id": "usr_1"}, Location="/x")


@pytest.mark.parametrize(
    ("wrong", "options"),
    [
        ("status", {"status": 418, "body": {**PROBLEM, "code": "not_found"}}),
        ("code", {"status": 404, "body": {**PROBLEM, "code": "unknown_code"}}),
        ("required", {"status": 404, "body": PROBLEM}),
        ("required", {"status": 200, "body": {"items": []}}),
        ("Additional properties", {"status": 200, "body": {**MEMBERS, "total": 1}}),
        ("Additional properties", {"status": 200, "body": {**MEMBERS, "items": [{**MEMBER, "email": "x"}]}}),
        ("owner", {"status": 200, "body": {**MEMBERS, "items": [{**MEMBER, "role": "owner"}]}}),
        ("text/html", {"status": 200, "body": MEMBERS, "Content_Type": "text/html"}),
        ("ETag is not described", {"status": 200, "body": MEMBERS, "ETag": '"1"'}),
        ("Location is missing", {"status": 201, "body": MEMBER, "method": "POST"}),
        ("no such operation", {"status": 200, "body": MEMBERS, "path": "/rooms/room_1/cats"}),
        ("parameter x", {"status": 200, "body": MEMBERS, "query": "?x=1"}),
        ("was accepted", {"status": 201, "body": MEMBER, "method": "POST", "sent": {"x": 1}, "Location": "/x"}),
    ],
)
def test_a_response_that_is_not_described_fails(wrong: str, options: dict[str, Any]) -> None:
    with pytest.raises(Undescribed, match=wrong):
        check(**options)
