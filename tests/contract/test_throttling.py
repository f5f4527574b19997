"""Throttling and the firewall: what holds back a flood before any function runs."""

import posixpath
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest

from infrastructure import template as template_file
from infrastructure import throttles
from infrastructure.openapi.routes import declared_routes
from infrastructure.throttles import EVERY_METHOD, Throttle
from tests.support.stack import Stack

STACK = Stack()
PARAMETERS = template_file.parameter_values(STACK.template, {})
API = STACK.resources["Api"]["Properties"]
SETTINGS = API["MethodSettings"]
ROUTES = {
    f"{event['Method']} {event['Path']}" for function in STACK.functions for event in STACK.events(function, "Api")
}


def _takes_a_password(body: type[Any] | None) -> bool:
    return body is not None and any("password" in field.name for field in msgspec.structs.fields(body))


# What can be guessed: passwords, and the codes of rooms.
GUESSED = {
    *(f"{each.route.method} {each.route.path}" for each in declared_routes() if _takes_a_password(each.route.body)),
    "POST /rooms/join",
}
SIGN_IN = {"Ref": "SignInsPerSecond"}, {"Ref": "SignInBurst"}


def _declared() -> dict[str, tuple[Any, Any]]:
    return {
        f"{each['HttpMethod']} {_decoded(each['ResourcePath'])}": (
            each["ThrottlingRateLimit"],
            each["ThrottlingBurstLimit"],
        )
        for each in SETTINGS
    }


def _decoded(path: str) -> str:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-stage-methodsetting.html"""
    return f"/{path.removeprefix('/').replace('~1', '/').removeprefix('/')}"


def test_the_guessable_routes_are_known() -> None:
    assert {"POST /users", "POST /auth/login", "POST /auth/reauthenticate"} <= GUESSED


def test_every_method_is_throttled_and_guessable_routes_have_lower_throttles() -> None:
    rates = _declared()

    assert rates.pop(EVERY_METHOD) == ({"Ref": "RequestsPerSecond"}, {"Ref": "RequestBurst"})
    assert {route for route, rate in rates.items() if rate == SIGN_IN} == GUESSED
    assert int(PARAMETERS["SignInsPerSecond"]) < int(PARAMETERS["RequestsPerSecond"])


@pytest.mark.parametrize(
    ("path", "rate", "burst"),
    [("/health", "HealthChecksPerSecond", "HealthCheckBurst"), ("/assets/{asset}", "AssetsPerSecond", "AssetBurst")],
)
def test_costly_routes_without_a_rate_limit_have_lower_throttles(path: str, rate: str, burst: str) -> None:
    for route in (route for route in ROUTES if route.endswith(f" {path}") and not route.startswith("OPTIONS")):
        assert _declared()[route] == ({"Ref": rate}, {"Ref": burst})
    assert int(PARAMETERS[rate]) < int(PARAMETERS["RequestsPerSecond"])


def test_throttled_paths_are_routes() -> None:
    assert _declared().keys() - ROUTES == {EVERY_METHOD}


def test_slashes_in_throttled_paths_are_escaped_for_cloudformation() -> None:
    paths = [each["ResourcePath"] for each in SETTINGS]

    # The root and all paths together are the two that are written otherwise.
    assert [path for path in paths if path not in ("/", "/*") and not re.fullmatch(r"/(~1[\w{}.-]+)+", path)] == []


def test_the_throttles_of_template_and_stage_are_comparable() -> None:
    # As GetStage answers, by the examples of the AWS CLI and by the tests of SAM that run on AWS.
    stage = {
        "methodSettings": {
            "*/*": {"throttlingRateLimit": 200.0, "throttlingBurstLimit": 400},
            "~1auth~1login/POST": {"throttlingRateLimit": 20.0, "throttlingBurstLimit": 40},
            "users/POST": {"throttlingRateLimit": 20.0, "throttlingBurstLimit": 40},
            "~1/GET": {"throttlingRateLimit": 200.0, "throttlingBurstLimit": 400},
        }
    }

    wanted = throttles.wanted(API, PARAMETERS)

    assert wanted.keys() == _declared().keys()
    found = throttles.of_stage(stage)
    assert found == {route: wanted[route] for route in (EVERY_METHOD, "POST /auth/login", "POST /users", "GET /")}
    assert found["POST /auth/login"] == Throttle(20, 40)


def test_the_firewall_is_optional() -> None:
    for name in ("Firewall", "FirewallOfApi"):
        assert STACK.resources[name]["Condition"] == "WithWaf"
    assert STACK.template["Conditions"]["WithWaf"] == {"Fn::Equals": [{"Ref": "EnableWaf"}, "true"]}
    assert STACK.parameters["EnableWaf"] == "false"


def test_the_firewall_counts_every_address_and_passes_other_requests() -> None:
    properties = STACK.resources["Firewall"]["Properties"]

    assert properties["DefaultAction"] == {"Allow": {}}
    rules = {rule["Name"]: rule["Statement"]["RateBasedStatement"] for rule in properties["Rules"]}
    assert {name: (rule["AggregateKeyType"], rule["Limit"]["Ref"]) for name, rule in rules.items()} == {
        "SignInsPerAddress": ("IP", "WafSignInsPerAddress"),
        "RequestsPerAddress": ("IP", "WafRequestsPerAddress"),
    }


_TRANSFORMATIONS: dict[str, Callable[[str], str]] = {"URL_DECODE": unquote, "NORMALIZE_PATH": posixpath.normpath}


def _counts(rule: dict[str, Any], method: str, path: str) -> bool:
    """Whether a rule of the firewall counts a request. Knows the statements and transformations that ours has."""
    match rule:
        case {"AndStatement": {"Statements": statements}}:
            return all(_counts(each, method, path) for each in statements)
        case {"ByteMatchStatement": {"FieldToMatch": {"Method": {}}, "PositionalConstraint": "EXACTLY", **rest}}:
            return method == rest["SearchString"]
        case {"RegexMatchStatement": {"FieldToMatch": {"UriPath": {}}, "RegexString": str(regex), **rest}}:
            transformations: Any = rest["TextTransformations"]
            for each in sorted(transformations, key=lambda each: each["Priority"]):
                path = _TRANSFORMATIONS[each["Type"]](path)
            return re.search(regex, path) is not None
    raise ValueError(rule)


SIGN_IN_RULE = next(
    rule["Statement"]["RateBasedStatement"]["ScopeDownStatement"]
    for rule in STACK.resources["Firewall"]["Properties"]["Rules"]
    if rule["Name"] == "SignInsPerAddress"
)


@pytest.mark.parametrize("place", ["/live", "", "/v1"], ids=["stage", "domain", "domain with a base path"])
def test_the_sign_in_rule_of_the_firewall_matches_only_guessable_routes(place: str) -> None:
    counted = {route for route in ROUTES if _counts(SIGN_IN_RULE, *_sent(route, place))}

    assert counted == GUESSED


@pytest.mark.parametrize("route", sorted(GUESSED))
def test_no_alternative_spelling_of_a_path_bypasses_the_firewall(route: str) -> None:
    method, path = route.split()
    *folders, last = path.split("/")
    encoded = "/".join([*folders, f"%{ord(last[0]):02X}{last[1:]}"])
    spellings = [
        encoded,
        encoded.lower(),
        f"/%2f{path[1:]}",
        path.replace("/", "//"),
        path.replace("/", "/./"),
        f"/rooms/..{path}",
        f"/rooms/%2e%2e{path}",
        f"{path}/",
    ]

    assert [each for each in spellings if not _counts(SIGN_IN_RULE, method, f"/live{each}")] == []


def _sent(route: str, place: str) -> tuple[str, str]:
    method, path = route.split()
    return method, place + path
