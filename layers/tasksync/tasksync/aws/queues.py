"""Sends messages to a queue of SQS."""

import functools
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from tasksync.aws.client import SQS, Client, RetryPolicy
from tasksync.model.errors import DependencyFailed

# 3 x (1 s + 3 s) + 1 s + 2 s of back-off = 15 s.
RETRY_POLICY = RetryPolicy(connect_seconds=1, read_seconds=3, attempts=3)

LONGEST_DELAY_SECONDS = 900
"""Of SQS."""

_AT_ONCE = 10
"""Messages of one SendMessageBatch."""


def send(queue_url: str, messages: Sequence[tuple[str, int]]) -> None:
    """Send texts, each with a delay in seconds. Raises ``DependencyFailed``: some may have been sent."""
    for start in range(0, len(messages), _AT_ONCE):
        entries = [
            {"Id": str(number), "MessageBody": text, "DelaySeconds": delay}
            for number, (text, delay) in enumerate(messages[start : start + _AT_ONCE])
        ]
        try:
            result = _client().call("SendMessageBatch", {"QueueUrl": queue_url, "Entries": entries})
        except (BotoCoreError, ClientError) as error:
            raise DependencyFailed from error
        if result.get("Failed"):
            raise DependencyFailed


@functools.cache
def _client() -> Client:
    return Client(SQS, RETRY_POLICY)
