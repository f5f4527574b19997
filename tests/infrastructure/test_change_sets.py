"""Change sets on the local AWS when the response to each changing call is lost and the call is repeated."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infrastructure.change_sets import ChangeSets
from infrastructure.local.clients import local_client
from infrastructure.local.ministack import Server

STACK, BUCKET, PARAMETER = "stack", "templates", "/stack/value"


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    server = Server(0, tmp_path)
    server.start()
    local_client("s3", server.aws_endpoint).create_bucket(Bucket=BUCKET)
    yield server.aws_endpoint
    server.kill()


def repeat_once(attempts: int, **_: Any) -> int | None:
    """Seconds to wait before the next attempt, for botocore: it is to think that the first had no response."""
    return 0 if attempts == 1 else None


def template(endpoint: str) -> str:
    """Where a template is that stores its parameter's value."""
    properties = {"Name": PARAMETER, "Type": "String", "Value": {"Ref": "Value"}}
    body = {
        "Parameters": {"Value": {"Type": "String"}},
        "Resources": {"Stored": {"Type": "AWS::SSM::Parameter", "Properties": properties}},
    }
    local_client("s3", endpoint).put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(body).encode())
    return f"{endpoint}/{BUCKET}/template.json"


def test_a_repeated_call_is_carried_out_once(endpoint: str) -> None:
    cloudformation = local_client("cloudformation", endpoint)
    for call in ("CreateChangeSet", "ExecuteChangeSet"):
        cloudformation.meta.events.register_first(f"needs-retry.cloudformation.{call}", repeat_once)
    change_sets = ChangeSets(cloudformation, STACK, seconds=30, pause=0.05)

    for value in ("created", "updated", "updated"):
        change_sets.apply(template(endpoint), {"Value": value})

        assert local_client("ssm", endpoint).get_parameter(Name=PARAMETER)["Parameter"]["Value"] == value
