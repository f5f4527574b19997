"""`make destroy ENV=…`: removes the stack of an environment from AWS. Retained resources stay and are listed.

Refuses production, and any stack with a table that DynamoDB itself is told to keep (DeletionProtection). Not so where
the first deployment failed: such a stack never served, and nothing else can be done with it.
"""

import argparse
import sys
import tomllib
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from infrastructure import stacks
from infrastructure.template import REPOSITORY

PRODUCTION = "prod"

# Its first deployment failed: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
_NEVER_SERVED = {"CREATE_FAILED", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}

_PAUSE = 5
_SECONDS = 1800


class NotDestroyed(Exception):
    """The message is one sentence for the person at the terminal."""


def stack_of(environment: str) -> str:
    """The name of the stack that `make deploy` deploys an environment to. Raises NotDestroyed."""
    settings = tomllib.loads((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))
    try:
        return str(settings[environment]["deploy"]["parameters"]["stack_name"])
    except (KeyError, TypeError):
        raise NotDestroyed("Say which environment of samconfig.toml: make destroy ENV=dev") from None


def destroy(
    cloudformation: Any, dynamodb: Any, stack: str, confirm: Callable[[str], str], production: bool = False
) -> list[str]:
    """Deletes a stack, once ``confirm`` has answered its name; what is kept of it, a line each.

    ``cloudformation`` and ``dynamodb`` are boto3 clients. Raises NotDestroyed, and then nothing is changed.
    """
    found = stacks.described(cloudformation, stack)
    values = stacks.parameters(found or {})
    never_served = found is not None and found["StackStatus"] in _NEVER_SERVED
    if not never_served and (production or values.get("Environment") == PRODUCTION):
        raise NotDestroyed(f"{stack} is production, and not destroyed by a command: see docs/guides/deploy.md.")
    if found is None:
        raise NotDestroyed(f"There is no stack {stack}.")
    protected = [] if never_served else _protected_tables(cloudformation, dynamodb, stack)
    if protected:
        raise NotDestroyed(f"{stack} holds data that is protected from deletion: {', '.join(protected)}.")
    if confirm(f"Type {stack} to delete it: ") != stack:
        raise NotDestroyed("That is not its name; nothing was deleted.")
    # A stack that is gone is known by its id alone.
    cloudformation.delete_stack(StackName=found["StackId"])
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=found["StackId"], WaiterConfig={"Delay": _PAUSE, "MaxAttempts": _SECONDS // _PAUSE}
    )
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=found["StackId"])
    return [
        f"{event['ResourceType']} {event['PhysicalResourceId']}"
        for page in pages
        for event in page["StackEvents"]
        # A version is kept by the template, and goes with its function.
        if event.get("ResourceStatus") == "DELETE_SKIPPED" and event["ResourceType"] != "AWS::Lambda::Version"
    ]


def _protected_tables(cloudformation: Any, dynamodb: Any, stack: str) -> list[str]:
    tables = [
        each["PhysicalResourceId"]
        for each in stacks.resources(cloudformation, stack)
        if each["ResourceType"] == "AWS::DynamoDB::Table"
    ]
    found = [dynamodb.describe_table(TableName=table)["Table"] for table in tables]
    # A truth value, and on the local AWS the text that the parameter has.
    return [each["TableName"] for each in found if str(each.get("DeletionProtectionEnabled", False)).lower() != "false"]


def _asked(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        raise NotDestroyed(
            "Without a terminal, confirm with CONFIRM= and the name of the stack. Nothing was deleted."
        ) from None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", required=True, help="dev or staging: see samconfig.toml")
    parser.add_argument("--confirm", default="", help="the stack's name, where nobody can be asked")
    arguments = parser.parse_args()
    try:
        stack = stack_of(arguments.environment)
        ask = (lambda _: arguments.confirm) if arguments.confirm else _asked
        production = arguments.environment == PRODUCTION
        kept = destroy(boto3.client("cloudformation"), boto3.client("dynamodb"), stack, ask, production)
    except (NotDestroyed, BotoCoreError, ClientError, WaiterError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{stack} is deleted. Kept, for you to delete if nobody needs it:" if kept else f"{stack} is deleted.")
    for line in kept:
        print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
