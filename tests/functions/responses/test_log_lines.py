"""What is logged: lines that are whole JSON objects, with nothing in them that people sent (ASVS 5.0.0 16.2.5, 16.4.1).

Every field, header, parameter and path of every route is filled with texts that are found again wherever they turn up,
and that would break out of a line, or of a JSON string, where they are not written as they must be.
"""

import json
import re
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from tests.layers.http import calls
from tests.support import builders, tables
from tests.support.client import Client, Response
from tests.support.function_calls import call
from tests.support.gateway import load_handler
from tests.support.product import Product

MARK = "canary"
FORGED = '{"level": "ERROR", "event": "forged"}'
PLANTED = [
    f"{MARK}-plain",
    f"{MARK}\r\n{FORGED}\r\n",
    f'{MARK}"}}\n{FORGED}\n{{"x": "',
    f"{MARK}\\\u2028{FORGED}\u2028\x00\x1b[31m",
]
HEADERS = [
    "Accept-Language",
    "Content-Type",
    "Cookie",
    "Forwarded",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Origin",
    "Referer",
    "User-Agent",
    "X-Amzn-Trace-Id",
    "X-Forwarded-For",
    "X-Request-Id",
]


@pytest.fixture
def product(product: Product) -> Product:
    """That logs all it ever logs."""
    product.aws.stack.parameters["LogLevel"] = "DEBUG"
    return product


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What all functions have logged since the last call: each line a JSON object, and nothing planted in any."""
    written = capsys.readouterr()
    assert written.err == "", "on AWS it would be in the function's log"
    lines = [json.loads(line) for line in written.out.splitlines()]
    assert all(isinstance(line, dict) and line["level"] and line["event"] for line in lines)
    assert MARK not in written.out.lower()
    assert [line for line in lines if line["event"] == "forged"] == []
    return lines


def _fields(product: Product) -> set[str]:
    """The names of all fields that any route reads from a body, or from the query."""
    names = set()
    for properties in product.aws.stack.functions.values():
        module, _, handler = properties["Handler"].rpartition(".")
        if handler == "app":
            api = load_handler(f"{module}.api")
            kinds = [kind for route in api.routes for kind in (route.body, route.query) if kind is not None]
            names |= {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)}
    return names


def _ask(client: Client, route: calls.Route, text: str, fields: set[str]) -> list[Response]:
    """Every place of a request that takes a text, filled with it."""
    method, path = route
    quoted = quote(text, safe="")
    headers = {name: text for name in HEADERS if name != "Content-Type"}
    body = dict.fromkeys(fields, text)
    of_nothing = re.sub(r"\{\w+\}", "nothing-here", path)
    return [
        client.request(method, re.sub(r"\{\w+\}", quoted, path), json=body, headers=headers),
        client.request(method, of_nothing, json=body, headers=headers, params={**body, text: text}),
        client.request(method, of_nothing, content=text, headers={"Content-Type": "application/json"}),
        client.request(method, of_nothing, content=text, headers={"Content-Type": text}),
        client.request(method, of_nothing, headers={"Authorization": f"Bearer {text}"}),
        client.request(method, of_nothing, headers={"Authorization": text}),
    ]


@pytest.mark.parametrize("route", calls.ALL, ids=calls.name)
def test_nothing_sent_to_a_route_is_logged(
    route: calls.Route, product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, fields = product.register("ann"), _fields(product)
    _lines(capsys)

    responses = [response for text in PLANTED for response in _ask(ann, route, text, fields)]

    lines = _lines(capsys)
    for response in responses:
        of_it = [line for line in lines if line.get("request_id") == response.headers["X-Request-Id"]]
        assert of_it, "a request to a route is logged"
        for line in of_it:
            if line["event"] == "request":
                assert (line["method"], line["route"], line["status"]) == (*route, str(response.status))
                assert line["user_id"] == (None if calls.PUBLIC[route] else ann.id)


def _as_people_do(product: Product) -> list[str]:
    """Requests that succeed, with marks in whatever may hold one; returns the secrets that were given out."""
    password = f"{MARK} of a password 4711"
    body = {"username": f"{MARK}-{builders.person()['username']}", "email": f"{MARK}@example.org"}
    ann = product.register(**body, password=password)
    bob = product.register("bob")
    room = ann.open_room(name=f"{MARK} room")
    bob.join(room)
    task = ann.plan(title=f"{MARK} title", description=f"{MARK} text", room_id=room["id"])
    key = {"Idempotency-Key": f"{MARK}-key", "User-Agent": f"{MARK} browser"}
    for _ in range(2):
        assert ann.patch(f"/tasks/{task['id']}", json={"title": f"{MARK} again"}, headers=key).status == 200
    again = product.anonymous.sign_in(body["username"], password)
    refreshed = product.anonymous.post("/auth/refresh", json={"refresh_token": again.refresh_token}).json()
    wrong = {"username": body["username"], "password": f"{MARK} of another"}
    assert product.anonymous.post("/auth/login", json=wrong).status == 401
    assert ann.get("/tasks", params={"limit": 1}).status == 200
    change = {"current_password": password, "new_password": f"{MARK} of a newer one 4712"}
    assert ann.post("/auth/password", json=change).status == 204
    product.deliver()
    secrets = [ann.access_token, ann.refresh_token, again.refresh_token, refreshed["access_token"], room["code"]]
    return [str(secret) for secret in [*secrets, refreshed["refresh_token"]]]


def test_user_actions_are_logged_without_texts_and_secrets(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = _as_people_do(product)

    lines = _lines(capsys)

    assert {line["event"] for line in lines} >= {"request", "access allowed"}
    assert [line for line in lines for secret in secrets if secret in json.dumps(line)] == []


def test_auditor_findings_are_logged_without_names_and_addresses(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = product.register(username=f"{MARK}-ann", email=f"{MARK}@example.org")
    for claim in (f"NAME#{ann.username}", f"EMAIL#{ann.email}"):
        tables.change(product.aws, "UsersTable", {"user_id": claim}, owner="usr_ghost")
    _lines(capsys)

    report = call(product.aws, "AuditorFunction", {"older_than_seconds": 0})

    assert sum(finding["violations"] for finding in report["findings"]) >= 2
    assert {line["event"] for line in _lines(capsys)} == {"invariant broken"}
