"""The API's description: it is made from the code, and what is served is what was made."""

import json
import re
from collections.abc import Iterator
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


def test_the_served_description_is_generated_from_the_code() -> None:
    assert file.PATH.read_text(encoding="utf-8") == file.written(document()), "make openapi writes it anew"


def _events() -> list[dict[str, Any]]:
    """Those of the API's own routes, not what browsers ask before they call one."""
    events = [event for function in STACK.functions for event in STACK.events(function, "Api")]
    return [event for event in events if event["Method"] != "OPTIONS"]


def test_every_route_of_the_template_is_described() -> None:
    assert OPERATIONS.keys() == {(event["Method"], event["Path"]) for event in _events()}


def test_routes_without_a_token_are_described_as_such() -> None:
    described = {route: operation["security"] for route, operation in OPERATIONS.items() if "security" in operation}

    assert described.keys() == {(event["Method"], event["Path"]) for event in _events() if "Auth" in event}
    assert {route: token for route, token in described.items() if token} == {
        ("GET", "/metrics"): [{"metrics_token": []}],
        ("HEAD", "/metrics"): [{"metrics_token": []}],
    }


def test_operation_ids_are_unique() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(names) == len(set(names))


def test_operations_share_one_problem_response_per_status() -> None:
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


def test_every_operation_parameter_and_field_has_a_description() -> None:
    assert [*_undescribed()] == []


def _undescribed() -> Iterator[str]:
    for route, operation in OPERATIONS.items():
        yield from (f"{route}: {field}" for field in ("summary", "description") if not operation.get(field))
        for parameter in map(_resolved, operation.get("parameters", [])):
            if not parameter.get("description"):
                yield f"{route}: {parameter['name']}"
    components = DOCUMENT["components"]
    for kind in ("schemas", "parameters", "responses", "headers", "securitySchemes"):
        yield from (f"{kind}: {name}" for name, each in components[kind].items() if not each.get("description"))
    for name, schema in components["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            if not described.get("description"):
                yield f"{name}.{field}"
    yield from (f"tag {tag['name']}" for tag in DOCUMENT["tags"] if not tag["description"])


def _resolved(described: Any) -> Any:
    if "$ref" not in described:
        return described
    _, _, kind, name = described["$ref"].split("/")
    return DOCUMENT["components"][kind][name]


def test_enumerations_and_their_values_have_names_and_meanings() -> None:
    named = {name: schema for name, schema in DOCUMENT["components"]["schemas"].items() if "enum" in schema}

    assert json.dumps(DOCUMENT).count('"enum":') == len(named)
    for name, schema in named.items():
        names, meanings = schema["x-enum-varnames"], schema["x-enum-descriptions"]
        assert len(set(names)) == len(names) == len(meanings) == len(schema["enum"]), name
        assert all(re.fullmatch(r"[A-Z]+(_[A-Z]+)*", each) for each in names), name
        assert all(meanings), name


def test_no_id_has_an_example_but_me() -> None:
    filled_in = [
        (route[1], parameter["name"], parameter["example"])
        for route, operation in OPERATIONS.items()
        for parameter in map(_resolved, operation.get("parameters", []))
        if {"example", "examples"} & {*parameter, *parameter["schema"]}
    ]

    below = ("", "/activity", "/changes", "/export", "/trash", "/trash/{task_id}")
    assert {*filled_in} == {(f"/users/{{user_id}}{path}", "user_id", "me") for path in below}


def test_every_body_has_an_example_that_its_schema_allows() -> None:
    for route, operation in OPERATIONS.items():
        if "requestBody" not in operation:
            continue
        media = operation["requestBody"]["content"]["application/json"]
        validator = Draft202012Validator({**media["schema"], "components": DOCUMENT["components"]})
        assert media["examples"], route
        for name, example in media["examples"].items():
            assert [*validator.iter_errors(example["value"])] == [], (route, name)


def test_examples_of_responses_are_what_their_schemas_allow() -> None:
    found = {
        (route, status): media
        for route, operation in OPERATIONS.items()
        for status, response in operation["responses"].items()
        for media in response.get("content", {}).values()
        if "example" in media
    }

    assert len(found) >= 7
    for where, media in found.items():
        validator = Draft202012Validator({**media["schema"], "components": DOCUMENT["components"]})
        assert [*validator.iter_errors(media["example"])] == [], where


def test_documented_durations_and_lengths_are_those_of_the_template() -> None:
    value = {
        name: int(each["Default"]) for name, each in STACK.template["Parameters"].items() if each["Type"] == "Number"
    }
    said = " ".join(DOCUMENT["info"]["description"].split())
    schemas = DOCUMENT["components"]["schemas"]

    assert f"**{value['AuthorizerCacheSeconds']} seconds**" in said
    assert f"**{value['RefreshIdleSeconds'] // 86400} days**" in said
    assert f"ends after {value['RefreshTokenSeconds'] // 86400} days" in said
    assert value["AccessTokenSeconds"] == 600
    assert "(ten minutes)" in said
    new_passwords = [("Registration", "password"), ("PasswordChange", "new_password")]
    for schema, field in [*new_passwords, ("RecoveryCompletion", "new_password")]:
        assert schemas[schema]["properties"][field]["minLength"] == value["PasswordMinLength"]
        assert f"At least {value['PasswordMinLength']} " in schemas[schema]["properties"][field]["description"]


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_valid_and_so_are_its_examples(name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}

    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])

    for field, described in DOCUMENT["components"]["schemas"][name].get("properties", {}).items():
        for example in described.get("examples", []):
            errors = [*Draft202012Validator({**described, "components": schema["components"]}).iter_errors(example)]
            assert errors == [], f"{name}.{field}"
