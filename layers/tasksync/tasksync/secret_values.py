"""Secrets, read from Secrets Manager once per container."""

import functools

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tasksync.errors import DependencyFailed

# 3 x (1 s + 3 s) + 1 s + 2 s of back-off = 15 s.
CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"})


@functools.cache
def secret(arn: str) -> bytes:
    """The secret's text, as bytes. Raises ``DependencyFailed``, and asks again the next time, if it cannot be read."""
    return current_secret(arn)


def current_secret(arn: str) -> bytes:
    """The same, asked for each time: of a secret that may be replaced while the container lives."""
    try:
        answer = _client().get_secret_value(SecretId=arn)
    except (BotoCoreError, ClientError) as error:
        raise DependencyFailed from error
    return str(answer["SecretString"]).encode()


@functools.cache
def _client():  # type: ignore[no-untyped-def]  # boto3 makes its clients at run time
    return boto3.client("secretsmanager", config=CONFIG)
