"""`make deploy ENV=…`: deploys a version, checks that it serves, and rolls back to the previous version if it does not.

What CloudFormation itself cannot deploy, or CodeDeploy moves back, it has put back by then. This is for a version that
was deployed and does not serve. First the aliases are pointed at the versions of before, by Lambda itself: all requests
at once, without CodeDeploy, which would go by and by and stop at the alarms that the bad version has raised. Then the
stack's template of before is deployed with its parameters, without CodeDeploy likewise; the archives that it names are
still in the bucket. Data is not touched by either.

A first deployment is made without deletion protection, because CloudFormation could not take back a table that has it,
and is followed by a second one with it.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infrastructure import build, deployed, leftovers, migrate, smoke, stacks, tasks_move
from infrastructure import template as templates
from infrastructure.change_sets import ChangeSets
from infrastructure.local.errors import DeploymentFailed
from infrastructure.migrate import MigrationFailed
from infrastructure.smoke.inspection import look
from infrastructure.template import REPOSITORY

# A rollout in ten steps of two minutes, with time to spare.
_SECONDS = 3600
_PAUSE_SECONDS = 5

# Until a change of a role holds everywhere, and a request that began before it has ended.
_SETTLE_SECONDS = 60

PROTECTION = "DeletionProtection"
"""The parameter that a first deployment has to do without."""


class RolledBack(Exception):
    """The new version did not serve, and the one before is back. The message says why."""


@dataclass(frozen=True)
class Version:
    """What a stack was deployed from. ``aliases``: the version that each alias of a function has, by its ARN."""

    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    aliases: Mapping[str, str]

    @property
    def place(self) -> tuple[str, str]:
        """The bucket that its archives are in, and the folder there, which ends in a slash or is empty."""
        found = re.search(r"s3://([^/\"]+)/([^\"]*/)?", json.dumps(self.template))
        if found is None:
            raise DeploymentFailed("The version before names no bucket that its archives are in.")
        return found[1], found[2] or ""


class Stack:
    """A stack. ``client("s3")`` is a boto3 client."""

    def __init__(
        self,
        name: str,
        client: Callable[..., Any],
        seconds: float = _SECONDS,
        pause: float = _PAUSE_SECONDS,
        settle: float = _SETTLE_SECONDS,
    ) -> None:
        self.name = name
        self._client = client
        self._settle = settle
        self._cloudformation = client("cloudformation")
        self._change_sets = ChangeSets(self._cloudformation, name, seconds, pause)

    def status(self) -> str | None:
        """As CloudFormation calls it; None if there is no such stack."""
        found = stacks.described(self._cloudformation, self.name)
        return None if found is None else str(found["StackStatus"])

    def version(self) -> Version | None:
        """The one that is deployed; None if there is none."""
        found = stacks.described(self._cloudformation, self.name)
        if found is None or found["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        return Version(stacks.template(self._cloudformation, self.name), stacks.parameters(found), self._aliases())

    def redirect(self, version: Version) -> int:
        """Send all requests to the functions of this version, at once; how many aliases were pointed elsewhere before.

        Until the next deployment, CloudFormation knows nothing of it.
        """
        functions = self._client("lambda")
        moved = 0
        for alias, wanted in version.aliases.items():
            place = {"FunctionName": alias.split(":")[6], "Name": alias.split(":")[7]}
            try:
                now = functions.get_alias(**place)
            except functions.exceptions.ResourceNotFoundException:
                continue  # a function that the new version has not; the template of before makes it again
            if now["FunctionVersion"] != wanted or now.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
                functions.update_alias(**place, FunctionVersion=wanted, RoutingConfig={"AdditionalVersionWeights": {}})
                moved += 1
        return moved

    def put_back(self, version: Version) -> None:
        """Deploy this version again. Raises DeploymentFailed."""
        # Beside the archives: CloudFormation takes a template of this size from a bucket alone.
        bucket, folder = version.place
        key, s3 = f"{folder}{self.name}-rollback.template", self._client("s3")
        s3.put_object(
            Bucket=bucket, Key=key, Body=json.dumps(templates.without_gradual_rollout(version.template)).encode()
        )
        self._change_sets.apply(f"{s3.meta.endpoint_url}/{bucket}/{key}", version.parameters)

    def copy_tasks(self, *, begun: bool) -> None:
        """Copy the tasks to their new table; see ``tasks_move``. Raises MigrationFailed."""
        time.sleep(self._settle)
        functions = deployed.functions(self._client)
        tasks_move.copy(functions, self.outputs()["MigrationsFunction"], begun=begun, progress=print)

    def migrate(self, *, upgraded: bool) -> None:
        """Carry out the migrations that are not done, as `make migrate` does. Raises MigrationFailed.

        ``upgraded``: requests may still be under way in the version before.
        """
        functions, function = deployed.functions(self._client), self.outputs()["MigrationsFunction"]
        if upgraded and not migrate.is_done(functions, function):
            time.sleep(self._settle)
        migrate.finish(functions, function, print)

    def outputs(self) -> dict[str, str]:
        return stacks.outputs(stacks.described(self._cloudformation, self.name) or {})

    def _resources(self) -> list[Any]:
        return stacks.resources(self._cloudformation, self.name)

    def remove_leftovers(self) -> leftovers.Removed:
        """Of former deployments: what nothing needs any more."""
        version = self.version()
        if version is None:
            return leftovers.Removed()
        bucket, folder = version.place
        artefacts = leftovers.Artefacts(self._client("s3"), bucket, folder) if folder == f"{self.name}/" else None
        return leftovers.remove(
            self._client("lambda"),
            self.name,
            self._resources(),
            artefacts,
            version.template,
        )

    def _aliases(self) -> dict[str, str]:
        functions = self._client("lambda")
        arns = [
            each["PhysicalResourceId"] for each in self._resources() if each["ResourceType"] == "AWS::Lambda::Alias"
        ]
        return {
            arn: functions.get_alias(FunctionName=arn.split(":")[6], Name=arn.split(":")[7])["FunctionVersion"]
            for arn in arns
        }


def release(stack: Stack, deploy: Callable[[Mapping[str, str]], None], check: Callable[..., None]) -> None:
    """``check`` raises Unhealthy if what ``deploy`` has deployed does not serve. It takes ``tasks_open``, as
    ``smoke.check`` does.

    ``deploy`` is given the parameters that differ from those of the environment. Raises RolledBack; Unhealthy if it was
    the first version, which stays as it is; what ``deploy`` raises; and DeploymentFailed if CloudFormation would not
    update the stack, or the version before cannot be put back.
    """
    hindrance = advice(stack)
    if hindrance is not None:
        raise DeploymentFailed(hindrance)
    before = stack.version()
    if before is None:
        deploy({PROTECTION: "false"})
        check()
        deploy({})
        return
    if tasks_move.is_due(before.template, before.parameters):
        closed = _move_tasks(stack, before, deploy, check)
        _replace(stack, closed, lambda: deploy(tasks_move.OPEN), check, lambda: check(tasks_open=False))
    else:
        _replace(stack, before, lambda: deploy({}), check, check)


def _move_tasks(
    stack: Stack, before: Version, deploy: Callable[[Mapping[str, str]], None], check: Callable[..., None]
) -> Version:
    """Deploy the new version with its routes of tasks closed, and copy the tasks. Returns this version.

    Until then, the version before can be put back without loss: the new one has written no task.
    """
    begun = tasks_move.is_begun(before.parameters)

    def check_rest() -> None:
        check(tasks_open=False)

    def copied() -> None:
        check_rest()
        stack.copy_tasks(begun=begun)

    _replace(stack, before, lambda: deploy(tasks_move.CLOSED), copied, check_rest if begun else check)
    moved = stack.version()
    if moved is None:
        raise DeploymentFailed(f"{stack.name} is gone.")
    return moved


def _replace(
    stack: Stack,
    before: Version,
    deploy: Callable[[], None],
    succeeded: Callable[[], None],
    check: Callable[[], None],
) -> None:
    """Deploy, and put the version before back if ``succeeded`` raises Unhealthy or MigrationFailed."""
    try:
        deploy()
    except DeploymentFailed:
        # CloudFormation has put back what it could, by CodeDeploy where the template says so.
        stack.redirect(before)
        raise
    try:
        succeeded()
    except (smoke.Unhealthy, MigrationFailed) as reason:
        stack.redirect(before)
        stack.put_back(before)
        check()
        raise RolledBack(str(reason)) from reason


def advice(stack: Stack) -> str | None:
    """What to do about a stack that CloudFormation would not update; None if it would."""
    match stack.status():
        case "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED":
            return (
                f"The first deployment of {stack.name} failed, and CloudFormation does not update such a stack. Remove "
                "what is left of it with make destroy ENV=…, then deploy again."
            )
        case "DELETE_FAILED":
            return f"{stack.name} was deleted in part. Call make destroy ENV=… again, then deploy."
        case "UPDATE_ROLLBACK_FAILED":
            return (
                f"CloudFormation could not put {stack.name} back; its events say why. Have it go on once the cause is "
                f"gone: aws cloudformation continue-update-rollback --stack-name {stack.name}. Where an alias is the "
                "cause, add --resources-to-skip with its name in the events: make deploy has pointed it at the version "
                "before. Then deploy again."
            )
    return None


def overrides(given: str, changed: Mapping[str, str]) -> list[str]:
    """What the SAM CLI takes in place of ``parameter_overrides`` of samconfig.toml, with these values changed."""
    values = dict(each.split("=", 1) for each in shlex.split(given))
    return [f"{name}={value}" for name, value in {**values, **changed}.items()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", required=True, help="an environment of samconfig.toml")
    parser.add_argument(
        "--url",
        default="",
        help="where the API answers, if not at the output ApiUrl; {ApiId} is the output of that name",
    )
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        type=_parameter,
        metavar="NAME=VALUE",
        help="of the template, beside those of samconfig.toml",
    )
    parser.add_argument("--built", required=True, type=Path, help="the folder that make build has filled")
    parser.add_argument("--at-once", action="store_true", help="without CodeDeploy")
    parser.add_argument("command", nargs="+", help="deploys a template file; ends with 0 once that is done")
    arguments = parser.parse_args()
    settings = tomllib.loads((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))
    environments = {name: of for name, of in settings.items() if isinstance(of, dict) and "deploy" in of}
    if arguments.env not in environments:
        print(f"Say which environment: make deploy ENV=… with one of {', '.join(environments)}", file=sys.stderr)
        return 2
    parameters = environments[arguments.env]["deploy"]["parameters"]
    name = parameters["stack_name"]

    def deploy(changed: Mapping[str, str]) -> None:
        # Without CodeDeploy, where tasks are closed or opened: an alarm on 5xx is raised then, and would stop it.
        at_once = arguments.at_once or tasks_move.PARAMETER in changed
        name = build.CLOSED if tasks_move.is_begun(changed) else build.AT_ONCE if at_once else build.TEMPLATE
        values = {**dict(arguments.parameter), **tasks_move.OPEN, **changed}
        given = overrides(parameters["parameter_overrides"], values)
        _run([*arguments.command, "--template-file", str(arguments.built / name), "--parameter-overrides", *given])

    try:
        stack = Stack(name, boto3.client)
        upgraded = stack.version() is not None
        release(stack, deploy, lambda **how: smoke.check(_address(stack, arguments.url), **how))
    except RolledBack as reason:
        print(f"The new version does not serve: {reason}\nThe version before is back, and serves.", file=sys.stderr)
    except smoke.Unhealthy as reason:
        print(f"{name} does not serve: {reason}", file=sys.stderr)
    except (DeploymentFailed, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        _advise(name, str(error))
    else:
        print(f"{name} serves at {_address(stack, arguments.url)}")
        _clean_up(stack)
        _migrate(stack, upgraded=upgraded)
        _report(name, _address(stack, arguments.url))
        return 0
    return 1


def _parameter(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{given!r} is not NAME=VALUE")
    return name, value


def _advise(name: str, said: str) -> None:
    """What to do next, unless it was said."""
    try:
        hint = advice(Stack(name, boto3.client))
    except (BotoCoreError, ClientError):
        return
    if hint is not None and hint != said:
        print(hint, file=sys.stderr)


def _report(name: str, url: str) -> None:
    """What else `make smoke` looks at. Putting the version before back would mend none of it, so it fails nothing."""
    try:
        print("\n".join(map(str, look(name, url, boto3.client))))
    except (BotoCoreError, ClientError) as error:
        print(f"{name} could not be looked at: {error}", file=sys.stderr)


def _migrate(stack: Stack, *, upgraded: bool) -> None:
    """A version that serves is deployed, whether or not all stored items are in its form."""
    try:
        stack.migrate(upgraded=upgraded)
    except (MigrationFailed, BotoCoreError, ClientError) as error:
        print(f"{error}\nTo go on: make migrate STACK={stack.name}", file=sys.stderr)


def _clean_up(stack: Stack) -> None:
    """A version that serves is deployed, whether or not what is left of others could be removed."""
    try:
        print(stack.remove_leftovers())
    except (BotoCoreError, ClientError) as error:
        print(f"Not all that former deployments have left was removed: {error}", file=sys.stderr)


def _address(stack: Stack, given: str) -> str:
    outputs = stack.outputs()
    return given.replace("{ApiId}", outputs["ApiId"]) or outputs["ApiUrl"]


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        raise DeploymentFailed("The deployment failed. CloudFormation says why, and has put back what it changed.")


if __name__ == "__main__":
    sys.exit(main())
