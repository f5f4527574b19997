"""AWS in process: moto, with the tables and secrets that ``template.yaml`` describes.

moto is not safe under threads: whoever calls it, or the product, holds ``LOCK``.
"""

import copy
import functools
import json
import math
import os
import random
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard
from moto.secretsmanager.models import secretsmanager_backends

from infrastructure.emulation import seed
from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT
from tasksync.runtime import deadline
from tasksync.runtime.settings import settings
from tests.support import quick_moto
from tests.support.permissions import Permissions, install
from tests.support.stack import Stack

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_secretsmanager import SecretsManagerClient

LOCK = threading.RLock()

_ENVIRONMENT = {
    # Nothing that escapes the mock can be signed for a real account, or find one.
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    # moto's streams are not found under the host names that botocore makes for an account.
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
}

_permissions = Permissions(f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/")
install(_permissions)
quick_moto.install()


def prepare_environment() -> None:
    """Forget the AWS account of whoever runs the tests, and set what our modules read when they are imported.

    To be called before any of them is.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(_ENVIRONMENT)
    os.environ.update(Stack().all_variables())


@contextmanager
def mocked() -> Iterator[None]:
    """Answer all calls to AWS in process. Clients made before this block are not covered."""
    with mock_aws():
        yield


class Aws:
    """A fresh account in which the stack's tables and secrets have just been made. One at a time."""

    def __init__(self, stack: Stack | None = None) -> None:
        self.stack = stack or Stack()
        self.permissions = _permissions
        self._known: dict[str, tuple[dict[str, str], list[dict[str, Any]]]] = {}
        self._settings: dict[str, dict[str, Any]] = {}
        """By function, the settings that it has read, as its container remembers them."""
        with LOCK:
            BackendDict.reset()
            # moto keeps every model it ever made for its dashboard, each copy of a table in each transaction too.
            reset_model_data()
            self.permissions.denied.clear()
            self.permissions.calls.clear()
            self.permissions.used.clear()
            self.dynamodb: DynamoDBClient = _client("dynamodb")
            self.streams: DynamoDBStreamsClient = _client("dynamodbstreams")
            self.secrets: SecretsManagerClient = _client("secretsmanager")
            tables, streams = copy.deepcopy(_new_tables())
            dynamodb_backends[ACCOUNT][REGION].tables = tables
            self.stack.arns |= streams
            # Anew each time: a value that was read is remembered by the secret's ARN.
            for name, value in _values_of_secrets().items():
                self.stack.arns[name] = _new_secret(name, value)

    @contextmanager
    def running(self, function: str) -> Iterator[None]:
        """Let the block run as this function: with its environment variables and its permissions, and no others.

        What comes after it in this process is no part of the invocation, and has all the time there is.
        """
        given, allowed = self._of_function(function)
        with LOCK, environment(given, without=self._all_variables), self.permissions.of(function, allowed):
            vars(settings).update(self._settings.get(function, {}))
            try:
                yield
            finally:
                self._settings[function] = dict(vars(settings))
                deadline.begin(lambda: math.inf)

    def deploy(self, **parameters: str) -> None:
        """Change parameters of the template, for the functions that run from now on."""
        self.stack.parameters |= parameters
        self._known.clear()
        self._settings.clear()

    @functools.cached_property
    def _all_variables(self) -> set[str]:
        return set(self.stack.all_variables())

    def _of_function(self, function: str) -> tuple[dict[str, str], list[dict[str, Any]]]:
        """Its environment variables and its permissions."""
        if function not in self._known:
            self._known[function] = self.stack.environment(function), self.stack.statements(function)
        return self._known[function]

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table (by its name in the template), as plain values."""
        read = TypeDeserializer().deserialize
        with LOCK:
            pages = self.dynamodb.get_paginator("scan").paginate(TableName=table)
            return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def shard(self, stream_arn: str) -> StreamShard:
        """What moto has of a stream."""
        table = dynamodb_backends[ACCOUNT][REGION].get_table(stream_arn.split("/")[1])
        assert table.stream_shard is not None
        return table.stream_shard

    def make_queues(self) -> None:
        """The queues of the template, which nothing but GET /metrics asks anything of."""
        with LOCK:
            for queue in self.stack.of_type("AWS::SQS::Queue"):
                _client("sqs").create_queue(QueueName=queue)


@functools.cache
def _new_tables() -> tuple[Any, dict[str, str]]:
    """What moto holds of the template's tables when they have just been made, and the ARNs of their streams.

    Made once by the calls that make them: a copy of it takes a hundredth of their time.
    """
    stack = Stack()
    for name, properties in stack.of_type("AWS::DynamoDB::Table").items():
        stream = seed.create_table(_client("dynamodb"), name, properties)
        if stream is not None:
            stack.arns[f"{name}.StreamArn"] = stream
    return dynamodb_backends[ACCOUNT][REGION].tables, stack.arns


@functools.cache
def _values_of_secrets() -> dict[str, str]:
    """By their names in the template."""
    secrets = Stack().of_type("AWS::SecretsManager::Secret")
    made = {
        name: _client("secretsmanager").get_random_password(**properties["GenerateSecretString"])
        for name, properties in secrets.items()
    }
    return {name: response["RandomPassword"] for name, response in made.items()}


def _new_secret(name: str, value: str) -> str:
    """Its ARN. By the method behind moto's API, which takes a twentieth of the time: each test has some of its own."""
    made = secretsmanager_backends[ACCOUNT][REGION].create_secret(
        name=name,
        # Another value of the same form: what was made from one, such as a key, is remembered by its name.
        secret_string="".join(random.SystemRandom().sample(value, len(value))),
        secret_binary=None,
        description="",
        tags=[],
        kms_key_id=None,
        client_request_token=None,
        replica_regions=[],
        force_overwrite=False,
    )
    return str(json.loads(made)["ARN"])


@contextmanager
def environment(given: Mapping[str, str], without: Iterable[str] = ()) -> Iterator[None]:
    """For the block, set some environment variables and unset others, and forget the settings that were read."""
    wanted = {**dict.fromkeys(without), **given}
    # To set a variable takes much longer than to read it, and most have the same value outside.
    before = {name: was for name in wanted if (was := os.environ.get(name)) != wanted[name]}
    read = dict(vars(settings))
    try:
        _set({name: wanted[name] for name in before})
        vars(settings).clear()
        yield
    finally:
        _set(before)
        vars(settings).clear()
        vars(settings).update(read)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@functools.cache
def _client(service: Any) -> Any:
    """A client outlives the accounts that it is used with; making one takes longer than making the tables."""
    return boto3.client(service)
