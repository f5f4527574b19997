"""Creates or updates a stack through CloudFormation, by change set, as `sam deploy` does.

An AWS client repeats a call that had no response in time. What the first of the two has done is not an error here.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from infrastructure.local.errors import DeploymentFailed
from infrastructure.stacks import described

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


class ChangeSets:
    """Those of one stack. ``seconds``: how long one may take; ``pause``: how many between two looks at it.

    Raises DeploymentFailed with the reason of the resource that failed first. CloudFormation has then put back by
    itself what it had changed.
    """

    def __init__(self, cloudformation: Any, stack: str, seconds: float, pause: float) -> None:
        self._cloudformation = cloudformation
        self._stack = stack
        self._seconds = seconds
        self._pause = pause

    def apply(self, template_url: str, parameters: Mapping[str, str]) -> None:
        """Bring the stack to what the template and the parameters say."""
        try:
            change_set = self._create(template_url, parameters)
            if change_set is not None:
                self._execute(change_set)
        except ClientError as error:
            raise DeploymentFailed(f"The deployment failed: {error.response['Error']['Message']}") from error

    def _create(self, template_url: str, parameters: Mapping[str, str]) -> str | None:
        """The id of a change set that is ready; None if nothing would change."""
        name = f"tasksync-{time.time_ns()}"
        try:
            self._cloudformation.create_change_set(
                StackName=self._stack,
                ChangeSetName=name,
                ChangeSetType="CREATE" if self._status() is None else "UPDATE",
                TemplateURL=template_url,
                Capabilities=_CAPABILITIES,
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            )
        except self._cloudformation.exceptions.AlreadyExistsException as error:
            # Nobody else uses this name: the first call was carried out, had no response in time, and was repeated.
            if name not in error.response["Error"]["Message"]:
                raise
        for _ in self._until():
            change_set = self._cloudformation.describe_change_set(StackName=self._stack, ChangeSetName=name)
            if change_set["Status"] == "CREATE_COMPLETE":
                return str(change_set["ChangeSetId"])
            if change_set["Status"] == "FAILED":
                reason = change_set.get("StatusReason", "no reason given")
                self._cloudformation.delete_change_set(ChangeSetName=change_set["ChangeSetId"])
                if "didn't contain changes" in reason or "No updates are to be performed" in reason:
                    return None
                raise DeploymentFailed(f"The deployment failed: {reason}")
        raise DeploymentFailed(f"The deployment failed: no change set after {self._seconds} s.")

    def _execute(self, change_set: str) -> None:
        known = {event["EventId"] for event in self._events()}
        try:
            self._cloudformation.execute_change_set(ChangeSetName=change_set)
        except self._cloudformation.exceptions.InvalidChangeSetStatusException:
            # A repeated call, too, if it is carried out already.
            found = self._cloudformation.describe_change_set(ChangeSetName=change_set)
            if not found["ExecutionStatus"].startswith("EXECUTE_"):
                raise
        for _ in self._until():
            status = self._status()
            if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                return
            if status is not None and not status.endswith("IN_PROGRESS"):
                raise DeploymentFailed(self._reason(known) or f"The deployment failed: the stack is {status}.")
        raise DeploymentFailed(f"The deployment failed: it was not done after {self._seconds} s.")

    def _reason(self, known: set[str]) -> str | None:
        """What the resource that failed first says; the failures after it are its consequences."""
        failures = [
            event
            for event in self._events()
            if event["EventId"] not in known and event["ResourceStatus"].endswith("FAILED")
        ]
        if not failures:
            return None
        first = min(failures, key=lambda event: event["Timestamp"])
        reason = first.get("ResourceStatusReason", "no reason given")
        return f"The deployment failed: {first['LogicalResourceId']} ({first['ResourceType']}): {reason}"

    def _events(self) -> list[Any]:
        events: list[Any] = self._cloudformation.describe_stack_events(StackName=self._stack)["StackEvents"]
        return events

    def _status(self) -> str | None:
        found = described(self._cloudformation, self._stack)
        return None if found is None else str(found["StackStatus"])

    def _until(self) -> Iterator[None]:
        deadline = time.monotonic() + self._seconds
        while time.monotonic() < deadline:
            yield
            time.sleep(self._pause)
