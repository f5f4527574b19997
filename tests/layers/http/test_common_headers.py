"""What every response carries, whoever gives it: a function or the gateway, a success or an error."""

import uuid

from tests.layers.http import calls
from tests.support import builders
from tests.support.client import Response
from tests.support.problems import problem
from tests.support.product import Product

JSON = {"Content-Type": "application/json"}
READ = ["/.well-known/jwks.json", "/assets/{asset}", "/docs", "/client", "/health", "/metrics", "/openapi.json"]
OPEN = [
    *((method, path) for path in READ for method in ("GET", "HEAD")),
    ("POST", "/auth/login"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/recovery/complete"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/register"),
    ("POST", "/users"),
]
# The same for everybody, and so kept; what they load and whom they talk to is their own test's.
PAGES = ["/docs", "/client", "/openapi.json"]
KEYS = "/.well-known/jwks.json"
NOWHERE = [
    ("DELETE", "/"),
    ("GET", "/keys/resolve"),
    ("GET", "/nowhere"),
    ("GET", "/users/me/nothing"),
    ("GET", "/auth/login"),
    ("DELETE", "/health"),
    ("PUT", "/rooms"),
    ("HEAD", "/rooms"),
    ("OPTIONS", "/nowhere"),
    ("TRACE", "/rooms"),
    ("BREW", "/rooms"),
    ("POST", "/.well-known/jwks.json"),
    ("GET", "/rooms/x/tasks/y"),
    ("GET", "/admin"),
    ("GET", "/.env"),
    ("GET", "/debug"),
]


def is_protected(response: Response, kept: str = "no-store") -> bool:
    """Whether the response carries the headers of OWASP ASVS 5.0.0 §3.4 and §14.3.2, and a request id."""
    assert str(uuid.UUID(response.headers["X-Request-Id"])) == response.headers["X-Request-Id"]
    assert response.headers["Cache-Control"] == kept
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    transport = response.headers["Strict-Transport-Security"]
    assert int(transport.removeprefix("max-age=").partition(";")[0]) >= 31_536_000
    policy = [directive.split() for directive in response.headers["Content-Security-Policy"].split(";")]
    # A directive without a value allows nothing, as 'none' does (CSP3 §6.7.2). The bare word none is a host's name.
    allowed = {name: set(sources) - {"'none'"} for name, *sources in policy}
    assert allowed == {"default-src": set(), "frame-ancestors": set()}
    return True


def test_every_route_has_the_security_headers_without_a_token(product: Product) -> None:
    for route in calls.ALL:
        if route[1] not in PAGES:
            kept = "max-age=60" if route[1] == KEYS else "no-store"
            assert is_protected(calls.call(product.anonymous, route), kept)


def test_every_route_but_sign_in_is_closed_without_a_token(product: Product) -> None:
    for route in calls.WITH_TOKEN:
        problem(calls.call(product.anonymous, route), 401, "token_missing")
        problem(calls.call(product.anonymous, route, headers={"Authorization": "Bearer x.y.z"}), 401, "token_malformed")
    assert sorted(calls.ALL) == sorted([*calls.WITH_TOKEN, *OPEN])


def test_successes_have_the_security_headers(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    path = f"/tasks/{ann.plan(room_id=room['id'])['id']}"
    tag = ann.get(path).headers["ETag"]

    responses = [
        ann.post("/auth/login", json={"username": ann.username, "password": ann.password}),
        ann.get("/users/me"),
        ann.get("/rooms"),
        ann.post("/tasks", json=builders.task()),
        ann.get(path, headers={"If-None-Match": tag}),
        ann.delete(path),
        ann.get("/health"),
    ]

    assert [response.status for response in responses] == [200, 200, 200, 201, 304, 204, 200]
    assert all(is_protected(response) for response in responses)


def test_errors_have_the_security_headers(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id, "role": "viewer"})

    responses = [
        ann.get("/users?x=1"),
        ann.get("/users", headers={"Authorization": "x"}),
        bob.post("/tasks", json=builders.task(room_id=room["id"])),
        ann.get("/tasks/none"),
        ann.post("/auth/register", json=builders.person(username=ann.username)),
        ann.patch("/users/me", json={}, headers={"If-Match": '"99"'}),
        ann.post("/rooms", content="{" + " " * 170_000 + "}", headers=JSON),
        ann.post("/rooms", content="x", headers={"Content-Type": "text/plain"}),
        ann.post("/tasks", json={}),
    ]

    assert [response.status for response in responses] == [400, 401, 403, 404, 409, 412, 413, 415, 422]
    assert all(problem(response, response.status) and is_protected(response) for response in responses)


def test_no_path_is_served_but_the_routes(product: Product) -> None:
    ann = product.register("ann")

    for method, path in NOWHERE:
        for client in (product.anonymous, ann):
            response = client.request(method, path)
            problem(response, 404, "not_found")
            assert is_protected(response)


def test_every_request_has_a_unique_id(product: Product) -> None:
    ids = {product.anonymous.get("/health").headers["X-Request-Id"] for _ in range(5)}

    assert len(ids) == 5


def test_clients_cannot_choose_the_request_id(product: Product) -> None:
    chosen = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"

    response = product.anonymous.get("/health", headers={"X-Request-Id": chosen, "X-Amzn-RequestId": chosen})

    assert response.headers["X-Request-Id"] != chosen


def test_a_problem_names_its_request(product: Product) -> None:
    ann = product.register("ann")

    for response in (ann.get("/tasks/none"), ann.get("/nowhere"), product.anonymous.get("/rooms")):
        assert response.json()["request_id"] == response.headers["X-Request-Id"]


def test_a_204_and_a_304_have_no_body(product: Product) -> None:
    ann = product.register("ann")
    path = f"/tasks/{ann.plan()['id']}"

    unchanged = ann.get(path, headers={"If-None-Match": ann.get(path).headers["ETag"]})
    deleted = ann.delete(path)

    assert (unchanged.status, unchanged.text) == (304, "")
    assert (deleted.status, deleted.text) == (204, "")


def test_successes_are_json_in_utf_8(product: Product) -> None:
    ann = product.register(username="Zoë 🌻")

    response = ann.get("/users/me")

    assert response.headers["Content-Type"] == "application/json"
    assert "Zoë 🌻" in response.text
