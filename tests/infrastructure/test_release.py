"""`make deploy`: how often it deploys, with which parameters, and which stacks it leaves alone."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from infrastructure.local.errors import DeploymentFailed
from infrastructure.migrate import MigrationFailed
from infrastructure.release import RolledBack, Stack, Version, main, overrides, release
from infrastructure.smoke import Unhealthy

NAME = "tasksync-prod"


def stack(status: str | None = None, refusal: str = "ValidationError") -> Stack:
    """A stack with this status. Without one, CloudFormation says that there is none, or refuses to say."""
    cloudformation = boto3.client("cloudformation")
    responses = Stubber(cloudformation)
    for _ in range(2):
        if status is None:
            missing = f"Stack with id {NAME} does not exist"
            message = missing if refusal == "ValidationError" else "not authorized to perform: DescribeStacks"
            responses.add_client_error("describe_stacks", refusal, message)
        else:
            found = {"StackName": NAME, "StackStatus": status, "CreationTime": datetime.now(UTC)}
            responses.add_response("describe_stacks", {"Stacks": [found]})
    responses.activate()
    return Stack(NAME, {"cloudformation": cloudformation}.__getitem__)


def test_a_first_deployment_enables_deletion_protection_after_it_serves() -> None:
    done: list[Any] = []

    release(stack(), done.append, lambda: done.append("serves"))

    assert done == [{"DeletionProtection": "false"}, "serves", {}]


def test_a_stack_with_only_a_change_set_is_a_first_deployment() -> None:
    done: list[Any] = []

    release(stack("REVIEW_IN_PROGRESS"), done.append, lambda: None)

    assert done == [{"DeletionProtection": "false"}, {}]


def test_a_first_deployment_that_does_not_serve_is_not_protected() -> None:
    done: list[Mapping[str, str]] = []

    def check() -> None:
        raise Unhealthy("GET /health: 500")

    with pytest.raises(Unhealthy):
        release(stack(), done.append, check)

    assert done == [{"DeletionProtection": "false"}]


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("ROLLBACK_COMPLETE", "make destroy ENV=…, then deploy again"),
        ("ROLLBACK_FAILED", "make destroy ENV=…, then deploy again"),
        ("DELETE_FAILED", "make destroy ENV=… again"),
        ("UPDATE_ROLLBACK_FAILED", f"continue-update-rollback --stack-name {NAME}"),
    ],
)
def test_a_stack_that_cannot_be_updated_is_unchanged_and_the_remedy_printed(status: str, advice: str) -> None:
    done: list[Mapping[str, str]] = []

    with pytest.raises(DeploymentFailed, match=advice):
        release(stack(status), done.append, lambda: None)

    assert done == []


def test_an_unreadable_stack_is_not_treated_as_missing() -> None:
    """Otherwise an update by somebody who may not see the stack would turn its deletion protection off."""
    done: list[Mapping[str, str]] = []

    with pytest.raises(ClientError, match="not authorized"):
        release(stack(refusal="AccessDenied"), done.append, lambda: None)

    assert done == []


def test_other_parameters_of_an_environment_stay() -> None:
    given = "Environment=prod DeletionProtection=true AlarmAddress='somebody@example.org' Rollout=AllAtOnce"

    assert overrides(given, {"DeletionProtection": "false"}) == [
        "Environment=prod",
        "DeletionProtection=false",
        "AlarmAddress=somebody@example.org",
        "Rollout=AllAtOnce",
    ]
    assert overrides("Environment=prod", {"DeletionProtection": "false"})[1:] == ["DeletionProtection=false"]


BOUNDARY = "PermissionsBoundary=arn:aws:iam::123456789012:policy/boundary"


def commanded(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> list[str]:
    """What the command that deploys a new stack is given; it fails."""
    given = folder / "given"
    command = f"import sys; open({str(given)!r}, 'w').write(' '.join(sys.argv[1:])); sys.exit(1)"
    arguments = ("--env", "dev", "--built", str(folder), *arguments, "--", sys.executable, "-c", command)
    monkeypatch.setattr(sys, "argv", ["release", *arguments])
    cloudformation = boto3.client("cloudformation")
    responses = Stubber(cloudformation)
    for _ in range(3):
        responses.add_client_error("describe_stacks", "ValidationError", "Stack with id tasksync-dev does not exist")
    responses.activate()
    monkeypatch.setattr(boto3, "client", {"cloudformation": cloudformation}.__getitem__)

    assert main() == 1

    return given.read_text(encoding="utf-8").split()


def test_command_parameters_are_added_to_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = commanded(monkeypatch, tmp_path, "--parameter", BOUNDARY)

    assert words[:3] == ["--template-file", str(tmp_path / "template.json"), "--parameter-overrides"]
    assert {"Environment=dev", BOUNDARY, "TasksOpen=true"} <= set(words)


def test_a_version_is_put_back_without_codedeploy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = commanded(monkeypatch, tmp_path, "--at-once")

    assert words[:2] == ["--template-file", str(tmp_path / "template-at-once.json")]


def test_a_parameter_without_a_value_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["release", "--env", "dev", "--built", ".", "--parameter", "PermissionsBoundary", "--", "true"]
    )

    with pytest.raises(SystemExit):
        main()

    assert "is not NAME=VALUE" in capsys.readouterr().err


class Upgrade(Stack):
    """A stack as AWS would have it: its versions, and what is done to it, in order."""

    def __init__(self, parameters: Mapping[str, str], fails: Exception | None = None) -> None:
        """The version before has only the old tasks table. ``fails``: what copying ends with."""
        self.name = NAME
        self.done: list[Any] = []
        self._fails = fails
        self._now = Version({"Resources": {"TasksTable": {}}}, parameters, {})

    def status(self) -> str | None:
        return "UPDATE_COMPLETE"

    def version(self) -> Version | None:
        return self._now

    def deploy(self, changed: Mapping[str, str]) -> None:
        self.done.append(changed)
        self._now = Version({"Resources": {"TasksTable": {}, "TasksTableV2": {}}}, changed, {})

    def check(self, *, tasks_open: bool = True) -> None:
        self.done.append("all serves" if tasks_open else "the rest serves")

    def copy_tasks(self, *, begun: bool) -> None:
        self.done.append("copy on" if begun else "copy")
        if self._fails:
            raise self._fails

    def redirect(self, version: Version) -> int:
        self.done.append(("redirect", version.parameters))
        return 0

    def put_back(self, version: Version) -> None:
        self.done.append("put back")
        self._now = version


CLOSED, OPEN = {"TasksOpen": "false"}, {"TasksOpen": "true"}


@pytest.mark.parametrize(("before", "copied"), [({}, "copy"), (CLOSED, "copy on")])
def test_an_upgrade_copies_tasks_while_their_routes_are_closed_and_then_opens_them(
    before: dict[str, str], copied: str
) -> None:
    stack = Upgrade(before)

    release(stack, stack.deploy, stack.check)

    assert stack.done == [CLOSED, "the rest serves", copied, OPEN, "all serves"]


def test_an_upgrade_that_cannot_copy_puts_the_version_before_back() -> None:
    stack = Upgrade({"Environment": "prod"}, MigrationFailed("1 tasks could not be copied."))

    with pytest.raises(RolledBack, match="1 tasks could not be copied"):
        release(stack, stack.deploy, stack.check)

    redirected = ("redirect", {"Environment": "prod"})
    assert stack.done == [CLOSED, "the rest serves", "copy", redirected, "put back", "all serves"]


def test_a_version_with_the_new_table_is_replaced_without_copying() -> None:
    stack = Upgrade({})
    release(stack, stack.deploy, stack.check)
    stack.done.clear()

    release(stack, stack.deploy, stack.check)

    assert stack.done == [{}, "all serves"]
