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


def test_the_problems_of_a_status_are_one_response_which_all_operations_share() -> None:
    shared = DOCUMENT["components"]["responses"]
    statuses = {name: {_example(code)["status"] for code in _codes(response)} for name, response in shared.items()}

    assert all(len(each) == 1 for each in statuses.values()), statuses
    assert len(set.union(*statuses.values())) == len(shared)
    for route, operation in OPERATIONS.items():
        referred = {status: each for status, each in operation["responses"].items() if "$ref" in each}
        for status, reference in referred.items():
            name = reference["$ref"].rpartition("/")[2]
            codes = {code for code in operation["x-problem-codes"] if code in _codes(shared[name])}
            assert statuses[name] == {int(status)}, route
            assert reference["description"] == ", ".join(f"`{code}`" for code in sorted(codes)), route
        in_place = {status for status in operation["responses"].keys() - referred.keys() if status >= "400"}
        # It answers 503 in another form, too.
        assert in_place == ({"503"} if route in {("GET", "/health"), ("HEAD", "/health")} else set()), route


def _codes(response: Any) -> set[str]:
    return set(response["content"]["application/problem+json"]["examples"])


def _example(code: str) -> Any:
    return DOCUMENT["components"]["examples"][code]["value"]


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_a_schema_is_one_and_its_examples_are_valid(name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}

    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])

    for field, described in DOCUMENT["components"]["schemas"][name].get("properties", {}).items():
        for example in described.get("examples", []):
            errors = [*Draft202012Validator({**described, "components": schema["components"]}).iter_errors(example)]
            assert errors == [], f"{name}.{field}"
