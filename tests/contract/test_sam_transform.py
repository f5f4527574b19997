"""What SAM makes of the API: one public stage, and a new snapshot of the API with each deployment."""

import time
from collections import Counter
from typing import Any

import pytest

from tests.support.sam_transform import transformed

# CloudFormation takes 500 resources in a template.
MOST_RESOURCES = 480
# A function's resource policy may have 20 KB, and a statement for a route has some 420 bytes.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_PERMISSIONS = 45


def _of_type(resources: dict[str, Any], *kinds: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] in kinds}


def test_the_api_has_one_stage() -> None:
    resources = transformed()

    stages = _of_type(resources, "AWS::ApiGateway::Stage")
    deployments = _of_type(resources, "AWS::ApiGateway::Deployment")
    assert [stage["StageName"] for stage in stages.values()] == ["live"]
    assert _of_type(resources, "AWS::ApiGatewayV2::Stage").keys() == {"LiveStage"}  # of the WebSocket API
    # A deployment with a name, or with settings of a stage, makes a second stage.
    assert [each for each in deployments.values() if {"StageName", "StageDescription"} & each.keys()] == []


def test_the_stage_has_throttles_access_log_and_firewall() -> None:
    resources = transformed()

    [(name, stage)] = _of_type(resources, "AWS::ApiGateway::Stage").items()
    settings = {(each["HttpMethod"], each["ResourcePath"]) for each in stage["MethodSettings"]}
    assert ("*", "/*") in settings
    assert "AccessLogSetting" in stage
    [guarded] = _of_type(resources, "AWS::WAFv2::WebACLAssociation").values()
    assert guarded["ResourceArn"]["Fn::Sub"].endswith("/stages/${" + name + "}")


def test_the_deployment_is_the_one_the_stage_serves() -> None:
    resources = transformed()

    [stage] = _of_type(resources, "AWS::ApiGateway::Stage").values()
    assert stage["DeploymentId"]["Ref"] in _of_type(resources, "AWS::ApiGateway::Deployment")


# One that stands in the API's description behind a condition, which SAM does not look into; one that it resolves; one
# of the stage alone; none at all.
@pytest.mark.parametrize(
    "given",
    [
        {"CorsAllowedOrigins": "https://a.example.org"},
        {"AuthorizerCacheSeconds": "0"},
        {"RequestsPerSecond": "5"},
        {},
    ],
    ids=lambda given: next(iter(given), "nothing"),
)
def test_any_changed_parameter_creates_a_new_api_deployment(given: dict[str, str]) -> None:
    before = _of_type(transformed(), "AWS::ApiGateway::Deployment")
    # SAM tells deployments apart by the second.
    _await_the_next_second()

    transformed.cache_clear()
    after = _of_type(transformed(**given), "AWS::ApiGateway::Deployment")

    assert len(before) == len(after) == 1
    assert not before.keys() & after.keys()


def test_the_stack_fits_into_one_template() -> None:
    assert len(transformed()) < MOST_RESOURCES


def test_the_permissions_of_each_function_fit_into_its_resource_policy() -> None:
    """SAM makes a permission for each route, schedule and rule that calls the function."""
    permissions = _of_type(transformed(), "AWS::Lambda::Permission").values()

    by_function = Counter(str(each["FunctionName"]) for each in permissions)

    assert 0 < max(by_function.values()) <= MOST_PERMISSIONS, by_function.most_common(3)


def _await_the_next_second() -> None:
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.02)
