"""Checks a deployed stack against its template: one stage, throttles, gateway responses, alarms, streams."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from infrastructure import throttles
from infrastructure.local.gateway import gateway_responses, stage_name
from infrastructure.smoke.findings import Check
from infrastructure.smoke.journey import Client

_DELIVERED_WITHIN_SECONDS = 60
_PAUSE_SECONDS = 1


class Deployed:
    """A stack as AWS describes it. ``client("dynamodb")`` is a boto3 client."""

    def __init__(
        self, template: Mapping[str, Any], parameters: Mapping[str, str], resources: list[Any], client: Any
    ) -> None:
        """``resources``: as CloudFormation lists those that there are."""
        self.template = template
        self.parameters = parameters
        self.client = client
        self._resources = resources

    def ids(self, kind: str) -> dict[str, str]:
        """Physical ids of the resources of this type, by their names in the template."""
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in self._resources
            if each["ResourceType"] == kind
        }

    def declared(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, resource in self.template["Resources"].items():
            if resource["Type"] == kind:
                yield name, resource["Properties"]


def checks(stack: Deployed, api_id: str, url: str) -> dict[str, Check]:
    return {
        "one stage": lambda: _one_stage(stack, api_id),
        "throttles": lambda: _throttles(stack, api_id),
        "gateway responses": lambda: _gateway_responses(stack, api_id),
        "alarms": lambda: _alarms(stack),
        "streams are enabled": lambda: _streams(stack),
        "streams deliver": lambda: _delivery(url),
    }


def _one_stage(stack: Deployed, api_id: str) -> list[str]:
    wanted = [stage_name(stack.template)]
    found = [each["stageName"] for each in stack.client("apigateway").get_stages(restApiId=api_id)["item"]]
    return [] if found == wanted else [f"{', '.join(found) or 'none'} instead of {wanted[0]}"]


def _throttles(stack: Deployed, api_id: str) -> list[str]:
    [(_, api)] = stack.declared("AWS::Serverless::Api")
    stage = stack.client("apigateway").get_stage(restApiId=api_id, stageName=stage_name(stack.template))
    wanted, found = throttles.wanted(api, stack.parameters), throttles.of_stage(stage)
    return [
        f"{route}: {found.get(route) or 'none'} instead of {throttle}"
        for route, throttle in wanted.items()
        if found.get(route) != throttle
    ]


def _gateway_responses(stack: Deployed, api_id: str) -> list[str]:
    items = stack.client("apigateway").get_gateway_responses(restApiId=api_id, limit=500)["items"]
    found = {each["responseType"]: each for each in items}
    faults = []
    for kind, response in gateway_responses(stack.template).items():
        deployed = found.get(kind, {})
        if str(deployed.get("statusCode")) != str(response.status):
            faults.append(f"{kind}: status {deployed.get('statusCode')} instead of {response.status}")
        media_type = deployed.get("responseParameters", {}).get("gatewayresponse.header.Content-Type")
        if media_type != response.parameters["gatewayresponse.header.Content-Type"]:
            faults.append(f"{kind}: content type {media_type}")
    return faults


def _alarms(stack: Deployed) -> list[str]:
    names = list(stack.ids("AWS::CloudWatch::Alarm").values())
    if not names:
        return ["there is none"]
    cloudwatch = stack.client("cloudwatch")
    found = [
        alarm
        for start in range(0, len(names), 100)
        for alarm in cloudwatch.describe_alarms(AlarmNames=names[start : start + 100])["MetricAlarms"]
    ]
    missing = [f"{name} is not there" for name in sorted({*names} - {alarm["AlarmName"] for alarm in found})]
    return missing + [
        f"{alarm['AlarmName']} is in ALARM since {alarm['StateUpdatedTimestamp']:%Y-%m-%d %H:%M:%S} UTC"
        for alarm in found
        if alarm["StateValue"] == "ALARM"
    ]


def _streams(stack: Deployed) -> list[str]:
    faults = []
    tables = stack.ids("AWS::DynamoDB::Table")
    for name, properties in stack.declared("AWS::DynamoDB::Table"):
        if "StreamSpecification" in properties:
            table = stack.client("dynamodb").describe_table(TableName=tables[name])["Table"]
            if not table.get("StreamSpecification", {}).get("StreamEnabled"):
                faults.append(f"{name} has no stream")
    functions = stack.ids("AWS::Lambda::Function")
    for name, properties in stack.declared("AWS::Serverless::Function"):
        wanted = sum(event["Type"] == "DynamoDB" for event in properties.get("Events", {}).values())
        if wanted:
            faults += _mappings(stack.client("lambda"), name, functions[name], wanted)
    return faults


def _mappings(functions: Any, name: str, function: str, wanted: int) -> list[str]:
    """Event source mappings of a function or of an alias of it."""
    pages = functions.get_paginator("list_event_source_mappings").paginate()
    found = [
        mapping
        for page in pages
        for mapping in page["EventSourceMappings"]
        if function in mapping["FunctionArn"].split(":")
    ]
    if len(found) != wanted:
        return [f"{name} reads {len(found)} streams instead of {wanted}"]
    return [f"{name}: a stream is {mapping['State']}" for mapping in found if mapping["State"] != "Enabled"] + [
        f"{name}: {mapping['LastProcessingResult']}"
        for mapping in found
        if mapping.get("LastProcessingResult", "").startswith("PROBLEM")
    ]


def _delivery(url: str) -> list[str]:
    """A room, a task and a user have their entries in change logs, which are made from the streams of the tables."""
    person = Client(url)
    person.sign_up()
    try:
        room = person.ask("POST", "/rooms", 201, {"name": "Do streams deliver?"})
        task = person.ask("POST", "/tasks", 201, {"title": "See that they do", "room_id": room["id"]})
        missing = {room["id"], task["id"], person.ask("GET", "/users/me", 200)["id"]}
        ends = time.monotonic() + _DELIVERED_WITHIN_SECONDS
        while missing and time.monotonic() < ends:
            for log in (f"/rooms/{room['id']}/activity", "/users/me/activity"):
                missing -= {entry["resource_id"] for entry in person.ask("GET", log, 200)["items"]}
            if missing:
                time.sleep(_PAUSE_SECONDS)
        return [f"no entry in a change log after {_DELIVERED_WITHIN_SECONDS} s of {each}" for each in missing]
    finally:
        person.ask("DELETE", "/users/me", 204)
