"""`make deploy ENV=…`: deploys a version, looks whether it serves, and puts the version before back if it does not.

What CloudFormation itself cannot deploy, or CodeDeploy moves back, it has put back by then. This is for a version that
was deployed and does not serve. The version before is the stack's template as it was, with the parameters as they
were; the archives that it names are still in the bucket. Data is not touched by either.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infrastructure import smoke
from infrastructure.change_sets import ChangeSets
from infrastructure.local.errors import DeploymentFailed
from infrastructure.template import REPOSITORY

# A rollout in ten steps of two minutes, with time to spare.
_SECONDS = 3600
_PAUSE_SECONDS = 5


class RolledBack(Exception):
    """The new version did not serve, and the one before is back. The message says why."""


@dataclass(frozen=True)
class Version:
    """What a stack was deployed from."""

    template: str
    parameters: Mapping[str, str]


class Stack:
    """A stack, with boto3 clients of CloudFormation and S3."""

    def __init__(
        self,
        name: str,
        cloudformation: Any,
        s3: Any,
        seconds: float = _SECONDS,
        pause: float = _PAUSE_SECONDS,
    ) -> None:
        self.name = name
        self._cloudformation = cloudformation
        self._s3 = s3
        self._change_sets = ChangeSets(cloudformation, name, seconds, pause)

    def version(self) -> Version | None:
        """The one that is deployed; None if there is none."""
        found = self._described()
        if found is None or found["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        body = self._cloudformation.get_template(StackName=self.name, TemplateStage="Original")["TemplateBody"]
        parameters = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
        return Version(body if isinstance(body, str) else json.dumps(body), parameters)

    def put_back(self, version: Version) -> None:
        """Deploy this version again. Raises DeploymentFailed."""
        # Beside the archives: CloudFormation takes a template of this size from a bucket alone.
        bucket = re.search(r"s3://([^/\"']+)/", version.template)
        if bucket is None:
            raise DeploymentFailed("The version before names no bucket that its archives are in.")
        key = f"{self.name}-rollback.template"
        self._s3.put_object(Bucket=bucket[1], Key=key, Body=version.template.encode())
        self._change_sets.apply(f"{self._s3.meta.endpoint_url}/{bucket[1]}/{key}", version.parameters)

    def outputs(self) -> dict[str, str]:
        found = self._described() or {}
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}

    def _described(self) -> Any:
        try:
            return self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError:
            return None


def release(stack: Stack, deploy: Callable[[], None], check: Callable[[], None]) -> None:
    """``check`` raises Unhealthy if what ``deploy`` has deployed does not serve.

    Raises RolledBack; Unhealthy if it was the first version, which stays as it is; what ``deploy`` raises; and
    DeploymentFailed if the version before cannot be put back.
    """
    before = stack.version()
    deploy()
    try:
        check()
    except smoke.Unhealthy as reason:
        if before is None:
            raise
        stack.put_back(before)
        check()
        raise RolledBack(str(reason)) from reason


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", required=True, help="an environment of samconfig.toml")
    parser.add_argument(
        "--url",
        default="",
        help="where the API answers, if not at the output ApiUrl; {ApiId} is the output of that name",
    )
    parser.add_argument("command", nargs="+", help="deploys it; ends with 0 once that is done")
    arguments = parser.parse_args()
    settings = tomllib.loads((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))
    if arguments.env not in settings:
        environments = ", ".join(name for name in settings if name != "version")
        print(f"Say which environment: make deploy ENV=… with one of {environments}", file=sys.stderr)
        return 2
    name = settings[arguments.env]["deploy"]["parameters"]["stack_name"]
    try:
        stack = Stack(name, boto3.client("cloudformation"), boto3.client("s3"))
        release(
            stack,
            lambda: _run(arguments.command),
            lambda: smoke.check(_address(stack, arguments.url)),
        )
    except RolledBack as reason:
        print(f"The new version does not serve: {reason}\nThe version before is back, and serves.", file=sys.stderr)
    except smoke.Unhealthy as reason:
        print(f"{name} does not serve: {reason}", file=sys.stderr)
    except (DeploymentFailed, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
    else:
        print(f"{name} serves at {_address(stack, arguments.url)}")
        return 0
    return 1


def _address(stack: Stack, given: str) -> str:
    outputs = stack.outputs()
    return given.replace("{ApiId}", outputs["ApiId"]) or outputs["ApiUrl"]


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        raise DeploymentFailed("The deployment failed. CloudFormation says why, and has put back what it changed.")


if __name__ == "__main__":
    sys.exit(main())
