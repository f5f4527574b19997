"""Routes: what the gateway passes on and what the functions answer are the same, and only a few routes are public."""

import pytest

from tests.support.gateway import load_handler
from tests.support.stack import Stack

STACK = Stack()
API_FUNCTIONS = [name for name in STACK.functions if STACK.events(name, "Api")]

# Those that the HTTP contract lists as needing no token. What is read so answers HEAD, too.
READ = {
    "/.well-known/jwks.json",
    "/health",
    # Not open: it has a token of its own, which no authorizer knows.
    "/metrics",
    "/openapi.json",
    "/docs",
    "/client",
    "/assets/{asset}",
}
PUBLIC = {
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/recovery/complete"),
    ("POST", "/users"),
    *((method, path) for path in READ for method in ("GET", "HEAD")),
    # A browser asks without the token of the request that is to follow.
    *(("OPTIONS", event["Path"]) for name in API_FUNCTIONS for event in STACK.events(name, "Api")),
}


@pytest.mark.parametrize("function", API_FUNCTIONS)
def test_the_routes_of_a_function_are_those_of_the_template(function: str) -> None:
    app = load_handler(STACK.functions[function]["Handler"])

    answered = {(method, path) for path, methods in app.routes.items() for method in methods}

    # Names of path parameters are part of the path, so they are compared with it.
    assert answered == {(event["Method"], event["Path"]) for event in STACK.events(function, "Api")}


def test_no_route_is_declared_twice() -> None:
    routes = [(event["Method"], event["Path"]) for name in API_FUNCTIONS for event in STACK.events(name, "Api")]

    assert len(routes) == len(set(routes))


def test_only_the_public_routes_have_no_authorizer() -> None:
    events = [event for name in API_FUNCTIONS for event in STACK.events(name, "Api")]

    without = {(event["Method"], event["Path"]) for event in events if "Auth" in event}

    assert without == PUBLIC
    assert all(event.get("Auth") in (None, {"Authorizer": "NONE"}) for event in events)
    auth = STACK.resources["Api"]["Properties"]["Auth"]
    assert auth["DefaultAuthorizer"] in auth["Authorizers"]


def test_every_route_belongs_to_the_one_api() -> None:
    apis = [event["RestApiId"] for name in API_FUNCTIONS for event in STACK.events(name, "Api")]

    assert all(api == {"Ref": "Api"} for api in apis)
    assert list(STACK.of_type("AWS::Serverless::Api")) == ["Api"]


@pytest.mark.parametrize("function", API_FUNCTIONS)
def test_preflight_requests_are_answered_by_the_function_of_the_path(function: str) -> None:
    methods: dict[str, set[str]] = {}
    for event in STACK.events(function, "Api"):
        methods.setdefault(event["Path"], set()).add(event["Method"])

    assert [path for path, allowed in methods.items() if "OPTIONS" not in allowed or allowed == {"OPTIONS"}] == []
