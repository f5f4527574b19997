"""Deploys to the local AWS: archives into a bucket, then a change set."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infrastructure.change_sets import ChangeSets
from infrastructure.local.clients import local_client
from infrastructure.package import digest
from infrastructure.stacks import outputs
from infrastructure.template import with_code_locations, with_versions, without_gradual_rollout

STACK = "tasksync"
_BUCKET = "tasksync-artifacts"
_SECONDS = 120
_PAUSE_SECONDS = 0.05
# Of what ministack's CloudFormation does not know.
_UNKNOWN_TYPES = {"AWS::ApiGatewayV2::IntegrationResponse", "AWS::ApiGatewayV2::RouteResponse"}


def deploy(
    endpoint: str,
    template: Mapping[str, Any],
    archives: Mapping[str, Path],
    parameters: Mapping[str, str],
    keep_archives: bool = False,
) -> dict[str, str]:
    """Brings the stack to what template, archives and parameters say; returns its outputs.

    ``keep_archives``: in the bucket, for whoever wants to put this version back.

    Raises DeploymentFailed with the reason of the resource that failed first.
    """
    cloudformation = local_client("cloudformation", endpoint)
    with _Artifacts(endpoint, keep_archives) as artifacts:
        locations = {name: artifacts.put(archive.name, archive.read_bytes()) for name, archive in archives.items()}
        digests = {name: digest(archive) for name, archive in archives.items()}
        versioned = with_versions(for_ministack(template), digests, json.dumps(parameters, sort_keys=True))
        packaged = with_code_locations(versioned, locations)
        artifacts.put("template.json", json.dumps(packaged).encode())
        change_sets = ChangeSets(cloudformation, STACK, _SECONDS, _PAUSE_SECONDS)
        change_sets.apply(artifacts.url("template.json"), parameters)
    return outputs(cloudformation.describe_stacks(StackName=STACK)["Stacks"][0])


def for_ministack(template: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without what ministack has not: CodeDeploy, which moves aliases by and by, alarms on an expression, and
    responses of mocks of a WebSocket API, which its API has.

    Such an alarm looks at the first of the expression's metrics alone.
    """
    changed = without_gradual_rollout(template)
    resources = changed["Resources"].items()
    changed["Resources"] = {name: each for name, each in resources if each["Type"] not in _UNKNOWN_TYPES}
    for resource in changed["Resources"].values():
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]:
            alarm = resource["Properties"]
            first = next(each["MetricStat"] for each in alarm.pop("Metrics") if "MetricStat" in each)
            alarm |= {**first["Metric"], "Period": first["Period"], "Statistic": first["Stat"]}
    return changed


class _Artifacts:
    """The bucket that CloudFormation reads code from, for as long as a deployment takes if it is not to be kept.

    Functions and layers keep their own copy; what stayed in the bucket would be kept twice with the local data.
    """

    def __init__(self, endpoint: str, keep: bool) -> None:
        self._endpoint = endpoint
        self._keep = keep
        self._s3 = local_client("s3", endpoint)
        self._keys: list[str] = []

    def __enter__(self) -> "_Artifacts":
        self._s3.create_bucket(Bucket=_BUCKET)
        return self

    def put(self, key: str, content: bytes) -> str:
        self._s3.put_object(Bucket=_BUCKET, Key=key, Body=content)
        self._keys.append(key)
        return f"s3://{_BUCKET}/{key}"

    def url(self, key: str) -> str:
        return f"{self._endpoint}/{_BUCKET}/{key}"

    def __exit__(self, *_: object) -> None:
        if self._keep:
            return
        self._s3.delete_objects(Bucket=_BUCKET, Delete={"Objects": [{"Key": key} for key in self._keys]})
        self._s3.delete_bucket(Bucket=_BUCKET)
