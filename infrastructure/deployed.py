"""Finds the deployed functions, tables and secrets: in the running local stack, or in a stack on AWS."""

import argparse
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infrastructure import stacks
from infrastructure.local.addresses import running_addresses
from infrastructure.local.errors import LocalStackError

# As long as Lambda lets a function run; a call that is cut off must not begin a second run.
_PATIENT = Config(read_timeout=910, retries={"total_max_attempts": 1}, tcp_keepalive=True)

# A NAT gateway drops a connection after 350 s without a packet, and the response of a longer call is lost. Linux sends
# its first keep-alive packet after 7,200 s unless the socket says otherwise; macOS has another name for the option.
_KEEP_ALIVE_SECONDS = 45
_KEEP_ALIVE_OPTIONS = [
    (socket.IPPROTO_TCP, getattr(socket, name), _KEEP_ALIVE_SECONDS)
    for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE", "TCP_KEEPINTVL")
    if hasattr(socket, name)
]


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
    outputs = stacks.outputs(boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0])
    return Deployed(outputs, boto3.client, outputs["ApiUrl"])


def functions(client: ClientFactory) -> Any:
    """A client of Lambda for calls that take up to 15 minutes, also from behind a NAT gateway."""
    made = client("lambda", config=_PATIENT)
    # botocore has no option for when keep-alive packets are sent. This list is read whenever it connects.
    made._endpoint.http_session._socket_options.extend(_KEEP_ALIVE_OPTIONS)  # noqa: SLF001  # there is no public way
    return made


def invoke(functions: Any, function: str, event: Mapping[str, Any]) -> Any:
    """What the function answers. Raises FunctionFailed and what boto3 does.

    ``functions``: a client that ``functions()`` has made; another one loses the response of a call over 350 s.
    """
    response = functions.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    said = json.loads(response["Payload"].read())
    if "FunctionError" in response:
        raise FunctionFailed(str(said.get("errorMessage", said)))
    return said
