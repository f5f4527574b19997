"""What an error says of a field is right: every field of every route, as the API's description has it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from infrastructure.openapi import file
from tests.layers.http import calls
from tests.support.client import Person, Response
from tests.support.problems import field_errors
from tests.support.product import Product

Json = dict[str, Any]
DOCUMENT: Json = file.read()
NUMBER_AND_LIST: tuple[Any, ...] = (7.5, [{}])


class Scene:
    """Ann's room, with a task of hers: routes of changes find what they change."""

    def __init__(self, ann: Person) -> None:
        self.ann = ann
        room = ann.open_room()
        self._ids = {"room_id": room["id"], "task_id": ann.plan(room_id=room["id"])["id"], "user_id": ann.id}

    def call(self, route: calls.Route, **options: Any) -> Response:
        method, path = route
        return self.ann.request(method, re.sub(r"\{(\w+)\}", lambda name: self._ids.get(name[1], "x"), path), **options)


@pytest.fixture
def scene(product: Product) -> Scene:
    return Scene(product.register("ann"))


def _resolved(schema: Json) -> Json:
    """Without references, and alternatives as one schema, marked as nullable where null is among them."""
    if "$ref" in schema:
        return _resolved(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        merged: Json = {}
        for each in schema["anyOf"]:
            merged |= {"nullable": True} if each == {"type": "null"} else _resolved(each)
        return merged
    if isinstance(schema.get("type"), list):
        [kind] = [each for each in schema["type"] if each != "null"]
        return {**schema, "type": kind, "nullable": True}
    return schema


def _fields() -> Iterator[tuple[calls.Route, str, Json]]:
    """Each field of each body that can be set."""
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            if "requestBody" in operation:
                schema = _resolved(operation["requestBody"]["content"]["application/json"]["schema"])
                for name, field in schema.get("properties", {}).items():
                    if field.get("readOnly"):
                        continue
                    yield (method.upper(), path), name, _resolved(field)


def _parameters() -> Iterator[tuple[calls.Route, str, Json]]:
    """Each parameter of each query."""
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                if parameter.get("in") == "query":
                    yield (method.upper(), path), parameter["name"], _resolved(parameter["schema"])


def _detail(response: Response, name: str) -> str:
    """What is said of a field; nothing, if nothing is wrong with it."""
    errors = response.json().get("errors", []) if response.status >= 400 else []
    return next((str(error["detail"]) for error in errors if error["pointer"] == f"/{name}"), "")


def test_the_error_of_a_wrong_field_states_the_valid_values(scene: Scene) -> None:
    asked = 0

    for route, name, schema in _fields():
        choices = schema.get("enum", [])
        details = [_detail(scene.call(route, json={name: value}), name) for value in NUMBER_AND_LIST]
        if choices:
            details.append(_detail(scene.call(route, json={name: "nonsense"}), name))
            assert all(choice in detail for choice in choices for detail in details), (route, name, details)
        elif schema["type"] == "array":
            assert all("list" in detail for detail in details), (route, name, details)
        elif schema["type"] == "integer":
            assert all("whole number" in detail for detail in details), (route, name, details)
        else:
            assert all("string" in detail for detail in details), (route, name, details)
        # Null is named where it is taken, and nowhere else. Of two names that may be null, one must be given.
        nullable = schema.get("nullable", False)
        assert all(("null" in detail) is nullable for detail in details[:2]), (route, name, details)
        null = _detail(scene.call(route, json={name: None}), name)
        assert bool(null) is not nullable or "is required" in null, (route, name, null)
        asked += len(details)

    assert asked > 50


def test_the_error_of_a_wrong_parameter_states_the_valid_values(scene: Scene) -> None:
    asked = 0

    for route, name, schema in _parameters():
        detail = _detail(scene.call(route, params={name: "!"}), name)
        choices = schema.get("enum") or _resolved(schema.get("items", {})).get("enum", [])
        assert all(choice in detail for choice in choices), (route, name, detail)
        if schema["type"] == "integer":
            assert "whole number" in detail
            most = _detail(scene.call(route, params={name: str(schema["maximum"] + 1)}), name)
            assert str(schema["minimum"]) in most
            assert str(schema["maximum"]) in most
        if schema.get("format") == "date-time":
            assert "RFC 3339" in detail
        assert detail, (route, name)
        asked += 1

    assert asked > 20


def test_the_error_of_a_long_text_states_the_limit(scene: Scene) -> None:
    for route, name, schema in _fields():
        if "maxLength" in schema:
            # A body that is longer than 160 KiB is refused before its fields are looked at.
            text = "x" * min(4 * schema["maxLength"] + 1, 150_000)
            response = scene.call(route, json={name: text})
            assert field_errors(response)[f"/{name}"] == "too_long", route
            assert str(schema["maxLength"]) in _detail(response, name), route


# Of the right form, and nobody's.
UNKNOWN = {"room_id": f"room_{'0' * 32}", "user_id": f"usr_{'0' * 32}", "code": "ZZZZZZ999"}


def test_an_unknown_id_is_named_by_a_pointer_everywhere(scene: Scene) -> None:
    asked = set()

    for route, name, _ in _fields():
        # A code that a new room is to have is no id.
        if name not in UNKNOWN or (route, name) == (("POST", "/rooms"), "code"):
            continue
        needed = {"title": "Order the desks"} if route == ("POST", "/tasks") else {}
        response = scene.call(route, json={**needed, name: UNKNOWN[name]})
        assert response.status in (404, 422), (route, name, response)
        assert [error["pointer"] for error in response.json()["errors"]] == [f"/{name}"], (route, name, response)
        asked.add((route, name))
    for route, name, _ in _parameters():
        if name in UNKNOWN:
            response = scene.call(route, params={name: UNKNOWN[name]})
            # A list of what somebody is assigned is empty where there is nobody.
            pointers = [error["pointer"] for error in response.json().get("errors", [])]
            assert pointers == ([f"/{name}"] if name == "room_id" else []), (route, name, response)
            assert response.status == (404 if name == "room_id" else 200), (route, name, response)
            asked.add((route, name))

    assert len(asked) == 10, asked


def test_an_invalid_code_is_refused_with_the_valid_form(scene: Scene) -> None:
    for route in (("POST", "/rooms"), ("POST", "/rooms/join")):
        for wrong in ("ABC", "ABCDEFGHIJK", "ABC!EFG", 7):
            assert "6 to 9 letters from A to Z and digits" in _detail(scene.call(route, json={"code": wrong}), "code")


def test_missing_and_unknown_fields_list_the_known_ones(scene: Scene) -> None:
    task = scene.call(("POST", "/tasks"), json={"name": "Order the desks", "title": ""})

    assert "title" in _detail(task, "name")
    assert _detail(task, "title").startswith("At least one character.")
    assert "sort" in _detail(scene.call(("GET", "/tasks"), params={"order": "title"}), "order")


def test_whole_numbers_are_written_without_decimals(scene: Scene) -> None:
    for limit in ("1e1", "2.0", "+5", "007", "\u0665", "0x10", "1_0", "--1", "-", "1" * 5_000 + "x"):
        assert field_errors(scene.ann.get("/tasks", params={"limit": limit}), 400) == {"/limit": "wrong_type"}, limit
    for limit in ("0", "-0", "101", "1" * 5_000):
        assert field_errors(scene.ann.get("/tasks", params={"limit": limit}), 400) == {"/limit": "out_of_range"}, limit


def test_two_names_at_sign_in_are_distinguished_from_none(product: Product) -> None:
    both = {"username": "ann", "email": "ann@example.org", "password": "x"}

    assert field_errors(product.anonymous.post("/auth/login", json=both)) == {"/username": "not_both"}
    assert field_errors(product.anonymous.post("/auth/login", json={"password": "x"})) == {"/username": "missing"}
    # Of a wrong one, it is said what is wrong with it.
    wrong = {**both, "username": 7}
    assert field_errors(product.anonymous.post("/auth/login", json=wrong)) == {"/username": "wrong_type"}


def test_the_error_of_a_personal_tasks_assignee_states_who_is_allowed(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    task = f"/tasks/{ann.plan()['id']}"

    for assignee in (None, bob.id, "nobody"):
        for response in (
            ann.post("/tasks", json={"title": "Mine", "user_id": assignee}),
            ann.patch(task, json={"user_id": assignee}),
        ):
            assert field_errors(response) == {"/user_id": "assignee_not_member"}
            for text in (response.json()["detail"], _detail(response, "user_id")):
                assert "owner" in text
                assert "not a member" not in text
