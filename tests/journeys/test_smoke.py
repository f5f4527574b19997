"""`make smoke` on the local AWS: silent where all is as the template says, and it names whatever is not."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from infrastructure import throttles
from infrastructure.local.deploy import STACK
from infrastructure.smoke.inspection import look
from tests.journeys.service import Service

CHECKS = [
    "serves",
    "unknown paths",
    "requests without a good token",
    "CORS",
    "compression",
    "live updates",
    "one stage",
    "throttles",
    "gateway responses",
    "alarms",
    "streams are enabled",
    "streams deliver",
]


def faults(service: Service) -> dict[str, tuple[str, ...]]:
    """By check, where there are any."""
    found = look(STACK, service.addresses.api_url, service.addresses.client)
    assert [each.name for each in found] == CHECKS
    return {each.name: each.faults for each in found if each.faults}


def test_the_smoke_check_finds_no_fault_in_the_local_stack(fresh: Service) -> None:
    assert faults(fresh) == {}


@contextmanager
def _second_stage(service: Service) -> Iterator[None]:
    gateway, api = service.addresses.client("apigateway"), service.addresses.outputs["ApiId"]
    deployment = gateway.get_deployments(restApiId=api)["items"][0]["id"]
    gateway.create_stage(restApiId=api, stageName="Stage", deploymentId=deployment)
    yield
    gateway.delete_stage(restApiId=api, stageName="Stage")


@contextmanager
def _throttle(service: Service) -> Iterator[None]:
    gateway, api = service.addresses.client("apigateway"), service.addresses.outputs["ApiId"]
    stage = gateway.get_stages(restApiId=api)["item"][0]["stageName"]
    path = "/~1auth~1login/POST/throttling/rateLimit"

    def change(value: float) -> None:
        patch = {"op": "replace", "path": path, "value": str(value)}
        gateway.update_stage(restApiId=api, stageName=stage, patchOperations=[patch])

    before = throttles.of_stage(gateway.get_stage(restApiId=api, stageName=stage))["POST /auth/login"].rate
    change(before + 1)
    yield
    change(before)


@contextmanager
def _gateway_response(service: Service) -> Iterator[None]:
    gateway, api = service.addresses.client("apigateway"), service.addresses.outputs["ApiId"]
    kept: dict[str, Any] = gateway.get_gateway_response(restApiId=api, responseType="UNAUTHORIZED")
    gateway.put_gateway_response(restApiId=api, responseType="UNAUTHORIZED", statusCode="400")
    yield
    gateway.put_gateway_response(
        restApiId=api,
        responseType="UNAUTHORIZED",
        **{name: kept[name] for name in ("statusCode", "responseParameters", "responseTemplates")},
    )


@contextmanager
def _open_websockets(service: Service) -> Iterator[None]:
    """Nobody asks for tickets."""
    gateway, api = service.addresses.client("apigatewayv2"), service.addresses.outputs["LiveApiId"]
    [route] = [each for each in gateway.get_routes(ApiId=api)["Items"] if each["RouteKey"] == "$connect"]
    gateway.update_route(ApiId=api, RouteId=route["RouteId"], AuthorizationType="NONE")
    yield
    kept = {name: route[name] for name in ("AuthorizationType", "AuthorizerId")}
    gateway.update_route(ApiId=api, RouteId=route["RouteId"], **kept)


@contextmanager
def _alarm(service: Service) -> Iterator[None]:
    cloudwatch = service.addresses.client("cloudwatch")
    alarm = cloudwatch.describe_alarms()["MetricAlarms"][0]["AlarmName"]
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test")
    yield
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="a test")


@contextmanager
def _stream(service: Service) -> Iterator[None]:
    functions = service.addresses.client("lambda")
    [mapping] = [
        each
        for each in functions.list_event_source_mappings()["EventSourceMappings"]
        if "-ActivityFunction-" in each["FunctionArn"] and "-TasksTableV2-" in each["EventSourceArn"]
    ]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    yield
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (_second_stage, "one stage"),
        (_throttle, "throttles"),
        (_gateway_response, "gateway responses"),
        (_open_websockets, "live updates"),
        (_alarm, "alarms"),
        (_stream, "streams are enabled"),
    ],
)
def test_a_difference_from_the_template_is_named(
    fresh: Service, broken: Callable[[Service], AbstractContextManager[None]], named: str
) -> None:
    with broken(fresh):
        found = look(STACK, fresh.addresses.api_url, fresh.addresses.client, only=[named])

    assert [(each.name, bool(each.faults)) for each in found] == [(named, True)]
