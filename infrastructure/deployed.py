"""Where a command finds what was deployed: in the running local stack, or in a stack on AWS."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infrastructure.local.errors import LocalStackError
from infrastructure.local.stack import running_addresses

# As long as Lambda lets a function run; a call that is cut off must not begin a second run.
PATIENT = Config(read_timeout=910, retries={"total_max_attempts": 1})


class FunctionFailed(Exception):
    """A function ended with an error of its own. The message says with which."""


Failure = (FunctionFailed, LocalStackError, BotoCoreError, ClientError)
"""What a command may end with whose message is for the person who called it."""


class ClientFactory(Protocol):
    def __call__(self, service: Any, /, *, config: Config | None = None) -> Any: ...


@dataclass(frozen=True)
class Deployed:
    """``outputs``: those of the CloudFormation stack, by name. ``client("dynamodb")`` is an AWS client for it. ``url``:
    where the API answers."""

    outputs: Mapping[str, str]
    client: ClientFactory
    url: str


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """Those of a command that ``doc`` describes, and that works on what was deployed."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", default="", help="name of a stack on AWS; the running local stack without it")
    return parser


def find(stack: str) -> Deployed:
    """``stack``: its name on AWS; the running local stack if empty.

    Raises a LocalStackError, BotoCoreError or ClientError.
    """
    if not stack:
        addresses = running_addresses()
        return Deployed(addresses.outputs, addresses.client, addresses.api_url)
    found = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
    return Deployed(outputs, boto3.client, outputs["ApiUrl"])


def invoke(functions: Any, function: str, event: Mapping[str, Any]) -> Any:
    """What the function answers. ``functions``: a boto3 client of Lambda. Raises FunctionFailed and what boto3 does."""
    answer = functions.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise FunctionFailed(str(said.get("errorMessage", said)))
    return said
