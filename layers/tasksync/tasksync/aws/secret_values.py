"""Secrets, read from Secrets Manager once per container."""

import functools

from botocore.exceptions import BotoCoreError, ClientError

from tasksync.aws.client import SECRETS_MANAGER, Client, RetryPolicy
from tasksync.model.errors import DependencyFailed

# 3 x (1 s + 3 s) + 1 s + 2 s of back-off = 15 s.
RETRY_POLICY = RetryPolicy(connect_seconds=1, read_seconds=3, attempts=3)


@functools.cache
def secret(arn: str) -> bytes:
    """The secret's text, as bytes. Raises ``DependencyFailed``, and asks again the next time, if it cannot be read."""
    return current_secret(arn)


def current_secret(arn: str) -> bytes:
    """The same, asked for each time: of a secret that may be replaced while the container lives."""
    try:
        answer = _client().call("GetSecretValue", {"SecretId": arn})
    except (BotoCoreError, ClientError) as error:
        raise DependencyFailed from error
    return str(answer["SecretString"]).encode()


@functools.cache
def _client() -> Client:
    return Client(SECRETS_MANAGER, RETRY_POLICY)
