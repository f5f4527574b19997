"""Every route of the template, with a way to call it that reaches the function."""

import re
from typing import Any

from tests.support.client import Client, Response
from tests.support.stack import Stack

Route = tuple[str, str]
"""Method and path, as in the template."""


def _routes() -> dict[Route, bool]:
    stack = Stack()
    return {
        (event["Method"].upper(), event["Path"]): event.get("Auth", {}).get("Authorizer") == "NONE"
        for function in stack.functions
        for event in stack.events(function, "Api")
        if event["Method"] != "OPTIONS"  # not a route of the product's own: see test_cors.py
    }


PUBLIC = _routes()
"""By route: whether it is open to everybody."""

ALL = sorted(PUBLIC)
READ_OPENLY = [route for route in ALL if PUBLIC[route] and route[0] in ("GET", "HEAD")]
"""They ignore query parameters: tests/functions/responses/test_public_reads.py."""
WITH_TOKEN = [route for route in ALL if not PUBLIC[route]]
# A response to HEAD has no problem document.
WITH_IDS = [route for route in ALL if "{" in route[1] and route[0] != "HEAD"]

# Routes that take no body, although their method might.
_WITHOUT_BODY = {"GET", "HEAD", "DELETE"}
WITH_BODY = [route for route in ALL if route[0] not in _WITHOUT_BODY]
WITH_NEEDED_FIELDS: dict[Route, set[str]] = {
    ("POST", "/auth/register"): {"/password"},
    ("POST", "/auth/login"): {"/password"},
    ("POST", "/auth/refresh"): {"/refresh_token"},
    ("POST", "/auth/logout"): {"/refresh_token"},
    ("POST", "/auth/password"): {"/current_password", "/new_password"},
    ("POST", "/auth/recovery/complete"): {"/token", "/new_password"},
    ("POST", "/auth/reauthenticate"): {"/password"},
    ("POST", "/users"): {"/password"},
    ("POST", "/rooms/join"): {"/code"},
    ("POST", "/rooms/{room_id}/users"): {"/user_id"},
    ("PATCH", "/rooms/{room_id}/users/{user_id}"): {"/role"},
    ("POST", "/tasks"): {"/title"},
    ("POST", "/tasks/{task_id}/move"): {"/after"},
    ("POST", "/rooms/{room_id}/webhooks"): {"/url"},
    ("POST", "/rooms/{room_id}/webhooks/{webhook_id}/replay"): {"/from", "/to"},
}

LISTS = [
    ("GET", "/auth/sessions"),
    ("GET", "/users"),
    ("GET", "/rooms"),
    ("GET", "/rooms/{room_id}/users"),
    ("GET", "/rooms/{room_id}/tasks"),
    ("GET", "/rooms/{room_id}/activity"),
    ("GET", "/rooms/{room_id}/changes"),
    ("GET", "/rooms/{room_id}/trash"),
    ("GET", "/rooms/{room_id}/webhooks"),
    ("GET", "/rooms/{room_id}/webhooks/{webhook_id}/deliveries"),
    ("GET", "/users/{user_id}/activity"),
    ("GET", "/users/{user_id}/changes"),
    ("GET", "/users/{user_id}/trash"),
    ("GET", "/tasks"),
]
# No lists, but they may be too long for one response.
GOES_ON = [("GET", "/users/{user_id}/export"), ("GET", "/sync")]


def name(route: Route) -> str:
    return " ".join(route)


def call(client: Client, route: Route, an_id: str = "nothing-here", **options: Any) -> Response:
    """Call a route, each of its path parameters ``an_id``, which goes into the path as it stands."""
    method, path = route
    return client.request(method, re.sub(r"\{\w+\}", an_id, path), **options)
