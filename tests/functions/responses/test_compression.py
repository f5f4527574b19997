"""What the gateway compresses, and what it must not.

Compressed together, a secret and a guess at it tell by their length whether they are alike (BREACH, CVE-2013-3587): to
whoever sees how long responses are on the wire, and can put text into them.
"""

from collections.abc import Iterator
from typing import Any, get_args, get_type_hints, is_typeddict

from msgspec import Meta

from infrastructure.openapi.routes import declared_routes
from tests.layers.http.calls import Route
from tests.support.client import Response
from tests.support.product import Product

SECRET = {"access_token", "refresh_token", "code", "email"}
"""Fields that open something, or are nobody else's to know."""

# Each holds what one person may know beside what another one wrote: rooms' names, tasks, names of people.
LEFT_ALONE: set[Route] = {
    ("GET", "/"),
    ("GET", "/rooms"),
    ("GET", "/rooms/{room_id}/changes"),
    ("GET", "/sync"),
    ("GET", "/users"),
    ("GET", "/users/{user_id}/changes"),
    ("GET", "/users/{user_id}/export"),
    ("POST", "/auth/login"),
    ("POST", "/auth/reauthenticate"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/register"),
    ("POST", "/keys/resolve"),
    ("POST", "/sync"),
}
# One room, whose name its admins give it, who know its code; or one person, who alone writes what is in it.
OF_ONE: set[Route] = {
    ("GET", "/rooms/{room_id}"),
    ("GET", "/users/{user_id}"),
    ("PATCH", "/rooms/{room_id}"),
    ("PATCH", "/users/{user_id}"),
    ("POST", "/rooms"),
    ("POST", "/rooms/join"),
    ("POST", "/rooms/{room_id}/code"),
    ("POST", "/users"),
    ("PUT", "/rooms/{room_id}"),
    ("PUT", "/users/{user_id}"),
}


def fields(response: Any) -> Iterator[str]:
    """The names of all fields in the shape of a response."""
    origin = getattr(response, "__origin__", response)
    for inner in get_args(response):
        yield from fields(inner)
    if isinstance(response, Meta):
        for inner in (response.extra or {}).get("one_of", ()):
            yield from fields(inner)
    if is_typeddict(origin):
        for name, shape in get_type_hints(origin, include_extras=True).items():
            yield name
            yield from fields(shape)


def is_left_alone(response: Response) -> bool:
    """Whether it says how it is encoded: then the gateway does nothing about that."""
    assert response.status < 300, response
    return "Content-Encoding" in response.headers


def test_every_response_with_a_secret_has_a_compression_decision() -> None:
    routes = [declared.route for declared in declared_routes()]
    secret = {(route.method, route.path) for route in routes if SECRET & set(fields(route.description.response))}

    assert secret == LEFT_ALONE | OF_ONE


def test_secrets_beside_text_of_other_users_are_not_compressed(product: Product) -> None:
    ann = product.register("ann")
    signed_in = ann.post("/auth/login", json={"username": ann.username, "password": ann.password})
    body = {"refresh_token": signed_in.json()["refresh_token"]}

    responses: dict[Route, list[Response]] = {
        ("GET", "/"): [ann.get("/"), ann.get("/", headers={"Cache-Control": "no-cache"})],
        ("GET", "/rooms"): [ann.get("/rooms")],
        ("GET", "/rooms/{room_id}/changes"): [ann.get(f"/rooms/{ann.open_room()['id']}/changes")],
        ("GET", "/sync"): [ann.get("/sync")],
        ("GET", "/users"): [ann.get("/users")],
        ("GET", "/users/{user_id}/changes"): [ann.get("/users/me/changes")],
        ("GET", "/users/{user_id}/export"): [ann.get("/users/me/export")],
        ("POST", "/auth/login"): [signed_in],
        ("POST", "/auth/refresh"): [
            ann.post("/auth/refresh", json=body, headers={"Idempotency-Key": "lost"}) for _ in range(2)
        ],
        ("POST", "/auth/reauthenticate"): [ann.post("/auth/reauthenticate", json={"password": ann.password})],
        ("POST", "/auth/register"): [
            ann.post("/auth/register", json={"username": "somebody", "password": ann.password})
        ],
        ("POST", "/keys/resolve"): [ann.post("/keys/resolve", json={"users": [ann.id]})],
        ("POST", "/sync"): [ann.post("/sync", json={})],
    }

    assert responses.keys() == LEFT_ALONE
    for route, given in responses.items():
        assert all(is_left_alone(response) for response in given), route


def test_the_lists_of_one_room_and_of_the_caller_may_be_compressed(product: Product) -> None:
    ann = product.register("ann")
    room = f"/rooms/{ann.open_room()['id']}"

    responses = [ann.get(path) for path in ("/tasks", room, f"{room}/tasks", f"{room}/users", f"{room}/activity")]

    assert not any(is_left_alone(response) for response in responses)
