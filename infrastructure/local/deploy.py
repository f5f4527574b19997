"""Creates or updates the stack through CloudFormation, by change set, as `sam deploy` does."""

import copy
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infrastructure.local.clients import local_client
from infrastructure.local.errors import DeploymentFailed
from infrastructure.package import digest
from infrastructure.template import with_code_locations, with_versions

STACK = "tasksync"
_BUCKET = "tasksync-artifacts"
_SECONDS = 120
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


def deploy(
    endpoint: str, template: Mapping[str, Any], archives: Mapping[str, Path], parameters: Mapping[str, str]
) -> dict[str, str]:
    """Brings the stack to what template, archives and parameters say; returns its outputs.

    Raises DeploymentFailed with the reason of the resource that failed first.
    """
    cloudformation = local_client("cloudformation", endpoint)
    with _Artifacts(endpoint) as artifacts:
        locations = {name: artifacts.put(archive.name, archive.read_bytes()) for name, archive in archives.items()}
        digests = {name: digest(archive) for name, archive in archives.items()}
        versioned = with_versions(_at_once(template), digests, json.dumps(parameters, sort_keys=True))
        packaged = with_code_locations(versioned, locations)
        artifacts.put("template.json", json.dumps(packaged).encode())
        try:
            change_set = _change_set(cloudformation, artifacts.url("template.json"), parameters)
            if change_set is not None:
                _execute(cloudformation, change_set)
        except ClientError as error:
            raise DeploymentFailed(f"The deployment failed: {error.response['Error']['Message']}") from error
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _at_once(template: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which aliases move to new versions at once: ministack has no CodeDeploy to move them by and by."""
    changed = copy.deepcopy(dict(template))
    changed.get("Globals", {}).get("Function", {}).pop("DeploymentPreference", None)
    return changed


class _Artifacts:
    """The bucket that CloudFormation reads code from, for as long as a deployment takes.

    Functions and layers keep their own copy; what stayed in the bucket would be kept twice with the local data.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
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
        self._s3.delete_objects(Bucket=_BUCKET, Delete={"Objects": [{"Key": key} for key in self._keys]})
        self._s3.delete_bucket(Bucket=_BUCKET)


def _change_set(cloudformation: Any, template_url: str, parameters: Mapping[str, str]) -> str | None:
    """The id of a change set that is ready; None if nothing would change."""
    created = cloudformation.create_change_set(
        StackName=STACK,
        ChangeSetName=f"local-{time.time_ns()}",
        ChangeSetType="CREATE" if _status(cloudformation) is None else "UPDATE",
        TemplateURL=template_url,
        Capabilities=_CAPABILITIES,
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    for _ in _until(_SECONDS):
        change_set = cloudformation.describe_change_set(ChangeSetName=created["Id"])
        if change_set["Status"] == "CREATE_COMPLETE":
            return str(created["Id"])
        if change_set["Status"] == "FAILED":
            reason = change_set.get("StatusReason", "no reason given")
            cloudformation.delete_change_set(ChangeSetName=created["Id"])
            if "didn't contain changes" in reason or "No updates are to be performed" in reason:
                return None
            raise DeploymentFailed(f"The deployment failed: {reason}")
    raise DeploymentFailed(f"The deployment failed: no change set after {_SECONDS} s.")


def _execute(cloudformation: Any, change_set: str) -> None:
    known = {event["EventId"] for event in _events(cloudformation)}
    cloudformation.execute_change_set(ChangeSetName=change_set)
    for _ in _until(_SECONDS):
        status = _status(cloudformation)
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return
        if status is not None and not status.endswith("IN_PROGRESS"):
            raise DeploymentFailed(_reason(cloudformation, known) or f"The deployment failed: the stack is {status}.")
    raise DeploymentFailed(f"The deployment failed: it was not done after {_SECONDS} s.")


def _reason(cloudformation: Any, known: set[str]) -> str | None:
    """What the resource that failed first says; the failures after it are its consequences."""
    failures = [
        event
        for event in _events(cloudformation)
        if event["EventId"] not in known and event["ResourceStatus"].endswith("FAILED")
    ]
    if not failures:
        return None
    first = min(failures, key=lambda event: event["Timestamp"])
    reason = first.get("ResourceStatusReason", "no reason given")
    return f"The deployment failed: {first['LogicalResourceId']} ({first['ResourceType']}): {reason}"


def _events(cloudformation: Any) -> list[Any]:
    events: list[Any] = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    return events


def _status(cloudformation: Any) -> str | None:
    try:
        return str(cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"])
    except ClientError:
        return None


def _until(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.05)
