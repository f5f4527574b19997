"""Secret values, read from Secrets Manager and cached per container."""

import functools

from botocore.exceptions import BotoCoreError, ClientError

from tasksync.aws.client import SECRETS_MANAGER, Client, RetryPolicy
from tasksync.model.errors import DependencyFailed

# 3 x (1 s + 3 s) + 1 s + 2 s of back-off = 15 s.
RETRY_POLICY = RetryPolicy(connect_seconds=1, read_seconds=3, attempts=3)


@functools.cache
def secret(arn: str) -> bytes:
    """The secret's text, as bytes. Cached. Raises ``DependencyFailed`` if it cannot be read; the next call tries
    again."""
    return current_secret(arn)


def current_secret(arn: str) -> bytes:
    """The same without the cache, for a secret that may be replaced while the container lives."""
    try:
        result = _client().call("GetSecretValue", {"SecretId": arn})
    except (BotoCoreError, ClientError) as error:
        raise DependencyFailed from error
    return str(result["SecretString"]).encode()


@functools.cache
def _client() -> Client:
    return Client(SECRETS_MANAGER, RETRY_POLICY)
