"""The API's description: it is made from the code, and what is served is what was made."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from infrastructure.openapi import file
from infrastructure.openapi.document import document
from tests.support.stack import Stack

STACK = Stack()
DOCUMENT: Any = file.read()
OPERATIONS = {
    (method.upper(), path): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


def test_the_description_that_is_served_is_that_of_the_code() -> None:
    assert file.PATH.read_text(encoding="utf-8") == file.written(document()), "make openapi writes it anew"


def _events() -> list[dict[str, Any]]:
    """Those of the API's own routes, not what browsers ask before they call one."""
    events = [event for function in STACK.functions for event in STACK.events(function, "Api")]
    return [event for event in events if event["Method"] != "OPTIONS"]


def test_every_route_of_the_template_is_described() -> None:
    assert OPERATIONS.keys() == {(event["Method"], event["Path"]) for event in _events()}


def test_the_routes_without_a_token_are_described_so() -> None:
    described = {route: operation["security"] for route, operation in OPERATIONS.items() if "security" in operation}

    assert described.keys() == {(event["Method"], event["Path"]) for event in _events() if "Auth" in event}
    assert {route: token for route, token in described.items() if token} == {
        ("GET", "/metrics"): [{"metrics_token": []}],
        ("HEAD", "/metrics"): [{"metrics_token": []}],
    }


def test_no_two_operations_have_one_name() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_a_schema_is_one_and_its_examples_are_valid(name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}

    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])

    for field, described in DOCUMENT["components"]["schemas"][name].get("properties", {}).items():
        for example in described.get("examples", []):
            errors = [*Draft202012Validator({**described, "components": schema["components"]}).iter_errors(example)]
            assert errors == [], f"{name}.{field}"
