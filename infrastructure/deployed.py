"""Where a command finds what was deployed: in the running local stack, or in a stack on AWS."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.config import Config

from infrastructure.local.stack import running_addresses


class ClientFactory(Protocol):
    def __call__(self, service: Any, /, *, config: Config | None = None) -> Any: ...


@dataclass(frozen=True)
class Deployed:
    """``outputs``: those of the CloudFormation stack, by name. ``client("dynamodb")`` is an AWS client for it."""

    outputs: Mapping[str, str]
    client: ClientFactory


def find(stack: str) -> Deployed:
    """``stack``: its name on AWS; the running local stack if empty.

    Raises a LocalStackError, BotoCoreError or ClientError.
    """
    if not stack:
        addresses = running_addresses()
        return Deployed(addresses.outputs, addresses.client)
    found = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return Deployed({output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}, boto3.client)
